/**
 * One person in several tabs: is one of them looking at the room, and which of them tells of a message?
 *
 * A tab that is looked at holds a shared Web Lock. What was told last stands in storage, and is compared and changed under
 * another lock: so each message is told by one tab, and by none while one is looked at.
 */
export class TabLeader {
  #storage;
  #locks;
  #key;
  #releaseLock = null;

  /** @param cupboard what the tabs share ({@link Cupboard}); @param locks `navigator.locks`; @param key person and room */
  constructor({ storage, locks, key, signal }) {
    this.#storage = storage;
    this.#locks = locks;
    this.#key = key;
    document.addEventListener("visibilitychange", () => this.#updateLock(), { signal });
    signal.addEventListener("abort", () => this.#releaseLock?.());
    this.#updateLock();
  }

  /** Call `tell()` if nobody is looking and no other tab has told of message `seq`, or of a later one. */
  notifyOnce(seq, notify) {
    if (!this.#locks) return void (this.#isVisible || notify());
    return this.#locks.request(`${this.#key}:told`, async () => {
      if (Number(this.#storage.get(`${this.#key}:told`)) >= seq) return;
      this.#storage.set(`${this.#key}:told`, seq);
      const { held } = await this.#locks.query();
      if (!this.#isVisible && !held.some(({ name }) => name === this.#visibleLock)) notify();
    });
  }

  get #isVisible() {
    return document.visibilityState === "visible";
  }

  get #visibleLock() {
    return `${this.#key}:looking`;
  }

  #updateLock() {
    this.#releaseLock?.();
    this.#releaseLock = null;
    if (!this.#isVisible || !this.#locks) return;
    const released = new Promise((resolve) => (this.#releaseLock = resolve));
    this.#locks.request(this.#visibleLock, { mode: "shared" }, () => released).catch(() => {}); // the page goes
  }
}
