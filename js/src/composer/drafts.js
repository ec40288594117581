import { generateId } from "../core/identifiers.js";

const WRITE_AFTER_MS = 300;
const ADOPT_WITHIN_MS = 1_000; // a tab that is being reloaded releases its lock within this time

/**
 * The unsent text of the composer with its target, `{text, replyTo, edit, below}`, stored so that it survives leaving the
 * page, signing in again or a crash. `below` is the draft that waits for the end of an edit.
 *
 * Each tab has its own drafts, in an {@link Outbox}: what one tab sends does not remove what another has. A tab takes over
 * the drafts of closed tabs when it is loaded. One draft is in the composer, and the others wait until it is empty.
 */
export class Draft {
  #outbox;
  #clock;
  #timer;
  #id = generateId();
  #value = null;
  #busy = new Set();
  #guests;
  #adoption;

  /**
   * @param outbox {@link Outbox} for drafts; its author is the user, so that another user of the browser does not see them
   * @param guests those of the guest as whom the user wrote in this tab before signing in
   */
  constructor({ outbox, guests = [], clock }) {
    this.#outbox = outbox;
    this.#guests = guests;
    this.#clock = clock;
  }

  /** Call `onDraft()` if there are drafts of closed tabs: `next()` returns them. */
  open(onDraft) {
    this.#adoption = new AbortController();
    const { signal } = this.#adoption;
    this.#outbox.open();
    this.#outbox.adopt(onDraft, { signal });
    for (const outbox of this.#guests) {
      outbox.open();
      outbox.adopt((found) => this.#takeFrom(outbox, found, onDraft), { signal });
    }
    this.#clock.setTimeout(() => this.#adoption.abort(), ADOPT_WITHIN_MS);
  }

  /** Release the drafts to other tabs. */
  close() {
    this.flush();
    this.#adoption?.abort();
    for (const outbox of [this.#outbox, ...this.#guests]) outbox.close();
  }

  /** Drafts and unsent posts of the guest become drafts of the user, who decides about them. */
  #takeFrom(guest, found, onDraft) {
    for (const { id, body, at, replyTo, quote } of found) {
      guest.remove(id);
      this.#outbox.save({ id, body, at, replyTo: replyTo ?? quote });
    }
    onDraft();
  }

  /** Store the draft after a delay. */
  write(value) {
    this.#value = value;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => this.flush(), WRITE_AFTER_MS);
  }

  /** Store the draft immediately, because the page may be closed. */
  flush() {
    this.#clock.clearTimeout(this.#timer);
    const value = this.#value;
    this.#value = null;
    if (!value) return;
    const { text, ...target } = value;
    if (text || target.edit) this.#outbox.save({ id: this.#id, body: text, at: this.#clock.now(), ...target });
    else this.#outbox.remove(this.#id);
  }

  /** Remove the draft, because it was sent. */
  clear() {
    this.write({ text: "" });
    this.flush();
  }

  /**
   * Set a draft aside, and return its id. The composer is used for another one.
   *
   * @param isBusy whether `next()` leaves it out, until `free()` is called
   */
  setAside(value, { isBusy = false } = {}) {
    this.write(value);
    this.flush();
    const id = this.#id;
    if (isBusy) this.#busy.add(id);
    this.#id = generateId();
    return id;
  }

  /** Remove a draft that was set aside. */
  drop(id) {
    this.#busy.delete(id);
    this.#outbox.remove(id);
  }

  /** A busy draft may be returned by `next()` again. */
  free(id) {
    this.#busy.delete(id);
  }

  /**
   * The newest draft that is not in the composer, which is in it from now on; undefined if there is none.
   *
   * @param shown the text in the composer, if there is one: only a draft with this text is returned
   */
  next(shown) {
    this.flush();
    const waiting = this.#outbox.own().filter(({ id }) => id !== this.#id && !this.#busy.has(id));
    const found = waiting.findLast(({ body }) => !shown || body === shown);
    if (!found) return undefined;
    const { id, body: text, ...target } = found;
    this.#id = id;
    return { text, ...target };
  }
}
