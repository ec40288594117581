import { placeBeside } from "./anchor.js";

/**
 * A menu in the browser's top layer, for whatever is asked about: one message, or the room.
 *
 * Its buttons carry `data-do`; those that make no sense just now are not shown. The arrow keys, Home and End go from one
 * to the next, Esc closes it (the browser's own), and the button that opened it has the focus again.
 */
export class Menu {
  #menu;
  #actions;
  #about;
  #opener = null;

  /**
   * @param menu the element with `popover`
   * @param actions a Map of `data-do` to `{when(about), act(about, button)}`; without `when` it is always offered
   */
  constructor({ menu, actions, signal }) {
    this.#menu = menu;
    this.#actions = actions;
    menu.addEventListener("click", (event) => this.#chosen(event), { signal });
    menu.addEventListener("keydown", (event) => this.#moved(event), { signal });
    menu.addEventListener("toggle", ({ newState }) => newState === "closed" && this.#closed(), { signal });
  }

  get isOpen() {
    return this.#opener !== null;
  }

  open(opener, about) {
    for (const button of this.#menu.querySelectorAll("[data-do]")) button.hidden = !this.#offers(button.dataset.do, about);
    if (!this.#shown.length) return;
    this.#about = about;
    this.#opener = opener;
    opener.setAttribute("aria-expanded", "true");
    this.#menu.showPopover();
    placeBeside(this.#menu, opener);
    this.#shown[0].focus();
  }

  close() {
    if (this.isOpen) this.#menu.hidePopover();
  }

  #offers(what, about) {
    const action = this.#actions.get(what);
    return Boolean(action && (action.when?.(about) ?? true));
  }

  get #shown() {
    return [...this.#menu.querySelectorAll("[data-do]")].filter(({ hidden }) => !hidden);
  }

  #moved(event) {
    const shown = this.#shown;
    const place = shown.indexOf(document.activeElement);
    const next = { ArrowDown: place + 1, ArrowRight: place + 1, ArrowUp: place - 1, ArrowLeft: place - 1, Home: 0, End: -1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    shown.at(next % shown.length)?.focus();
  }

  #chosen({ target }) {
    const button = target.closest("[data-do]");
    if (!button || !this.isOpen) return;
    const about = this.#about;
    this.#menu.hidePopover();
    this.#actions.get(button.dataset.do)?.act(about, button);
  }

  #closed() {
    this.#opener?.setAttribute("aria-expanded", "false");
    this.#opener = null;
    this.#about = undefined;
  }
}
