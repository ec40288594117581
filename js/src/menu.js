const EDGE_PX = 8; // between the menu and the edges of the window

/**
 * What can be done with a message: one menu for all of them, in the browser's top layer.
 *
 * It opens from the button of a message, or with Enter on a message that the arrow keys have reached.
 */
export class MessageMenu {
  #menu;
  #log;
  #offers;
  #act;
  #view = null;
  #opener = null;

  /**
   * @param menu the element with `popover`; its buttons carry `data-do` (and `data-emoji`)
   * @param log {@link LogView}
   * @param offers `offers(view)`: a Set of the `data-do` that make sense for it
   * @param act `act(what, view, button)`
   */
  constructor({ menu, log, scroller, offers, act, signal }) {
    this.#menu = menu;
    this.#log = log;
    this.#offers = offers;
    this.#act = act;
    scroller.addEventListener("click", (event) => this.#clicked(event), { signal });
    scroller.addEventListener("keydown", (event) => this.#pressed(event), { signal });
    menu.addEventListener("click", (event) => this.#chosen(event), { signal });
    menu.addEventListener("keydown", (event) => this.#moved(event), { signal });
    scroller.addEventListener("scroll", () => this.#view && menu.hidePopover(), { signal, passive: true });
    menu.addEventListener("toggle", ({ newState }) => newState === "closed" && this.#closed(), { signal });
  }

  // Opening

  #clicked({ target }) {
    const opener = target.closest('[data-part="actions"]');
    if (opener) this.#open(this.#log.viewOf(opener.closest("li")), opener);
  }

  #pressed(event) {
    const item = event.target.closest("li[data-seq]");
    if (event.key === "Enter" && item === event.target) {
      event.preventDefault();
      this.#open(this.#log.viewOf(item), item.querySelector('[data-part="actions"]') ?? item);
    }
  }

  #open(view, opener) {
    if (!view || view.pending) return;
    const offered = this.#offers(view);
    for (const button of this.#buttons) button.hidden = !offered.has(button.dataset.do);
    this.#view = view;
    this.#opener = opener;
    opener.setAttribute("aria-expanded", "true");
    this.#menu.showPopover();
    this.#place(opener);
    this.#shown[0]?.focus();
  }

  #place(opener) {
    const around = opener.getBoundingClientRect();
    const { width, height } = this.#menu.getBoundingClientRect();
    const rightToLeft = getComputedStyle(this.#menu).direction === "rtl";
    const left = rightToLeft ? around.left : around.right - width;
    const below = around.bottom + height + EDGE_PX <= innerHeight;
    this.#menu.style.left = `${Math.max(EDGE_PX, Math.min(left, innerWidth - width - EDGE_PX))}px`;
    this.#menu.style.top = `${Math.max(EDGE_PX, below ? around.bottom : around.top - height)}px`;
  }

  // Choosing

  get #buttons() {
    return [...this.#menu.querySelectorAll("[data-do]")];
  }

  get #shown() {
    return this.#buttons.filter(({ hidden }) => !hidden);
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
    const view = this.#view;
    if (!button || !view) return;
    this.#menu.hidePopover();
    this.#act(button.dataset.do, view, button);
  }

  #closed() {
    this.#opener?.setAttribute("aria-expanded", "false");
    this.#view = this.#opener = null;
  }
}
