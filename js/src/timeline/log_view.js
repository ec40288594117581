import { pluralize } from "../ui/plurals.js";
import { MessageView } from "./message_view.js";
import { MessageWindow } from "./message_window.js";

const AT_BOTTOM_PX = 48; // this close to the end counts as being there
const PILL_FROM_PX = 600; // this far away there is a button back
const KEEP_AROUND = 200; // messages kept above and below those in sight
const TRIM_SLACK = 100; // so many more, before any are taken out

/**
 * The messages of a room, in order: confirmed ones by `seq`, then those still on their way.
 *
 * Whoever is at the bottom stays there; whoever reads further up is not moved by a pixel. The scroller is a
 * reversed flex box (see roomchat.css), so that a page is at its newest message before any script has run.
 *
 * It shows one stretch of the log ({@link Stretch}), and takes out what is far above and below the messages in sight, so that
 * a page that is open for days does not grow. Posts under way belong to the live end: while it is not shown, nor are they.
 *
 * `news` is dispatched on it when messages have come that nobody had seen: `detail = {news, others}`, both by `seq`. On its
 * list, `arrived` and `departed` say that the reader has come to the live end or left it, `extent` that the stretch has
 * another beginning or end.
 */
export class LogView extends EventTarget {
  #scroller;
  #list;
  #pill;
  #shared;
  #messageWindow;
  #views = []; // confirmed, by seq; then pending, in the order of writing
  #hiddenPending = []; // pending, while the live end is not shown
  #unseen = 0;
  #newFrom = null;
  #wasAtBottom = true;

  /**
   * @param startsAt `{begins, isLive}`: what the server has rendered
   * @param read the place up to which the person has read
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

  /** Which part of the log is shown. */
  get messageWindow() {
    return this.#messageWindow;
  }

  /** `seq` of the newest message shown that the server has. */
  get newest() {
    return this.#views.findLast(({ pending }) => !pending)?.seq ?? null;
  }

  /** Say “New” above the message with this number, or the first one after it that is somebody else's. */
  startNewMarker(seq) {
    this.#newFrom = seq;
    this.#updateNewMarker();
  }

  /** The newest message of the room is shown, and its end is in sight. */
  get atBottom() {
    return this.#messageWindow.isLive && this.#distance() <= AT_BOTTOM_PX;
  }

  /** `seq` of the first message in sight. */
  get firstVisible() {
    const [first] = this.#visibleRange();
    return first && !first.pending ? first.seq : null;
  }

  /** Is the message with this number in the page? */
  has(seq) {
    return this.#views[this.#indexOf(seq)]?.seq === seq;
  }

  /** What stands behind an `<li>`. */
  viewOf(item) {
    return this.#views.find(({ element }) => element === item);
  }

  /** The last message that `isIt(view)` is true of. */
  last(predicate) {
    return this.#views.findLast(predicate);
  }

  /** Does it show this message? Then a post of ours with this id has arrived. */
  hasOwn(id) {
    return this.#views.some(({ pending, element }) => !pending && element.dataset.id === id && "mine" in element.dataset);
  }

  /**
   * The socket has brought these: add and change messages.
   *
   * @param unseen how many of them nobody can have seen
   */
  upsert(messages, { you, unseen = 0 }) {
    const shown = this.#messageWindow.add(messages);
    this.#preserveScroll(() => this.#upsertAll(shown, you));
    if (unseen && !this.atBottom) this.#unseen += unseen;
    this.#updatePill();
  }

  /**
   * A page has come, as the stretch has told: put it above or below, or in the place of what is shown. Nobody is moved,
   * unless the message that they read is not in it.
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

  /** Forget every confirmed message, show these instead: the newest page. */
  reset(messages, { you, more }) {
    this.#messageWindow.reset(messages, { more });
    this.showPage({ messages, replaces: true }, { you });
    this.toBottom();
  }

  /** Go to a message, or if it is not there to the next one, and mark it. */
  scrollTo(seq) {
    const view = this.#views[this.#indexOf(seq)];
    this.mark(seq);
    if (!view) return;
    view.element.scrollIntoView({ block: "center" });
    view.element.tabIndex = -1;
    view.element.focus({ preventScroll: true });
    this.#onScroll();
  }

  /** Mark a message as the one that was looked for; `null` marks none. */
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

  // The list

  #upsertAll(messages, you) {
    for (const message of messages) this.#upsert(message, you);
  }

  #clear() {
    for (const view of this.#views) if (!view.pending) view.element.remove();
    this.#views = this.#views.filter(({ pending }) => pending);
    this.#updateAllGrouping();
  }

  /** Posts under way come last at the live end, and nowhere else. */
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

  /** Where a confirmed message with this number is, or would be. */
  #indexOf(seq) {
    return this.#findFirst((view) => view.seq >= seq);
  }

  #insert(view, index) {
    const before = this.#views[index]?.element ?? null;
    this.#views.splice(index, 0, view);
    // An element that stands where it should is not touched, or screen readers would say it twice.
    if (!view.element.isConnected || view.element.nextElementSibling !== before) this.#list.insertBefore(view.element, before);
    this.#updateGroupingAround(index);
  }

  /** Out of the order, though not out of the page. */
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

  /** Take out what is far from the messages in sight, `first` to `last`; without a last one, the end is. */
  #trim(first, last) {
    const views = this.#views;
    if (views.length <= KEEP_AROUND + TRIM_SLACK) return;
    const confirmed = this.#findFirst(({ pending }) => pending);
    const indexOf = (view) => (view ? views.indexOf(view) : confirmed - 1);
    const [start, end] = [indexOf(first), Math.min(indexOf(last), confirmed - 1)];
    if (start < 0 || end < 0) return; // it was all put there anew
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

  // From message to message with the arrow keys

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

  // The place of the reader

  /** How far the end of the messages is below the lower edge, whichever way the host's style sheet scrolls. */
  #distance() {
    const end = this.#scroller.firstElementChild.getBoundingClientRect().bottom;
    return Math.round(end - this.#scroller.getBoundingClientRect().bottom + this.#borderBottom());
  }

  #borderBottom() {
    return this.#scroller.offsetHeight - this.#scroller.clientHeight - this.#scroller.clientTop;
  }

  /** @param follow stay at the bottom, rather than with what is in sight */
  #preserveScroll(change, { follow = this.atBottom } = {}) {
    const [first, last] = this.#visibleRange();
    const [seq, before] = [first?.seq, first?.element.getBoundingClientRect().top];
    change();
    this.#trim(first, follow ? undefined : last);
    if (follow) return this.toBottom();
    // What was read may have been put there anew.
    const anchor = first?.element.isConnected ? first : this.has(seq) && this.#views[this.#indexOf(seq)];
    if (anchor) this.#scroller.scrollTop += anchor.element.getBoundingClientRect().top - before;
  }

  /** The first and the last message that can be seen. */
  #visibleRange() {
    const { top, bottom } = this.#scroller.getBoundingClientRect();
    const first = this.#findFirst(({ element }) => element.getBoundingClientRect().bottom > top);
    const below = this.#findFirst(({ element }) => element.getBoundingClientRect().top >= bottom);
    return [this.#views[first], this.#views[Math.max(first, below - 1)]];
  }

  /** The index of the first message of which this is true, as it is of all that follow. */
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
