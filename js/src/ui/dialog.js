/**
 * A modal `<dialog>` of the room. It is closed by Esc, by its button with `data-close` and by a click outside, if it
 * has `closedby="any"`. The browser restores the focus.
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
    if (element.getAttribute("closedby") === "any" && !("closedBy" in element)) this.#closeOnClickOutside(signal);
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

  /** For browsers without `closedby`. A selection that is dragged out of the dialog does not close it. */
  #closeOnClickOutside(signal) {
    const element = this.#element;
    let pressedOutside = false;
    const isOutside = ({ target, clientX: x, clientY: y }) => {
      const { left, right, top, bottom } = element.getBoundingClientRect();
      return target === element && (x < left || x > right || y < top || y > bottom); // the target of its backdrop, too
    };
    element.addEventListener("pointerdown", (event) => (pressedOutside = isOutside(event)), { signal });
    element.addEventListener("click", (event) => pressedOutside && isOutside(event) && this.close(), { signal });
  }
}
