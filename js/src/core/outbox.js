import { generateId } from "./identifiers.js";

const LOCK_PREFIX = "roomchat:tab:";
/** The tab is closing, or may not use locks (a sandboxed frame). */
const IGNORED_ERRORS = new Set(["AbortError", "SecurityError"]);

/**
 * Stores the posts that the server has not acknowledged, so that they survive a reload. Drafts are stored in the same
 * way, with another `kind`.
 *
 * Each post is one entry in `localStorage`, with the id of the tab that sends it. A tab holds a Web Lock while it is
 * open. Another tab that is granted this lock knows that the first one is closed, and takes over its posts. A post
 * therefore always belongs to exactly one tab. If a post were sent twice nevertheless, its id would make it one
 * message.
 *
 * Without Web Locks, use the storage of the tab (`sessionStorage`): posts then survive a reload, but not the closing
 * of the tab.
 */
export class Outbox {
  #storage;
  #locks;
  #tab = generateId();
  #prefix;
  #watched = new Set();
  #closing;

  /**
   * @param storage {@link SafeStorage}
   * @param locks `navigator.locks`, or undefined
   * @param author key of the author: posts of one user are never sent as another
   * @param kind `post` or `draft`
   */
  constructor({ storage, locks, author, room, kind = "post" }) {
    this.#storage = storage;
    this.#locks = locks;
    this.#prefix = `${[`roomchat:${kind}`, author, room].map(encodeURIComponent).join(":")}:`;
  }

  /** Take the lock of this tab. */
  open() {
    if (this.#closing) return;
    this.#closing = new AbortController();
    const closed = new Promise((resolve) => this.#closing.signal.addEventListener("abort", resolve));
    this.#request(this.#tab, () => closed);
  }

  /** Release the lock when the page is closed or enters the back-forward cache: other tabs may take over the posts. */
  close() {
    this.#closing?.abort();
    this.#closing = undefined;
    this.#watched.clear();
  }

  save(post) {
    this.#storage.set(this.#prefix + post.id, JSON.stringify({ ...post, tab: this.#tab }));
  }

  remove(id) {
    this.#storage.remove(this.#prefix + id);
  }

  /** The posts of this tab, oldest first. */
  own() {
    return this.#posts((tab) => tab === this.#tab);
  }

  /**
   * Call `onPosts(posts)` with the posts of closed tabs: immediately, and whenever another tab is closed.
   *
   * @param signal ends the watch of the other tabs; without it, `close()` does
   */
  adopt(onPosts, { signal } = {}) {
    if (!this.#closing) return;
    const others = new Set(this.#entries().map(({ tab }) => tab));
    others.delete(this.#tab);
    if (!this.#locks) {
      if (others.size) this.#take(others, onPosts);
      return;
    }
    for (const tab of others) {
      if (this.#watched.has(tab)) continue;
      this.#watched.add(tab);
      this.#request(tab, () => {
        this.#watched.delete(tab);
        this.#take(new Set([tab]), onPosts);
      }, signal);
    }
  }

  #take(tabs, onPosts) {
    const posts = this.#posts((tab) => tabs.has(tab));
    for (const post of posts) this.save(post);
    if (posts.length) onPosts(posts);
  }

  #posts(isWanted) {
    return this.#entries()
      .filter(({ tab }) => isWanted(tab))
      .sort((one, other) => one.at - other.at)
      .map(({ tab: _tab, ...post }) => post);
  }

  #entries() {
    return this.#storage.keys(this.#prefix).flatMap((key) => {
      try {
        const entry = JSON.parse(this.#storage.get(key));
        return typeof entry.id === "string" && typeof entry.body === "string" ? [entry] : [];
      } catch {
        return []; // Another script has written the entry, or only a part of it was written.
      }
    });
  }

  #request(tab, granted, signal = this.#closing.signal) {
    // Only a waiting request can be aborted. A held lock is released when the promise of its callback resolves.
    this.#locks?.request(LOCK_PREFIX + tab, { signal }, granted).catch((error) => {
      if (!IGNORED_ERRORS.has(error.name)) throw error;
    });
  }
}
