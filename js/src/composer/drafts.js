const PREFIX = "roomchat:draft";
const WRITE_AFTER_MS = 300;

/**
 * What somebody has begun to write, kept while they look away, sign in again, or lose their battery.
 *
 * It is kept under the writer's own key, so that the next person at the same browser does not find it.
 */
export class Draft {
  #storage;
  #key;
  #clock;
  #timer;
  #text = null;

  constructor({ storage, author, room, clock }) {
    this.#storage = storage;
    this.#key = [PREFIX, author, room].map(encodeURIComponent).join(":");
    this.#clock = clock;
  }

  read() {
    return this.#storage.get(this.#key) ?? "";
  }

  /** Soon. */
  write(text) {
    this.#text = text;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => this.flush(), WRITE_AFTER_MS);
  }

  /** Now: the page may be going. */
  flush() {
    this.#clock.clearTimeout(this.#timer);
    if (this.#text === null) return;
    if (this.#text) this.#storage.set(this.#key, this.#text);
    else this.#storage.remove(this.#key);
    this.#text = null;
  }
}
