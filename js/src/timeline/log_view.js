import { pluralize } from "../ui/plurals.js";
import { MessageView } from "./message_view.js";
import { MessageWindow } from "./message_window.js";

const AT_BOTTOM_PX = 48; // within this distance the log counts as scrolled to the end
const PILL_FROM_PX = 600; // from this distance on, the button to the newest messages is shown
const KEEP_AROUND = 200; // messages kept above and below the visible ones
const TRIM_SLACK = 100; // excess at which messages are removed

/**
 * The messages of a room: confirmed ones ordered by `seq`, then pending ones.
 *
 * At the end of the log, new messages scroll it; otherwise the scroll position is preserved. The scroller is a
 * reversed flex box (see roomchat.css), so that the page shows the newest message before any script runs.
 *
 * The view shows one {@link MessageWindow} of the log, and removes messages far from the visible ones, so that a page
 * that is open for days does not grow. Pending posts are shown only at the live end.
 *
 * It dispatches `new-messages` for new messages: `detail = {created, others}`, both by `seq`. The list element
 * dispatches `reach-live` and `leave-live` when the user scrolls to or away from the live end, and `window-change`
 * when the window changes.
 */
export class LogView extends EventTarget {
  #scroller;
  #list;
  #pill;
  #shared;
  #messageWindow;
  #views = []; // confirmed by seq, then pending in the order of posting
  #hiddenPending = []; // pending posts while the live end is not shown
  #unseen = 0;
  #newFrom = null;
  #wasAtBottom = true;

