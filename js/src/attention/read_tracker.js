const TELL_AFTER_MS = 1_000;

/**
 * What the person has read: told to the server, and counted while they look elsewhere.
 *
 * A message counts as read when the page is in front and its end is in sight.
 */
export class Reading {
  #log;
  #tell;
  #told;
  #timer = null;
  #unread = 0;
  #badge;

  /** @param read the place up to which it was read before; @param badge {@link Badge}, if any; @param tell `tell(seq)` */
  constructor({ log, list, read, badge, tell, signal }) {
    this.#log = log;
    this.#told = read;
    this.#tell = tell;
    this.#badge = badge;
    document.addEventListener("visibilitychange", () => this.look(), { signal });
    window.addEventListener("focus", () => this.look(), { signal });
    list.addEventListener("arrived", () => this.look(), { signal });
    signal.addEventListener("abort", () => {
      clearTimeout(this.#timer);
      this.#show(0);
    });
  }

  /** Somebody is in front of the page, at the end of the messages. */
  get isLooking() {
    return document.visibilityState === "visible" && this.#log.atBottom;
  }

  /** New messages of others have arrived; `first` is the place of the first of them. */
  came(count, first) {
    if (document.visibilityState !== "visible") {
      if (!this.#unread) this.#log.beginNew(first);
      this.#show(this.#unread + count);
    }
    this.look();
  }

  /** Another tab of the same person has read up to `seq`, which leaves so many `unread`. */
  readElsewhere({ seq, unread }) {
    this.#told = Math.max(this.#told, seq);
    if (unread < this.#unread) this.#show(unread);
  }

  /** Is anybody looking? Then what they see is read in a moment. */
  look() {
    if (document.visibilityState === "visible") this.#show(0);
    if (this.isLooking && this.#timer === null) this.#timer = setTimeout(() => this.#note(), TELL_AFTER_MS);
  }

  #note() {
    this.#timer = null;
    const { newest } = this.#log;
    if (this.isLooking && newest > this.#told && this.#tell(newest)) this.#told = newest;
  }

  #show(unread) {
    if (unread !== this.#unread) this.#badge?.show(unread);
    this.#unread = unread;
  }
}
