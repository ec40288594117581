/**
 * Many small buttons in rows, as one stop of the Tab key: the arrow keys go from one to the next, in the rows as they stand.
 */
export class EmojiGrid {
  #element;
  #above;

  /** @param element holds the buttons, in whatever depth; @param above called when one goes up from the first row */
  constructor({ element, above, signal }) {
    this.#element = element;
    this.#above = above;
    element.addEventListener("keydown", (event) => this.#moved(event), { signal });
    element.addEventListener("focusin", ({ target }) => this.#stopAt(target), { signal });
  }

  get buttons() {
    return [...this.#element.querySelectorAll("button")].filter((button) => !button.closest("[hidden]"));
  }

  /** The first button is where Tab leads. */
  restart() {
    this.#stopAt(this.buttons[0]);
  }

  focus() {
    this.buttons[0]?.focus();
  }

  #stopAt(button) {
    if (!button?.matches("button")) return;
    this.#element.querySelector('button[tabindex="0"]')?.setAttribute("tabindex", "-1");
    button.tabIndex = 0;
  }

  #moved(event) {
    const buttons = this.buttons;
    const place = buttons.indexOf(event.target);
    if (place < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const forward = getComputedStyle(this.#element).direction === "rtl" ? -1 : 1;
    const next = {
      ArrowRight: () => buttons[place + forward],
      ArrowLeft: () => buttons[place - forward],
      ArrowDown: () => inNextRow(buttons, place, 1),
      ArrowUp: () => inNextRow(buttons, place, -1),
      Home: () => buttons[0],
      End: () => buttons.at(-1),
    }[event.key];
    if (!next) return;
    event.preventDefault();
    const button = next();
    if (button) button.focus();
    else if (event.key === "ArrowUp") this.#above();
  }
}

/** What stands above or below, as straight as the rows allow. */
function inNextRow(buttons, place, step) {
  const middle = (button) => {
    const { left, width } = button.getBoundingClientRect();
    return left + width / 2;
  };
  const top = (button) => Math.round(button.getBoundingClientRect().top);
  const [here, row] = [middle(buttons[place]), top(buttons[place])];
  let at = place;
  while (buttons[at] && top(buttons[at]) === row) at += step;
  if (!buttons[at]) return undefined;
  const found = [];
  for (const next = top(buttons[at]); buttons[at] && top(buttons[at]) === next; at += step) found.push(buttons[at]);
  return found.reduce((best, button) => (Math.abs(middle(button) - here) < Math.abs(middle(best) - here) ? button : best));
}
