import { isPlainClick } from "../ui/plain_click.js";

const PRELOAD_PX = 800; // begin to load this long before the reader gets there

/**
 * Pages of the log, on demand: older and newer ones before the reader gets to the end of what is shown, the one around a
 * message that they go to, and the newest one when they come back.
 *
 * The links are the ones that work without a script; they stay as the buttons to press where scrolling does not do it.
 */
export class History {
  #rows;
  #beginning;
  #scroller;
  #url;
  #strings;
  #log;
  #position;
  #show;
  #onError;
  #loading = null;
  #wantsLive = false;
  #observer;

  /**
   * @param older, newer `{row, link}`: the links and the lines they stand in; there may be no newer one
   * @param newest links and buttons that lead to the newest messages
   * @param beginning what stands at the beginning of the room instead
   * @param url of the JSON
   * @param position `position()`: `{epoch, head}` of the session
   * @param show `show(shown)`, what {@link Stretch} made of a page
   * @param tell `tell(words)`: that a page for which the reader has asked cannot be had
   */
  constructor({ older, newer, newest, beginning, scroller, list, url, log, position, show, onError, strings, signal }) {
    this.#rows = Object.entries({ older, newer }).filter(([, { row, link }]) => row && link);
    this.#beginning = beginning;
    this.#scroller = scroller;
    this.#url = url;
    this.#log = log;
    this.#position = position;
    this.#show = show;
    this.#onError = onError;
    this.#strings = strings;
    const onClick = (link, act) => link?.addEventListener("click", (event) => isPlainClick(event) && act(event.preventDefault()), { signal });
    for (const [what, { link }] of this.#rows) onClick(link, () => this.#load(what));
    for (const link of newest) onClick(link, () => this.#onReturn());
    const options = { root: scroller, rootMargin: `${PRELOAD_PX}px 0px` };
    this.#observer = new IntersectionObserver((entries) => this.#onIntersect(entries), options);
    // Only who scrolls up wants what is older: a short first page would otherwise load the whole room.
    const { row } = older;
    scroller.addEventListener("scroll", () => this.#observer.observe(row), { signal, once: true, passive: true });
    if (newer.row) this.#observer.observe(newer.row);
    list.addEventListener("window-change", () => this.#showRows(), { signal });
    signal.addEventListener("abort", () => {
      this.#observer.disconnect();
      this.#loading?.abort();
    });
    this.#showRows();
  }

  /** Go to a message and mark it, wherever in the room it is. Whether the page around it could be had. */
  async goTo(seq) {
    this.#wantsLive = false;
    if (!this.#log.has(seq) && !(await this.#load("around", seq))) return false;
    this.#log.scrollTo(seq);
    return true;
  }

  /** Go to the newest messages. */
  async toLive() {
    this.#wantsLive = true;
    if (!this.#log.messageWindow.isLive && !(await this.#load("newest"))) return;
    this.#wantsLive = false;
    this.#log.mark(null);
    this.#log.toBottom();
  }

  /** There is a line again: what could not be had before can be now. */
  retry() {
    if (this.#wantsLive) this.toLive();
  }

  /** So much was missed that the server does not tell it all: get what the reader is at, as it is now. */
  async reload() {
    const seq = this.#log.firstVisible;
    this.#log.messageWindow.trim({ newest: this.#log.newest });
    if (seq === null || !(await this.#load("around", seq))) this.#showRows();
  }

  /** From a button that is gone then: the focus goes where the messages are. */
  #onReturn() {
    this.#scroller.focus({ preventScroll: true });
    this.toLive();
  }

  #onIntersect(entries) {
    for (const { isIntersecting, target } of entries) {
      const [what] = this.#rows.find(([, { row }]) => row === target);
      if (isIntersecting && !this.#loading) this.#load(what);
    }
  }

  /** Whether it has come and is shown. A new one ends the one before. */
  async #load(what, seq) {
    const { messageWindow } = this.#log;
    if ((what === "older" && messageWindow.isAtStart) || (what === "newer" && messageWindow.isLive)) return false;
    this.#loading?.abort();
    const loading = (this.#loading = new AbortController());
    const request = messageWindow.request(what, this.#position(), seq);
    const link = this.#rows.find(([name]) => name === what)?.[1].link;
    if (link) link.textContent = this.#strings.loading;
    this.#scroller.setAttribute("aria-busy", "true");
    try {
      const page = messageWindow.accept(request, await this.#fetch(request.query, loading.signal));
      if (page) this.#show(page);
      if (link) link.textContent = this.#strings[what];
      if (this.#loading === loading) this.#observeAgain();
      return Boolean(page);
    } catch (error) {
      messageWindow.cancel(request);
      if (link) link.textContent = error.name === "AbortError" ? this.#strings[what] : this.#strings.load_failed;
      else if (error.name !== "AbortError") this.#onError(this.#strings.load_failed);
      return false;
    } finally {
      if (this.#loading === loading) {
        this.#loading = null;
        this.#scroller.removeAttribute("aria-busy");
      }
    }
  }

  async #fetch(query, signal) {
    const url = new URL(this.#url, location.href);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const response = await fetch(url, { headers: { Accept: "application/json" }, signal });
    if (!response.ok) throw new Error(`${response.status} for ${url}`);
    return response.json();
  }

  /** An observer tells of changes only: if the page just shown was short, the link is still in sight. */
  #observeAgain() {
    for (const [, { row }] of this.#rows) {
      this.#observer.unobserve(row);
      this.#observer.observe(row);
    }
  }

  #showRows() {
    const { oldest, newest, isAtStart, isLive } = this.#log.messageWindow;
    const queries = { older: isAtStart ? null : `?before=${oldest}`, newer: isLive ? null : `?after=${newest ?? 0}` };
    for (const [what, { row, link }] of this.#rows) {
      row.hidden = queries[what] === null;
      if (!row.hidden) link.search = queries[what];
    }
    if (this.#beginning) this.#beginning.hidden = !isAtStart;
  }
}
