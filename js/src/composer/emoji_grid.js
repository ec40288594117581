/** A grid of buttons with one tab stop: the arrow keys move between the buttons and the displayed rows. */
export class EmojiGrid {
  #element;
  #onLeaveTop;

  /** @param element contains the buttons, at any depth; @param onLeaveTop called for an arrow up in the first row */
  constructor({ element, onLeaveTop, signal }) {
    this.#element = element;
    this.#onLeaveTop = onLeaveTop;
    element.addEventListener("keydown", (event) => this.#onKeydown(event), { signal });
    element.addEventListener("focusin", ({ target }) => this.#setTabStop(target), { signal });
  }

  get buttons() {
    return [...this.#element.querySelectorAll("button")].filter((button) => !button.closest("[hidden]"));
  }

  /** Make the first button the tab stop. */
  restart() {
    this.#setTabStop(this.buttons[0]);
  }

  focus() {
    this.buttons[0]?.focus();
  }

  #setTabStop(button) {
    if (!button?.matches("button")) return;
    this.#element.querySelector('button[tabindex="0"]')?.setAttribute("tabindex", "-1");
    button.tabIndex = 0;
  }

  #onKeydown(event) {
    const buttons = this.buttons;
    const index = buttons.indexOf(event.target);
    if (index < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const forward = getComputedStyle(this.#element).direction === "rtl" ? -1 : 1;
    const next = {
      ArrowRight: () => buttons[index + forward],
      ArrowLeft: () => buttons[index - forward],
      ArrowDown: () => inAdjacentRow(buttons, index, 1),
      ArrowUp: () => inAdjacentRow(buttons, index, -1),
      Home: () => buttons[0],
      End: () => buttons.at(-1),
    }[event.key];
    if (!next) return;
    event.preventDefault();
    const button = next();
    if (button) button.focus();
    else if (event.key === "ArrowUp") this.#onLeaveTop();
  }
}

/** The nearest button in the next or previous row. */
function inAdjacentRow(buttons, index, step) {
  const middle = (button) => {
    const { left, width } = button.getBoundingClientRect();
    return left + width / 2;
  };
  const top = (button) => Math.round(button.getBoundingClientRect().top);
  const [here, row] = [middle(buttons[index]), top(buttons[index])];
  let at = index;
  while (buttons[at] && top(buttons[at]) === row) at += step;
  if (!buttons[at]) return undefined;
  const found = [];
  for (const next = top(buttons[at]); buttons[at] && top(buttons[at]) === next; at += step) found.push(buttons[at]);
  return found.reduce((best, button) => (Math.abs(middle(button) - here) < Math.abs(middle(best) - here) ? button : best));
}
