const SHOWN_MS = 6_000;

/**
 * A short word about what was just done, perhaps with a button that takes it back. One at a time: a new one ends the
 * old one as if its time were over.
 */
export class Toast {
  #element;
  #text;
  #button;
  #defaultParent;
  #signal;
  #timer;
  #current = null;

  constructor({ element, signal }) {
    this.#element = element;
    this.#defaultParent = element.parentElement;
    this.#signal = signal;
    this.#text = element.querySelector('[data-part="notice-text"]');
    this.#button = element.querySelector("button");
    this.#button.addEventListener("click", () => this.#end("onUndo"), { signal });
    // What waits to become true does so when the page goes.
    window.addEventListener("pagehide", () => this.#end("onExpire"), { signal });
    signal.addEventListener("abort", () => this.#end("onExpire"));
  }

  /** @param undo called if the button is pressed; @param over called if it is not */
  show(text, { onUndo, onExpire } = {}) {
    this.#end("onExpire");
    this.#current = { onUndo, onExpire };
    this.#button.hidden = !onUndo;
    this.#position();
    this.#element.hidden = false;
    this.#text.textContent = text;
    this.#timer = setTimeout(() => this.#end("onExpire"), SHOWN_MS);
  }

  /** While a dialog is open, what is behind it can neither be seen well nor pressed: then it stands in the dialog. */
  #position() {
    const dialog = document.activeElement?.closest("dialog[open]");
    const parent = dialog ?? this.#defaultParent;
    if (this.#element.parentElement === parent) return;
    parent.append(this.#element);
    dialog?.addEventListener("close", () => this.#position(), { once: true, signal: this.#signal });
  }

  #end(outcome) {
    const current = this.#current;
    if (!current) return;
    clearTimeout(this.#timer);
    this.#current = null;
    this.#element.hidden = true;
    this.#text.textContent = "";
    current[outcome]?.();
  }
}
