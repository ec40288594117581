import { MessageView } from "./message_view.js";
import { counted } from "./words.js";

const AT_BOTTOM_PX = 48; // this close to the end counts as being there
const FAR_PX = 600; // this far away there is a button back
const TRIM_ABOVE = 400; // messages kept in the page while the reader is at the bottom
const TRIM_TO = 300;

/**
 * The messages of a room, in order: confirmed ones by `seq`, then those still on their way.
 *
 * Whoever is at the bottom stays there; whoever reads further up is not moved by a pixel. The scroller is a
 * reversed flex box (see roomchat.css), so that a page is at its newest message before any script has run.
 *
 * `news` is dispatched on it when messages have come that nobody had seen: `detail = {news, others}`, both by `seq`.
 */
export class LogView extends EventTarget {
  #scroller;
  #list;
  #pill;
  #house;
  #views = []; // confirmed, by seq; then pending, in the order of writing
  #unseen = 0;
  #wasAtBottom = true;

  constructor({ scroller, list, pill, house, signal }) {
    super();
    this.#scroller = scroller;
    this.#list = list;
    this.#pill = pill;
    this.#house = house;
    for (const item of list.querySelectorAll("li[data-state]")) item.remove();
    this.#views = Array.from(list.querySelectorAll("li[data-seq]"), (item) => new MessageView(item, house));
    this.#relateAll();
    scroller.addEventListener("scroll", () => this.#scrolled(), { signal, passive: true });
    pill?.addEventListener("click", () => this.toBottom(), { signal });
    scroller.addEventListener("keydown", (event) => this.#pressed(event), { signal });
  }

  /** `seq` of the oldest message shown. */
  get oldest() {
    const view = this.#views[0];
    return view && !view.pending ? view.seq : null;
  }

  /** `seq` of the newest message shown that the server has. */
  get newest() {
    return this.#views.findLast(({ pending }) => !pending)?.seq ?? null;
  }

  /** Say “New” above the message with this number, or the first one after it. */
  beginNew(seq) {
    this.#list.querySelector("[data-starts-new]")?.removeAttribute("data-starts-new");
    this.#views[this.#placeOf(seq)]?.element.toggleAttribute("data-starts-new", true);
  }

  get atBottom() {
    return this.#distance() <= AT_BOTTOM_PX;
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
   * Add and change messages. Those before `since`, the oldest that the page may know, are left out: they belong
   * to pages not loaded yet.
   */
  upsert(messages, { you, since = 0, unseen = 0 }) {
    this.#keepPlace(() => {
      for (const message of messages) if (message.seq >= since) this.#upsert(message, you);
      this.#trim();
    });
    if (unseen && !this.atBottom) this.#unseen += unseen;
    this.#showPill();
  }

  /** Put older messages on top. */
  prepend(messages, { you }) {
    this.#keepPlace(() => {
      for (const message of messages) this.#upsert(message, you);
    });
  }

  /** Forget every confirmed message, show these instead. */
  reset(messages, { you }) {
    for (const view of this.#views) if (!view.pending) view.element.remove();
    this.#views = this.#views.filter(({ pending }) => pending);
    this.#relateAll();
    for (const message of messages) this.#upsert(message, you);
    this.#unseen = 0;
    this.toBottom();
  }

  showPost(post, you) {
    const known = this.#pending(post.id);
    this.#keepPlace(() => {
      const view = known ?? MessageView.create(this.#house);
      view.showPost(post, you);
      if (!known) this.#insert(view, this.#views.length);
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
    let [low, high] = [0, this.#views.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#views[middle].seq < seq) low = middle + 1;
      else high = middle;
    }
    return low;
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
    const place = this.#views.indexOf(view);
    this.#views.splice(place, 1);
    this.#relateAround(place);
  }

  #pending(id) {
    return this.#views.find(({ pending, element }) => pending && element.dataset.id === id);
  }

  #relateAround(place) {
    for (const index of [place, place + 1]) this.#views[index]?.relate(this.#views[index - 1]);
  }

  #relateAll() {
    this.#views.forEach((view, index) => view.relate(this.#views[index - 1]));
  }

  #trim() {
    if (this.#views.length <= TRIM_ABOVE || !this.atBottom) return;
    for (const { element } of this.#views.splice(0, this.#views.length - TRIM_TO)) element.remove();
    this.#views[0].relate();
    this.#list.dispatchEvent(new CustomEvent("trimmed"));
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

  #keepPlace(change) {
    if (this.atBottom) {
      change();
      this.toBottom();
      return;
    }
    const anchor = this.#anchor();
    const before = anchor?.getBoundingClientRect().top;
    change();
    if (anchor?.isConnected) this.#scroller.scrollTop += anchor.getBoundingClientRect().top - before;
  }

  /** The first message that can be seen. */
  #anchor() {
    const { top } = this.#scroller.getBoundingClientRect();
    let [low, high] = [0, this.#views.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#views[middle].element.getBoundingClientRect().bottom <= top) low = middle + 1;
      else high = middle;
    }
    return this.#views[low]?.element;
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
    this.#pill.hidden = !this.#unseen && this.#distance() < FAR_PX;
  }
}
