/**
 * Coordinates the tabs of one user: finds out whether one of them is visible, and which one shows a notification.
 *
 * A visible tab holds a shared Web Lock. The last notified sequence number is in storage, and is compared and set
 * under another lock. So each message is notified by one tab, and by none while a tab is visible.
 */
export class TabLeader {
  #storage;
  #locks;
  #key;
  #releaseLock = null;

  /**
   * @param storage shared by the tabs ({@link SafeStorage}); @param locks `navigator.locks`; @param key identifies
   *   user and room
   */
  constructor({ storage, locks, key, signal }) {
    this.#storage = storage;
    this.#locks = locks;
    this.#key = key;
    document.addEventListener("visibilitychange", () => this.#updateLock(), { signal });
    signal.addEventListener("abort", () => this.#releaseLock?.());
    this.#updateLock();
  }

  /** Call `notify()` if no tab is visible and no other tab has notified of message `seq` or a later one. */
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
    this.#locks.request(this.#visibleLock, { mode: "shared" }, () => released).catch(() => {}); // rejected when the page is closed
  }
}
