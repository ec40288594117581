const SHOWN_MS = 6_000;

/**
 * A short word about what was just done, perhaps with a button that takes it back. One at a time: a new one ends the
 * old one as if its time were over.
 */
export class Notice {
  #element;
  #text;
  #button;
  #home;
  #signal;
  #timer;
  #current = null;

  constructor({ element, signal }) {
    this.#element = element;
    this.#home = element.parentElement;
    this.#signal = signal;
    this.#text = element.querySelector('[data-part="notice-text"]');
    this.#button = element.querySelector("button");
    this.#button.addEventListener("click", () => this.#end("undo"), { signal });
    // What waits to become true does so when the page goes.
    window.addEventListener("pagehide", () => this.#end("over"), { signal });
    signal.addEventListener("abort", () => this.#end("over"));
  }

  /** @param undo called if the button is pressed; @param over called if it is not */
  show(text, { undo, over } = {}) {
    this.#end("over");
    this.#current = { undo, over };
    this.#button.hidden = !undo;
    this.#place();
    this.#element.hidden = false;
    this.#text.textContent = text;
    this.#timer = setTimeout(() => this.#end("over"), SHOWN_MS);
  }

  /** While a dialog is open, what is behind it can neither be seen well nor pressed: then it stands in the dialog. */
  #place() {
    const dialog = document.activeElement?.closest("dialog[open]");
    const place = dialog ?? this.#home;
    if (this.#element.parentElement === place) return;
    place.append(this.#element);
    dialog?.addEventListener("close", () => this.#place(), { once: true, signal: this.#signal });
  }

  #end(how) {
    const current = this.#current;
    if (!current) return;
    clearTimeout(this.#timer);
    this.#current = null;
    this.#element.hidden = true;
    this.#text.textContent = "";
    current[how]?.();
  }
}
