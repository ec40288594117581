const KEY = "roomchat:emoji";
const MAX = 18;

/** The emoji that somebody has chosen lately in this browser, the latest first. */
export class RecentEmoji {
  #storage;

  /** @param cupboard {@link Cupboard} */
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
