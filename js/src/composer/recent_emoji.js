const KEY = "roomchat:emoji";
const KEPT = 18;

/** The emoji that somebody has chosen lately in this browser, the latest first. */
export class RecentEmoji {
  #cupboard;

  /** @param cupboard {@link Cupboard} */
  constructor(cupboard) {
    this.#cupboard = cupboard;
  }

  list() {
    return (this.#cupboard.get(KEY) ?? "").split(" ").filter(Boolean);
  }

  add(emoji) {
    const others = this.list().filter((other) => other !== emoji);
    this.#cupboard.set(KEY, [emoji, ...others].slice(0, KEPT).join(" "));
  }
}
