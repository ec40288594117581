import { placeBeside } from "../ui/anchor.js";
import { EmojiGrid } from "./emoji_grid.js";

const FOUND_MAX = 60;

/**
 * Emoji to choose from, over the page: those chosen lately first, then all, and a field that finds them by name.
 *
 * Where their names cannot be had, it says so and offers those of the menu.
 */
export class EmojiPicker {
  #element;
  #search;
  #names;
  #recent;
  #spare;
  #grid;
  #book = null;
  #choose = null;

  /**
   * @param element the popover, with the parts `emoji-search`, `emoji-none` and `emoji-failed` and a section for each group
   * @param names {@link EmojiNames}
   * @param recent {@link RecentEmoji}
   * @param spare emoji for when there are no names
   */
  constructor({ element, names, recent, spare, signal }) {
    this.#element = element;
    this.#search = this.#part("emoji-search");
    this.#names = names;
    this.#recent = recent;
    this.#spare = spare;
    this.#grid = new EmojiGrid({ element, above: () => this.#search.focus(), signal });
    const hear = (target, type, handler) => target.addEventListener(type, handler, { signal });
    hear(element, "click", ({ target }) => this.#chosen(target.closest("button[data-emoji]")?.dataset.emoji));
    hear(element, "toggle", ({ newState }) => newState === "closed" && (this.#choose = null));
    hear(this.#search, "input", () => this.#find());
    hear(this.#search, "keydown", (event) => this.#pressed(event));
  }

  get isOpen() {
    return this.#element.matches(":popover-open");
  }

  /** @param choose `choose(emoji)` */
  async open(opener, choose) {
    this.#search.value = "";
    this.#fill("recent", this.#recent.list());
    this.#element.showPopover();
    this.#choose = choose;
    placeBeside(this.#element, opener);
    // Where a keyboard would cover half of the screen, it waits until one wants to search.
    if (matchMedia("(hover: none) and (pointer: coarse)").matches) this.#element.focus();
    else this.#search.focus();
    await this.#load();
    this.#find();
    if (this.isOpen) placeBeside(this.#element, opener);
  }

  close() {
    if (this.isOpen) this.#element.hidePopover();
  }

  async #load() {
    if (this.#book) return;
    try {
      this.#book = await this.#names.load();
      for (const [group, emoji] of this.#book.groups) this.#fill(group, emoji);
      this.#fill("recent", this.#recent.list());
    } catch {
      this.#fill("recent", [...new Set([...this.#recent.list(), ...this.#spare])]);
    }
    this.#part("emoji-failed").hidden = Boolean(this.#book);
    this.#search.disabled = !this.#book;
    if (!this.#book && this.isOpen) this.#grid.focus();
  }

  #find() {
    const typed = this.#search.value.trim();
    const found = typed && this.#book ? this.#book.find(typed, FOUND_MAX) : [];
    this.#fill("found", found.map(({ emoji }) => emoji));
    for (const section of this.#sections()) {
      const isEmpty = !section.querySelector("button");
      section.hidden = isEmpty || (typed !== "") !== (section.dataset.group === "found");
    }
    this.#part("emoji-none").hidden = !typed || found.length > 0;
    this.#grid.restart();
  }

  #fill(group, emoji) {
    const section = this.#sections().find(({ dataset }) => dataset.group === group);
    section?.querySelector('[role="group"]').replaceChildren(...emoji.map((one) => this.#button(one)));
    if (section) section.hidden = !emoji.length;
  }

  #button(emoji) {
    const button = document.createElement("button");
    button.type = "button";
    button.tabIndex = -1;
    button.dataset.emoji = button.textContent = emoji;
    button.title = this.#book?.nameOf(emoji) ?? "";
    if (button.title) button.setAttribute("aria-label", button.title);
    return button;
  }

  #pressed(event) {
    if (event.isComposing) return;
    if (event.key === "ArrowDown") this.#grid.focus();
    else if (event.key === "Escape") this.close(); // and does not empty the field first, as some browsers do
    else if (event.key === "Enter") this.#chosen(this.#search.value.trim() && this.#grid.buttons[0]?.dataset.emoji);
    else return;
    event.preventDefault();
  }

  #chosen(emoji) {
    const choose = this.#choose;
    if (!emoji || !choose) return;
    this.close();
    this.#recent.add(emoji);
    choose(emoji);
  }

  #sections() {
    return [...this.#element.querySelectorAll("[data-group]")];
  }

  #part(name) {
    return this.#element.querySelector(`[data-part="${name}"]`);
  }
}
