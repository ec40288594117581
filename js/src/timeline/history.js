import { isPlainClick } from "../ui/plain_click.js";

const PRELOAD_PX = 800; // distance from the end of the shown messages at which loading starts

/**
 * Loads pages of the log: older and newer ones before the user reaches the end of the shown messages, the page around
 * a message, and the newest page.
 *
 * The links also work without JavaScript. They remain as buttons for when scrolling does not trigger loading.
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
   * @param older, newer `{row, link}`: the links and the rows that contain them; `newer` may be missing
   * @param newest links and buttons that lead to the newest messages
   * @param beginning shown instead of the link to older messages at the start of the room
   * @param url URL of the JSON view
   * @param position `position()`: `{epoch, head}` of the session
   * @param show `show(page)`, with the result of {@link MessageWindow.accept}
   * @param onError `onError(text)`: a page that the user requested cannot be loaded
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
    // Observe only after the first scrolling: otherwise a short first page would load the whole room.
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

  /** Scroll to a message and mark it. Resolves to whether its page could be loaded. */
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

  /** The connection is back: retry to load the newest page. */
  retry() {
    if (this.#wantsLive) this.toLive();
  }

  /** The client has missed too many messages: reload the page around the messages that are visible. */
  async reload() {
    const seq = this.#log.firstVisible;
    this.#log.messageWindow.trim({ newest: this.#log.newest });
    if (seq === null || !(await this.#load("around", seq))) this.#showRows();
  }

  /** The button disappears, so the focus moves to the log. */
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

  /** Load a page; a new request aborts the previous one. Resolves to whether it was shown. */
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

  /** An observer reports only changes: after a short page, the link may still be visible. */
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