  /**
   * @param initial `{isAtStart, isLive}`: the window that the server has rendered
   * @param read sequence number up to which the user has read
   */
  constructor({ scroller, list, pill, shared, initial, read, signal }) {
    super();
    this.#scroller = scroller;
    this.#list = list;
    this.#pill = pill;
    this.#shared = shared;
    for (const item of list.querySelectorAll("li[data-state]")) item.remove();
    this.#views = Array.from(list.querySelectorAll("li[data-seq]"), (item) => new MessageView(item, shared));
    this.#messageWindow = new MessageWindow({ oldest: this.#views[0]?.seq, newest: this.#views.at(-1)?.seq, ...initial });
    if (list.querySelector("[data-starts-new]")) this.#newFrom = read + 1;
    this.#updateAllGrouping();
    this.#wasAtBottom = this.atBottom;
    scroller.addEventListener("scroll", () => this.#onScroll(), { signal, passive: true });
    scroller.addEventListener("keydown", (event) => this.#onKeydown(event), { signal });
    this.#updatePill();
  }

  /** The part of the log that is shown. */
  get messageWindow() {
    return this.#messageWindow;
  }

  /** `seq` of the newest confirmed message. */
  get newest() {
    return this.#views.findLast(({ pending }) => !pending)?.seq ?? null;
  }

  /** Show the marker “New” above the first message of another user with this or a higher sequence number. */
  startNewMarker(seq) {
    this.#newFrom = seq;
    this.#updateNewMarker();
  }

  /** Whether the newest message of the room is shown and the log is scrolled to the end. */
  get atBottom() {
    return this.#messageWindow.isLive && this.#distance() <= AT_BOTTOM_PX;
  }

  /** `seq` of the first visible message. */
  get firstVisible() {
    const [first] = this.#visibleRange();
    return first && !first.pending ? first.seq : null;
  }

  /** Whether the message with this sequence number is shown. */
  has(seq) {
    return this.#views[this.#indexOf(seq)]?.seq === seq;
  }

  /** The {@link MessageView} of an `<li>`. */
  viewOf(item) {
    return this.#views.find(({ element }) => element === item);
  }

  /** The last view for which `predicate(view)` is true. */
  last(predicate) {
    return this.#views.findLast(predicate);
  }

  /** Whether an own message with this post id is shown as confirmed. */
  hasOwn(id) {
    return this.#views.some(({ pending, element }) => !pending && element.dataset.id === id && "mine" in element.dataset);
  }

  /**
   * Add and update messages that the socket has delivered.
   *
   * @param unseen how many of them are new
   */
  upsert(messages, { you, unseen = 0 }) {
    const shown = this.#messageWindow.add(messages);
    this.#preserveScroll(() => this.#upsertAll(shown, you));
    if (unseen && !this.atBottom) this.#unseen += unseen;
    this.#updatePill();
  }

  /**
   * Show a page, as accepted by the window: above, below, or instead of the shown messages. The scroll position is
   * preserved if its message is still shown.
   */
  showPage({ messages, replaces }, { you }) {
    const change = () => {
      if (replaces) this.#clear();
      this.#upsertAll(messages, you);
      this.#placePending();
      this.#list.dispatchEvent(new CustomEvent("window-change"));
      this.#updateNewMarker();
    };
    this.#preserveScroll(change, { follow: false });
    this.#onScroll();
  }

  /** Remove all confirmed messages and show these, the newest page. */
  reset(messages, { you, more }) {
    this.#messageWindow.reset(messages, { more });
    this.showPage({ messages, replaces: true }, { you });
    this.toBottom();
  }

  /** Name the days anew: “Today” is “Yesterday” after midnight. */
  updateDays() {
    this.#updateAllGrouping();
  }

  /** Scroll to a message, or to the next one if it does not exist, and mark it. */
  scrollTo(seq) {
    const view = this.#views[this.#indexOf(seq)];
    this.mark(seq);
    if (!view) return;
    view.element.scrollIntoView({ block: "center" });
    view.element.tabIndex = -1;
    view.element.focus({ preventScroll: true });
    this.#onScroll();
  }

  /** Mark a message as the target of a link or search; `null` removes the mark. */
  mark(seq) {
    for (const item of this.#list.querySelectorAll("[data-marked]")) item.removeAttribute("data-marked");
    if (seq !== null && this.has(seq)) this.#views[this.#indexOf(seq)].element.toggleAttribute("data-marked", true);
  }

  showPost(post, you) {
    const known = this.#pending(post.id);
    this.#preserveScroll(() => {
      const view = known ?? MessageView.create(this.#shared);
      view.showPost(post, you);
      if (known) return;
      if (this.#messageWindow.isLive) this.#insert(view, this.#views.length);
      else this.#hiddenPending.push(view);
    });
  }

  confirmPost(id, seq) {
    const view = this.#pending(id);
    if (!view) return;
    this.#preserveScroll(() => {
      this.#detach(view);
      view.confirm(seq);
      this.#insert(view, this.#indexOf(seq));
    });
  }

  removePost(id) {
    const view = this.#pending(id);
    if (!view) return;
    this.#preserveScroll(() => {
      this.#detach(view);
      view.element.remove();
    });
  }

  toBottom() {
    this.#scroller.scrollTop += this.#distance();
    this.#onScroll();
  }

  // List

  #upsertAll(messages, you) {
    for (const message of messages) this.#upsert(message, you);
  }

  #clear() {
    for (const view of this.#views) if (!view.pending) view.element.remove();
    this.#views = this.#views.filter(({ pending }) => pending);
    this.#updateAllGrouping();
  }

  /** Show pending posts only at the live end. */
  #placePending() {
    if (this.#messageWindow.isLive) {
      for (const view of this.#hiddenPending.splice(0)) this.#insert(view, this.#views.length);
      return;
    }
    const posts = this.#views.splice(this.#findFirst(({ pending }) => pending));
    for (const { element } of posts) element.remove();
    this.#hiddenPending.push(...posts);
  }

  #updateNewMarker() {
    this.#list.querySelector("[data-starts-new]")?.removeAttribute("data-starts-new");
    if (this.#newFrom === null) return;
    const isNew = ({ pending, element }) => !pending && !("mine" in element.dataset);
    this.#views.slice(this.#indexOf(this.#newFrom)).find(isNew)?.element.toggleAttribute("data-starts-new", true);
  }

  #upsert(message, you) {
    const mine = message.author.key === you.key;
    const index = this.#indexOf(message.seq);
    const known = this.#views[index];
    if (known?.seq === message.seq) {
      if (known.rev > message.rev) return;
      known.show(message, { mine, you });
      this.#updateGroupingAround(index);
      for (const view of this.#views) view.updateQuote(message);
      return;
    }
    const post = mine ? this.#pending(message.id) : undefined;
    if (post) this.#detach(post);
    const view = post ?? MessageView.create(this.#shared);
    view.show(message, { mine, you });
    this.#insert(view, index);
  }

  /** The index of the confirmed message with this sequence number, or where it would be inserted. */
  #indexOf(seq) {
    return this.#findFirst((view) => view.seq >= seq);
  }

  #insert(view, index) {
    const before = this.#views[index]?.element ?? null;
    this.#views.splice(index, 0, view);
    // An element in the right position is not moved, because screen readers would announce it again.
    if (!view.element.isConnected || view.element.nextElementSibling !== before) this.#list.insertBefore(view.element, before);
    this.#updateGroupingAround(index);
  }

  /** Remove a view from the order, but not from the page. */
  #detach(view) {
    if (this.#hiddenPending.includes(view)) return void this.#hiddenPending.splice(this.#hiddenPending.indexOf(view), 1);
    const index = this.#views.indexOf(view);
    this.#views.splice(index, 1);
    this.#updateGroupingAround(index);
  }

  #pending(id) {
    return [...this.#views, ...this.#hiddenPending].find(({ pending, element }) => pending && element.dataset.id === id);
  }

  #updateGroupingAround(index) {
    for (const at of [index, index + 1]) this.#views[at]?.updateGrouping(this.#views[at - 1]);
  }

  #updateAllGrouping() {
    this.#views.forEach((view, index) => view.updateGrouping(this.#views[index - 1]));
  }

  /** Remove messages far from the visible ones, `first` to `last`; without `last`, the end is visible. */
  #trim(first, last) {
    const views = this.#views;
    if (views.length <= KEEP_AROUND + TRIM_SLACK) return;
    const confirmed = this.#findFirst(({ pending }) => pending);
    const indexOf = (view) => (view ? views.indexOf(view) : confirmed - 1);
    const [start, end] = [indexOf(first), Math.min(indexOf(last), confirmed - 1)];
    if (start < 0 || end < 0) return; // all messages were replaced
    const [above, below] = [start, confirmed - 1 - end].map((many) => (many > KEEP_AROUND + TRIM_SLACK ? many - KEEP_AROUND : 0));
    if (below) {
      this.#messageWindow.trim({ newest: views[confirmed - 1 - below].seq });
      this.#placePending();
      for (const { element } of views.splice(confirmed - below)) element.remove();
    }
    if (above) {
      for (const { element } of views.splice(0, above)) element.remove();
      views[0].updateGrouping();
      this.#messageWindow.trim({ oldest: views[0].seq });
    }
    if (above || below) this.#list.dispatchEvent(new CustomEvent("window-change"));
  }

  // Moving between messages with the arrow keys

  #onKeydown(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const item = event.target.closest("li");
    if (!step || event.altKey || event.ctrlKey || event.metaKey || (item && item !== event.target)) return;
    const index = item ? this.#views.findIndex(({ element }) => element === item) + step : this.#views.length - 1;
    const element = this.#views[index]?.element;
    if (!element) return;
    event.preventDefault();
    element.tabIndex = -1;
    element.focus({ preventScroll: true });
    element.scrollIntoView({ block: "nearest" });
  }

  // Scroll position

  /**
   * Distance of the end of the log from the lower edge in pixels, independent of the scroll direction in the style
   * sheet.
   */
  #distance() {
    const end = this.#scroller.firstElementChild.getBoundingClientRect().bottom;
    return Math.round(end - this.#scroller.getBoundingClientRect().bottom + this.#borderBottom());
  }

  #borderBottom() {
    return this.#scroller.offsetHeight - this.#scroller.clientHeight - this.#scroller.clientTop;
  }

  /** @param follow keep the end of the log in place rather than the first visible message */
  #preserveScroll(change, { follow = this.atBottom } = {}) {
    const [first, last] = this.#visibleRange();
    const [seq, before] = [first?.seq, first?.element.getBoundingClientRect().top];
    change();
    this.#trim(first, follow ? undefined : last);
    if (follow) return this.toBottom();
    // The first visible message may have been replaced.
    const anchor = first?.element.isConnected ? first : this.has(seq) && this.#views[this.#indexOf(seq)];
    if (anchor) this.#scroller.scrollTop += anchor.element.getBoundingClientRect().top - before;
  }

  /** The first and the last visible message. */
  #visibleRange() {
    const { top, bottom } = this.#scroller.getBoundingClientRect();
    const first = this.#findFirst(({ element }) => element.getBoundingClientRect().bottom > top);
    const below = this.#findFirst(({ element }) => element.getBoundingClientRect().top >= bottom);
    return [this.#views[first], this.#views[Math.max(first, below - 1)]];
  }

  /** Binary search: the index of the first view for which the predicate is true; it is true for all following ones. */
  #findFirst(predicate) {
    let [low, high] = [0, this.#views.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (predicate(this.#views[middle])) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #onScroll() {
    const { atBottom } = this;
    if (atBottom) this.#unseen = 0;
    if (atBottom !== this.#wasAtBottom) this.#list.dispatchEvent(new CustomEvent(atBottom ? "reach-live" : "leave-live"));
    this.#wasAtBottom = atBottom;
    this.#updatePill();
  }

  #updatePill() {
    if (!this.#pill) return;
    const { strings } = this.#shared;
    const text = `↓ ${this.#unseen ? pluralize(strings.new, this.#unseen) : strings.newest}`;
    if (this.#pill.textContent !== text) this.#pill.textContent = text;
    this.#pill.hidden = this.#messageWindow.isLive && !this.#unseen && this.#distance() < PILL_FROM_PX;
  }
}
