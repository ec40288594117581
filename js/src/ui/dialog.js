/**
 * A modal `<dialog>` of the room. It is closed by Esc, by its button with `data-close` and, in browsers that support
 * `closedby`, by a click outside. The browser restores the focus.
 *
 * @param onOpen called before each opening
 * @param onClose called after each closing, with the `returnValue`
 */
export class Dialog {
  #element;
  #onOpen;

  constructor({ element, onOpen, onClose, signal }) {
    this.#element = element;
    this.#onOpen = onOpen;
    element.addEventListener("click", ({ target }) => target.closest("[data-close]") && this.close(), { signal });
    element.addEventListener("close", () => onClose?.(element.returnValue), { signal });
    signal.addEventListener("abort", () => this.close());
  }

  get element() {
    return this.#element;
  }

  get isOpen() {
    return this.#element.open;
  }

  open(context) {
    if (this.isOpen) return;
    this.#element.returnValue = "";
    this.#onOpen?.(context);
    this.#element.showModal();
  }

  close() {
    if (this.isOpen) this.#element.close();
  }
}
