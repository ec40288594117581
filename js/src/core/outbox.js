import { generateId } from "./identifiers.js";

const PREFIX = "roomchat:post";
const LOCK_PREFIX = "roomchat:tab:";
/** The tab closes, or is one that may not lock anything (a sandboxed frame). */
const IGNORED_ERRORS = new Set(["AbortError", "SecurityError"]);

/**
 * The posts that the server has not acknowledged yet, on paper, so that they survive a reload.
 *
 * Each post is an entry of its own in `localStorage`, marked with the tab that sends it. A tab holds a Web Lock
 * for as long as it lives; whoever is granted the lock of another tab knows that tab to be gone, and takes
 * over what it left. So a post is always somebody's and never two tabs'. (If it were sent twice all the same,
 * its id would make it one message.)
 *
 * Where there are no Web Locks the storage should be the tab's own (`sessionStorage`): a post then survives a
 * reload, though not the closing of its tab.
 */
export class Outbox {
  #storage;
  #locks;
  #tab = generateId();
  #prefix;
  #watched = new Set();
  #closing;

  /**
   * @param cupboard where to write ({@link Cupboard})
   * @param locks `navigator.locks`, or undefined
   * @param author key of who writes: a post is never sent in somebody else's name
   */
  constructor({ storage, locks, author, room }) {
    this.#storage = storage;
    this.#locks = locks;
    this.#prefix = `${[PREFIX, author, room].map(encodeURIComponent).join(":")}:`;
  }

  /** Say that this tab lives. */
  open() {
    if (this.#closing) return;
    this.#closing = new AbortController();
    const closed = new Promise((resolve) => this.#closing.signal.addEventListener("abort", resolve));
    this.#request(this.#tab, () => closed);
  }

  /** The tab goes, or sleeps in the back-forward cache: others may have its posts. */
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

  /** The posts this tab has to send, oldest first. */
  own() {
    return this.#posts((tab) => tab === this.#tab);
  }

  /** Call `found(posts)` for posts of tabs that are gone: at once, or whenever such a tab goes. */
  adopt(onPosts) {
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
      });
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
        return []; // Somebody else wrote it, or half of it.
      }
    });
  }

  #request(tab, granted) {
    const { signal } = this.#closing;
    // A held lock cannot be aborted, only a request that still waits: the callback's promise releases it.
    this.#locks?.request(LOCK_PREFIX + tab, { signal }, granted).catch((error) => {
      if (!IGNORED_ERRORS.has(error.name)) throw error;
    });
  }
}
