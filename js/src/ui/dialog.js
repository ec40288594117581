/**
 * A `<dialog>` of the room: modal, closed by Esc, by its button with `data-close` and, where the browser knows
 * `closedby`, by a click beside it. The browser itself returns the focus to where it was.
 *
 * @param onOpen called each time before it is shown
 * @param onClose called each time it was closed, with its `returnValue`
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
