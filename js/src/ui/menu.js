import { anchorTo } from "./anchor.js";

/**
 * A menu in the top layer, for one message, one person or the room.
 *
 * Its buttons carry `data-do`, and those that are not available are hidden. The arrow keys, Home and End move between
 * the buttons. Esc closes the menu (by the browser), and the focus returns to the button that opened it.
 */
export class Menu {
  #menu;
  #actions;
  #context;
  #opener = null;

  /**
   * @param menu the element with `popover`
   * @param actions a Map from `data-do` to `{when(context), act(context, button)}`; an action without `when` is
   *   always available
   */
  constructor({ menu, actions, signal }) {
    this.#menu = menu;
    this.#actions = actions;
    menu.addEventListener("click", (event) => this.#onClick(event), { signal });
    menu.addEventListener("keydown", (event) => this.#onKeydown(event), { signal });
    menu.addEventListener("toggle", ({ newState }) => newState === "closed" && this.#onClose(), { signal });
  }

  get isOpen() {
    return this.#opener !== null;
  }

  open(opener, context) {
    for (const button of this.#menu.querySelectorAll("[data-do]")) button.hidden = !this.#isAvailable(button.dataset.do, context);
    if (!this.#shown.length) return;
    this.#context = context;
    this.#opener = opener;
    opener.setAttribute("aria-expanded", "true");
    this.#menu.showPopover();
    anchorTo(this.#menu, opener);
    this.#shown[0].focus();
  }

  close() {
    if (this.isOpen) this.#menu.hidePopover();
  }

  #isAvailable(name, context) {
    const action = this.#actions.get(name);
    return Boolean(action && (action.when?.(context) ?? true));
  }

  get #shown() {
    return [...this.#menu.querySelectorAll("[data-do]")].filter(({ hidden }) => !hidden);
  }

  #onKeydown(event) {
    const shown = this.#shown;
    const index = shown.indexOf(document.activeElement);
    const next = { ArrowDown: index + 1, ArrowRight: index + 1, ArrowUp: index - 1, ArrowLeft: index - 1, Home: 0, End: -1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    shown.at(next % shown.length)?.focus();
  }

  #onClick({ target }) {
    const button = target.closest("[data-do]");
    if (!button || !this.isOpen) return;
    const context = this.#context;
    this.#menu.hidePopover();
    this.#actions.get(button.dataset.do)?.act(context, button);
  }

  #onClose() {
    this.#opener?.setAttribute("aria-expanded", "false");
    this.#opener = null;
    this.#context = undefined;
  }
}
