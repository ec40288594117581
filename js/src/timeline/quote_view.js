import { fileNames } from "../ui/file_size.js";

/** The quote in a reply: the beginning of the original message, linked to it. */
export class QuoteView {
  #element;
  #shared;

  /**
   * @param element the part "quote" of a message; a custom template may have none
   * @param shared `{strings, ids}`
   */
  constructor(element, shared) {
    this.#element = element;
    this.#shared = shared;
  }

  /** @param quote `{seq, name, body, deleted, guest}`, or nothing */
  show(quote) {
    if (!this.#element) return;
    this.#element.hidden = !quote;
    if (!quote) return;
    this.#element.href = `#${this.#shared.ids}${quote.seq}`;
    this.#element.dataset.quoted = quote.seq;
    this.#element.toggleAttribute("data-guest", Boolean(quote.guest));
    this.#set("quote-name", quote.name);
    this.#set("quote-body", quote.deleted ? this.#shared.strings.deleted : quote.body);
  }

  /** A message has changed: update the quote if it is of that message. */
  update({ seq, author, body, files, deleted_at }) {
    if (!this.#element || this.#element.hidden || Number(this.#element.dataset.quoted) !== seq) return;
    const start = [...(body || fileNames(files))].slice(0, QUOTE_LENGTH).join("");
    this.show({ seq, name: author.name, body: start, deleted: Boolean(deleted_at), guest: author.guest });
  }

  #set(part, text) {
    const element = this.#element.querySelector(`[data-part="${part}"]`);
    if (element && element.textContent !== text) element.textContent = text;
  }
}

const QUOTE_LENGTH = 140; // the same length as on the server
