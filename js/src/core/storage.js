/**
 * Small words kept in the browser, which must never be the reason that a chat does not work.
 *
 * Storage may be switched off, full, or taken away while the page lives; whatever it refuses is kept in memory.
 */
export class SafeStorage {
  #storage;
  #memory = new Map();

  /** @param open returns a Web Storage object, and may throw as `window.localStorage` itself does */
  constructor(open) {
    try {
      this.#storage = open();
    } catch {
      this.#storage = undefined;
    }
  }

  get(key) {
    if (this.#memory.has(key)) return this.#memory.get(key);
    try {
      return this.#storage?.getItem(key) ?? null;
    } catch {
      return null;
    }
  }

  set(key, value) {
    try {
      if (!this.#storage) throw new Error("no storage");
      this.#storage.setItem(key, value);
      this.#memory.delete(key);
    } catch {
      this.#memory.set(key, value);
    }
  }

  remove(key) {
    this.#memory.delete(key);
    try {
      this.#storage?.removeItem(key);
    } catch {
      // What cannot be removed cannot be read either.
    }
  }

  keys(prefix) {
    const found = new Set(this.#memory.keys());
    try {
      for (let index = 0; index < (this.#storage?.length ?? 0); index++) found.add(this.#storage.key(index));
    } catch {
      // Memory is all there is.
    }
    return [...found].filter((key) => key.startsWith(prefix)).sort();
  }
}
