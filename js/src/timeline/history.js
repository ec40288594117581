import { isPlain } from "../ui/plain_click.js";

const AHEAD_PX = 800; // begin to load this long before the reader gets there

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
  #words;
  #log;
  #position;
  #show;
  #tell;
  #loading = null;
  #wantsLive = false;
  #watch;

  /**
   * @param older, newer `{row, link}`: the links and the lines they stand in; there may be no newer one
   * @param newest links and buttons that lead to the newest messages
   * @param beginning what stands at the beginning of the room instead
   * @param url of the JSON
   * @param position `position()`: `{epoch, head}` of the session
   * @param show `show(shown)`, what {@link Stretch} made of a page
   * @param tell `tell(words)`: that a page for which the reader has asked cannot be had
   */
  constructor({ older, newer, newest, beginning, scroller, list, url, log, position, show, tell, words, signal }) {
    this.#rows = Object.entries({ older, newer }).filter(([, { row, link }]) => row && link);
    this.#beginning = beginning;
    this.#scroller = scroller;
    this.#url = url;
    this.#log = log;
    this.#position = position;
    this.#show = show;
    this.#tell = tell;
    this.#words = words;
    const asked = (link, act) => link?.addEventListener("click", (event) => isPlain(event) && act(event.preventDefault()), { signal });
    for (const [what, { link }] of this.#rows) asked(link, () => this.#load(what));
    for (const link of newest) asked(link, () => this.#return());
    const options = { root: scroller, rootMargin: `${AHEAD_PX}px 0px` };
    this.#watch = new IntersectionObserver((entries) => this.#seen(entries), options);
    // Only who scrolls up wants what is older: a short first page would otherwise load the whole room.
    const { row } = older;
    scroller.addEventListener("scroll", () => this.#watch.observe(row), { signal, once: true, passive: true });
    if (newer.row) this.#watch.observe(newer.row);
    list.addEventListener("extent", () => this.#showRows(), { signal });
    signal.addEventListener("abort", () => {
      this.#watch.disconnect();
      this.#loading?.abort();
    });
    this.#showRows();
  }

  /** Go to a message and mark it, wherever in the room it is. Whether the page around it could be had. */
  async goTo(seq) {
    this.#wantsLive = false;
    if (!this.#log.has(seq) && !(await this.#load("around", seq))) return false;
    this.#log.reveal(seq);
    return true;
  }

  /** Go to the newest messages. */
  async toLive() {
    this.#wantsLive = true;
    if (!this.#log.stretch.isLive && !(await this.#load("newest"))) return;
    this.#wantsLive = false;
    this.#log.mark(null);
    this.#log.toBottom();
  }

  /** There is a line again: what could not be had before can be now. */
  again() {
    if (this.#wantsLive) this.toLive();
  }

  /** So much was missed that the server does not tell it all: get what the reader is at, as it is now. */
  async renew() {
    const seq = this.#log.firstInSight;
    this.#log.stretch.cut({ newest: this.#log.newest });
    if (seq === null || !(await this.#load("around", seq))) this.#showRows();
  }

  /** From a button that is gone then: the focus goes where the messages are. */
  #return() {
    this.#scroller.focus({ preventScroll: true });
    this.toLive();
  }

  #seen(entries) {
    for (const { isIntersecting, target } of entries) {
      const [what] = this.#rows.find(([, { row }]) => row === target);
      if (isIntersecting && !this.#loading) this.#load(what);
    }
  }

  /** Whether it has come and is shown. A new one ends the one before. */
  async #load(what, place) {
    const { stretch } = this.#log;
    if ((what === "older" && stretch.begins) || (what === "newer" && stretch.isLive)) return false;
    this.#loading?.abort();
    const loading = (this.#loading = new AbortController());
    const asked = stretch.ask(what, this.#position(), place);
    const link = this.#rows.find(([name]) => name === what)?.[1].link;
    if (link) link.textContent = this.#words.loading;
    this.#scroller.setAttribute("aria-busy", "true");
    try {
      const shown = stretch.answer(asked, await this.#fetch(asked.query, loading.signal));
      if (shown) this.#show(shown);
      if (link) link.textContent = this.#words[what];
      if (this.#loading === loading) this.#again();
      return Boolean(shown);
    } catch (error) {
      stretch.forget(asked);
      if (link) link.textContent = error.name === "AbortError" ? this.#words[what] : this.#words.load_failed;
      else if (error.name !== "AbortError") this.#tell(this.#words.load_failed);
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
  #again() {
    for (const [, { row }] of this.#rows) {
      this.#watch.unobserve(row);
      this.#watch.observe(row);
    }
  }

  #showRows() {
    const { oldest, newest, begins, isLive } = this.#log.stretch;
    const places = { older: begins ? null : `?before=${oldest}`, newer: isLive ? null : `?after=${newest ?? 0}` };
    for (const [what, { row, link }] of this.#rows) {
      row.hidden = places[what] === null;
      if (!row.hidden) link.search = places[what];
    }
    if (this.#beginning) this.#beginning.hidden = !begins;
  }
}
