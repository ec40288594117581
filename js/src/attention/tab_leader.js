/**
 * One person in several tabs: is one of them looking at the room, and which of them tells of a message?
 *
 * A tab that is looked at holds a shared Web Lock. What was told last stands in storage, and is compared and changed under
 * another lock: so each message is told by one tab, and by none while one is looked at.
 */
export class Attention {
  #storage;
  #locks;
  #key;
  #stopLooking = null;

  /** @param cupboard what the tabs share ({@link Cupboard}); @param locks `navigator.locks`; @param key person and room */
  constructor({ storage, locks, key, signal }) {
    this.#storage = storage;
    this.#locks = locks;
    this.#key = key;
    document.addEventListener("visibilitychange", () => this.#look(), { signal });
    signal.addEventListener("abort", () => this.#stopLooking?.());
    this.#look();
  }

  /** Call `tell()` if nobody is looking and no other tab has told of message `seq`, or of a later one. */
  once(seq, tell) {
    if (!this.#locks) return void (this.#isInFront || tell());
    return this.#locks.request(`${this.#key}:told`, async () => {
      if (Number(this.#storage.get(`${this.#key}:told`)) >= seq) return;
      this.#storage.set(`${this.#key}:told`, seq);
      const { held } = await this.#locks.query();
      if (!this.#isInFront && !held.some(({ name }) => name === this.#looking)) tell();
    });
  }

  get #isInFront() {
    return document.visibilityState === "visible";
  }

  get #looking() {
    return `${this.#key}:looking`;
  }

  #look() {
    this.#stopLooking?.();
    this.#stopLooking = null;
    if (!this.#isInFront || !this.#locks) return;
    const over = new Promise((resolve) => (this.#stopLooking = resolve));
    this.#locks.request(this.#looking, { mode: "shared" }, () => over).catch(() => {}); // the page goes
  }
}
