import { MessageView } from "./message_view.js";
import { Stretch } from "./message_window.js";
import { counted } from "../ui/plurals.js";

const AT_BOTTOM_PX = 48; // this close to the end counts as being there
const FAR_PX = 600; // this far away there is a button back
const KEPT_AROUND = 200; // messages kept above and below those in sight
const SLACK = 100; // so many more, before any are taken out

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
  #house;
  #stretch;
  #views = []; // confirmed, by seq; then pending, in the order of writing
  #hidden = []; // pending, while the live end is not shown
  #unseen = 0;
  #newFrom = null;
  #wasAtBottom = true;

  /**
   * @param startsAt `{begins, isLive}`: what the server has rendered
   * @param read the place up to which the person has read
   */
  constructor({ scroller, list, pill, house, startsAt, read, signal }) {
    super();
    this.#scroller = scroller;
    this.#list = list;
    this.#pill = pill;
    this.#house = house;
    for (const item of list.querySelectorAll("li[data-state]")) item.remove();
    this.#views = Array.from(list.querySelectorAll("li[data-seq]"), (item) => new MessageView(item, house));
    this.#stretch = new Stretch({ oldest: this.#views[0]?.seq, newest: this.#views.at(-1)?.seq, ...startsAt });
    if (list.querySelector("[data-starts-new]")) this.#newFrom = read + 1;
    this.#relateAll();
    this.#wasAtBottom = this.atBottom;
    scroller.addEventListener("scroll", () => this.#scrolled(), { signal, passive: true });
    scroller.addEventListener("keydown", (event) => this.#pressed(event), { signal });
    this.#showPill();
  }

  /** Which part of the log is shown. */
  get stretch() {
    return this.#stretch;
  }

  /** `seq` of the newest message shown that the server has. */
  get newest() {
    return this.#views.findLast(({ pending }) => !pending)?.seq ?? null;
  }

  /** Say “New” above the message with this number, or the first one after it that is somebody else's. */
  beginNew(seq) {
    this.#newFrom = seq;
    this.#showNew();
  }

  /** The newest message of the room is shown, and its end is in sight. */
  get atBottom() {
    return this.#stretch.isLive && this.#distance() <= AT_BOTTOM_PX;
  }

  /** `seq` of the first message in sight. */
  get firstInSight() {
    const [first] = this.#inSight();
    return first && !first.pending ? first.seq : null;
  }

  /** Is the message with this number in the page? */
  has(seq) {
    return this.#views[this.#placeOf(seq)]?.seq === seq;
  }

  /** What stands behind an `<li>`. */
  viewOf(item) {
    return this.#views.find(({ element }) => element === item);
  }

  /** The last message that `isIt(view)` is true of. */
  last(isIt) {
    return this.#views.findLast(isIt);
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
    const shown = this.#stretch.admit(messages);
    this.#keepPlace(() => this.#upsertAll(shown, you));
    if (unseen && !this.atBottom) this.#unseen += unseen;
    this.#showPill();
  }

  /**
   * A page has come, as the stretch has told: put it above or below, or in the place of what is shown. Nobody is moved,
   * unless the message that they read is not in it.
   */
  showPage({ messages, replaces }, { you }) {
    const change = () => {
      if (replaces) this.#clear();
      this.#upsertAll(messages, you);
      this.#placePosts();
      this.#list.dispatchEvent(new CustomEvent("extent"));
      this.#showNew();
    };
    this.#keepPlace(change, { follow: false });
    this.#scrolled();
  }

  /** Forget every confirmed message, show these instead: the newest page. */
  startOver(messages, { you, more }) {
    this.#stretch.startOver(messages, { more });
    this.showPage({ messages, replaces: true }, { you });
    this.toBottom();
  }

  /** Go to a message, or if it is not there to the next one, and mark it. */
  reveal(seq) {
    const view = this.#views[this.#placeOf(seq)];
    this.mark(seq);
    if (!view) return;
    view.element.scrollIntoView({ block: "center" });
    view.element.tabIndex = -1;
    view.element.focus({ preventScroll: true });
    this.#scrolled();
  }

  /** Mark a message as the one that was looked for; `null` marks none. */
  mark(seq) {
    for (const item of this.#list.querySelectorAll("[data-marked]")) item.removeAttribute("data-marked");
    if (seq !== null && this.has(seq)) this.#views[this.#placeOf(seq)].element.toggleAttribute("data-marked", true);
  }

  showPost(post, you) {
    const known = this.#pending(post.id);
    this.#keepPlace(() => {
      const view = known ?? MessageView.create(this.#house);
      view.showPost(post, you);
      if (known) return;
      if (this.#stretch.isLive) this.#insert(view, this.#views.length);
      else this.#hidden.push(view);
    });
  }

  confirmPost(id, seq) {
    const view = this.#pending(id);
    if (!view) return;
    this.#keepPlace(() => {
      this.#take(view);
      view.confirm(seq);
      this.#insert(view, this.#placeOf(seq));
    });
  }

  removePost(id) {
    const view = this.#pending(id);
    if (!view) return;
    this.#keepPlace(() => {
      this.#take(view);
      view.element.remove();
    });
  }

  toBottom() {
    this.#scroller.scrollTop += this.#distance();
    this.#scrolled();
  }

  // The list

  #upsertAll(messages, you) {
    for (const message of messages) this.#upsert(message, you);
  }

  #clear() {
    for (const view of this.#views) if (!view.pending) view.element.remove();
    this.#views = this.#views.filter(({ pending }) => pending);
    this.#relateAll();
  }

  /** Posts under way come last at the live end, and nowhere else. */
  #placePosts() {
    if (this.#stretch.isLive) {
      for (const view of this.#hidden.splice(0)) this.#insert(view, this.#views.length);
      return;
    }
    const posts = this.#views.splice(this.#first(({ pending }) => pending));
    for (const { element } of posts) element.remove();
    this.#hidden.push(...posts);
  }

  #showNew() {
    this.#list.querySelector("[data-starts-new]")?.removeAttribute("data-starts-new");
    if (this.#newFrom === null) return;
    const isNew = ({ pending, element }) => !pending && !("mine" in element.dataset);
    this.#views.slice(this.#placeOf(this.#newFrom)).find(isNew)?.element.toggleAttribute("data-starts-new", true);
  }

  #upsert(message, you) {
    const mine = message.author.key === you.key;
    const place = this.#placeOf(message.seq);
    const known = this.#views[place];
    if (known?.seq === message.seq) {
      if (known.rev > message.rev) return;
      known.show(message, { mine, you });
      this.#relateAround(place);
      for (const view of this.#views) view.requote(message);
      return;
    }
    const post = mine ? this.#pending(message.id) : undefined;
    if (post) this.#take(post);
    const view = post ?? MessageView.create(this.#house);
    view.show(message, { mine, you });
    this.#insert(view, place);
  }

  /** Where a confirmed message with this number is, or would be. */
  #placeOf(seq) {
    return this.#first((view) => view.seq >= seq);
  }

  #insert(view, place) {
    const before = this.#views[place]?.element ?? null;
    this.#views.splice(place, 0, view);
    // An element that stands where it should is not touched, or screen readers would say it twice.
    if (!view.element.isConnected || view.element.nextElementSibling !== before) this.#list.insertBefore(view.element, before);
    this.#relateAround(place);
  }

  /** Out of the order, though not out of the page. */
  #take(view) {
    if (this.#hidden.includes(view)) return void this.#hidden.splice(this.#hidden.indexOf(view), 1);
    const place = this.#views.indexOf(view);
    this.#views.splice(place, 1);
    this.#relateAround(place);
  }

  #pending(id) {
    return [...this.#views, ...this.#hidden].find(({ pending, element }) => pending && element.dataset.id === id);
  }

  #relateAround(place) {
    for (const index of [place, place + 1]) this.#views[index]?.relate(this.#views[index - 1]);
  }

  #relateAll() {
    this.#views.forEach((view, index) => view.relate(this.#views[index - 1]));
  }

  /** Take out what is far from the messages in sight, `first` to `last`; without a last one, the end is. */
  #trim(first, last) {
    const views = this.#views;
    if (views.length <= KEPT_AROUND + SLACK) return;
    const confirmed = this.#first(({ pending }) => pending);
    const place = (view) => (view ? views.indexOf(view) : confirmed - 1);
    const [start, end] = [place(first), Math.min(place(last), confirmed - 1)];
    if (start < 0 || end < 0) return; // it was all put there anew
    const [above, below] = [start, confirmed - 1 - end].map((many) => (many > KEPT_AROUND + SLACK ? many - KEPT_AROUND : 0));
    if (below) {
      this.#stretch.cut({ newest: views[confirmed - 1 - below].seq });
      this.#placePosts();
      for (const { element } of views.splice(confirmed - below)) element.remove();
    }
    if (above) {
      for (const { element } of views.splice(0, above)) element.remove();
      views[0].relate();
      this.#stretch.cut({ oldest: views[0].seq });
    }
    if (above || below) this.#list.dispatchEvent(new CustomEvent("extent"));
  }

  // From message to message with the arrow keys

  #pressed(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const item = event.target.closest("li");
    if (!step || event.altKey || event.ctrlKey || event.metaKey || (item && item !== event.target)) return;
    const place = item ? this.#views.findIndex(({ element }) => element === item) + step : this.#views.length - 1;
    const element = this.#views[place]?.element;
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
  #keepPlace(change, { follow = this.atBottom } = {}) {
    const [first, last] = this.#inSight();
    const [seq, before] = [first?.seq, first?.element.getBoundingClientRect().top];
    change();
    this.#trim(first, follow ? undefined : last);
    if (follow) return this.toBottom();
    // What was read may have been put there anew.
    const anchor = first?.element.isConnected ? first : this.has(seq) && this.#views[this.#placeOf(seq)];
    if (anchor) this.#scroller.scrollTop += anchor.element.getBoundingClientRect().top - before;
  }

  /** The first and the last message that can be seen. */
  #inSight() {
    const { top, bottom } = this.#scroller.getBoundingClientRect();
    const first = this.#first(({ element }) => element.getBoundingClientRect().bottom > top);
    const below = this.#first(({ element }) => element.getBoundingClientRect().top >= bottom);
    return [this.#views[first], this.#views[Math.max(first, below - 1)]];
  }

  /** The index of the first message of which this is true, as it is of all that follow. */
  #first(isSo) {
    let [low, high] = [0, this.#views.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isSo(this.#views[middle])) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #scrolled() {
    const { atBottom } = this;
    if (atBottom) this.#unseen = 0;
    if (atBottom !== this.#wasAtBottom) this.#list.dispatchEvent(new CustomEvent(atBottom ? "arrived" : "departed"));
    this.#wasAtBottom = atBottom;
    this.#showPill();
  }

  #showPill() {
    if (!this.#pill) return;
    const { words } = this.#house;
    const text = `↓ ${this.#unseen ? counted(words.new, this.#unseen) : words.newest}`;
    if (this.#pill.textContent !== text) this.#pill.textContent = text;
    this.#pill.hidden = this.#stretch.isLive && !this.#unseen && this.#distance() < FAR_PX;
  }
}
