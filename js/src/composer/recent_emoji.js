const KEY = "roomchat:emoji";
const MAX = 18;

/** The emoji that were recently used in this browser, latest first. */
export class RecentEmoji {
  #storage;

  /** @param storage {@link SafeStorage} */
  constructor(storage) {
    this.#storage = storage;
  }

  list() {
    return (this.#storage.get(KEY) ?? "").split(" ").filter(Boolean);
  }

  add(emoji) {
    const others = this.list().filter((other) => other !== emoji);
    this.#storage.set(KEY, [emoji, ...others].slice(0, MAX).join(" "));
  }
}
