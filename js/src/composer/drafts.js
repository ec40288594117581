const PREFIX = "roomchat:draft";
const WRITE_AFTER_MS = 300;

/**
 * An unsent message, stored so that it survives leaving the page, signing in again or a crash.
 *
 * The key contains the author, so that another user of the same browser does not see it.
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

  /** Store the text after a delay. */
  write(text) {
    this.#text = text;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => this.flush(), WRITE_AFTER_MS);
  }

  /** Store the text immediately, because the page may be closed. */
  flush() {
    this.#clock.clearTimeout(this.#timer);
    if (this.#text === null) return;
    if (this.#text) this.#storage.set(this.#key, this.#text);
    else this.#storage.remove(this.#key);
    this.#text = null;
  }
}
