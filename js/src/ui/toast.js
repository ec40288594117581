const SHOWN_MS = 6_000;

/**
 * A short message about a completed action, optionally with an undo button. Only one is shown: a new one expires the
 * previous one.
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
    // Pending actions are executed when the page is closed.
    window.addEventListener("pagehide", () => this.#end("onExpire"), { signal });
    signal.addEventListener("abort", () => this.#end("onExpire"));
  }

  /** @param onUndo called when the button is pressed; @param onExpire called otherwise */
  show(text, { onUndo, onExpire } = {}) {
    this.#end("onExpire");
    this.#current = { onUndo, onExpire };
    this.#button.hidden = !onUndo;
    this.#position();
    this.#element.hidden = false;
    this.#text.textContent = text;
    this.#timer = setTimeout(() => this.#end("onExpire"), SHOWN_MS);
  }

  /** The page behind a modal dialog is inert, so the toast is placed in the open dialog. */
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
