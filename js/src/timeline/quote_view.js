import { fileNames } from "../ui/file_size.js";

/** The beginning of the message that another one answers: a link to it, above the answer. */
export class QuoteView {
  #element;
  #strings;

  /** @param element the part "quote" of a message; the site's own template may have none */
  constructor(element, strings) {
    this.#element = element;
    this.#strings = strings;
  }

  /** @param quote `{seq, name, body, deleted}`, or nothing */
  show(quote) {
    if (!this.#element) return;
    this.#element.hidden = !quote;
    if (!quote) return;
    this.#element.href = `#m-${quote.seq}`;
    this.#element.dataset.quoted = quote.seq;
    this.#set("quote-name", quote.name);
    this.#set("quote-body", quote.deleted ? this.#strings.deleted : quote.body);
  }

  /** `message` has changed: if it is the one quoted here, so does the quote. */
  update({ seq, author, body, files, deleted_at }) {
    if (!this.#element || this.#element.hidden || Number(this.#element.dataset.quoted) !== seq) return;
    this.show({ seq, name: author.name, body: [...(body || fileNames(files))].slice(0, QUOTE_LENGTH).join(""), deleted: Boolean(deleted_at) });
  }

  #set(part, text) {
    const element = this.#element.querySelector(`[data-part="${part}"]`);
    if (element && element.textContent !== text) element.textContent = text;
  }
}

const QUOTE_LENGTH = 140; // as in log.py
