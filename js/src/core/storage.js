/**
 * Web Storage that never fails.
 *
 * Storage may be disabled, full, or removed while the page is open. Values that cannot be stored are kept in memory.
 */
export class SafeStorage {
  #storage;
  #memory = new Map();

  /** @param open returns a Web Storage object, and may throw as `window.localStorage` does */
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
      // An entry that cannot be removed cannot be read either.
    }
  }

  keys(prefix) {
    const found = new Set(this.#memory.keys());
    try {
      for (let index = 0; index < (this.#storage?.length ?? 0); index++) found.add(this.#storage.key(index));
    } catch {
      // Only memory is available.
    }
    return [...found].filter((key) => key.startsWith(prefix)).sort();
  }
}
