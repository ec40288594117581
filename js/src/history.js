const AHEAD_PX = 800; // begin to load this long before the reader gets there

/**
 * Older messages, on demand: before the reader reaches the top, or when they ask.
 *
 * The link is the one that works without a script; it stays as the button to press where scrolling does not do it.
 */
export class History {
  #link;
  #row;
  #beginning;
  #scroller;
  #url;
  #words;
  #show;
  #before;
  #loading = false;
  #signal;

  /** @param show `show(messages)`, oldest first */
  constructor({ link, row, beginning, scroller, url, words, before, show, signal }) {
    this.#link = link;
    this.#row = row;
    this.#beginning = beginning;
    this.#scroller = scroller;
    this.#url = url;
    this.#words = words;
    this.#show = show;
    this.#signal = signal;
    this.before = before;
    link.addEventListener("click", (event) => this.#asked(event), { signal });
    const watch = new IntersectionObserver(([entry]) => entry.isIntersecting && this.#load(), {
      root: scroller,
      rootMargin: `${AHEAD_PX}px 0px`,
    });
    // Only who scrolls up wants it: a short first page would otherwise load the whole room.
    scroller.addEventListener("scroll", () => watch.observe(row), { signal, once: true, passive: true });
    signal.addEventListener("abort", () => watch.disconnect());
    this.#watch = watch;
  }

  #watch;

  /** `seq` before which there are more, or null at the beginning of the room. */
  get before() {
    return this.#before;
  }

  set before(seq) {
    this.#before = seq;
    this.#row.hidden = seq === null;
    if (this.#beginning) this.#beginning.hidden = seq !== null;
    if (seq !== null) this.#link.search = `?before=${seq}`;
  }

  #asked(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    this.#load();
  }

  async #load() {
    if (this.#loading || this.#before === null) return;
    this.#loading = true;
    this.#link.textContent = this.#words.older_loading;
    this.#scroller.setAttribute("aria-busy", "true");
    try {
      const asked = this.#before;
      const page = await this.#fetch(asked);
      // A room that was started over in between has nothing to do with this page.
      if (asked === this.#before) {
        this.#show(page.messages.reverse());
        this.before = page.before;
      }
      this.#link.textContent = this.#words.older;
      this.#again();
    } catch (error) {
      if (error.name !== "AbortError") this.#link.textContent = this.#words.older_failed;
    } finally {
      this.#loading = false;
      this.#scroller.removeAttribute("aria-busy");
    }
  }

  async #fetch(before) {
    const url = new URL(this.#url, location.href);
    url.searchParams.set("before", before);
    const response = await fetch(url, { headers: { Accept: "application/json" }, signal: this.#signal });
    if (!response.ok) throw new Error(`${response.status} for ${url}`);
    return response.json();
  }

  /** An observer tells of changes only: if the page just shown was short, the link is still in sight. */
  #again() {
    this.#watch.unobserve(this.#row);
    this.#watch.observe(this.#row);
  }
}
