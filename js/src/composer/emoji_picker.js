import { anchorTo } from "../ui/anchor.js";
import { EmojiGrid } from "./emoji_grid.js";

const FOUND_MAX = 60;

/**
 * The emoji picker: recently used emoji, all emoji by group, and a search field.
 *
 * If the names cannot be loaded, it shows an error and the emoji of the message menu.
 */
export class EmojiPicker {
  #element;
  #search;
  #names;
  #recent;
  #fallback;
  #grid;
  #index = null;
  #onChoose = null;

  /**
   * @param element the popover, with the parts `emoji-search`, `emoji-none` and `emoji-failed` and a section for each
   *   group
   * @param names {@link EmojiNames}
   * @param recent {@link RecentEmoji}
   * @param fallback emoji to show if the names cannot be loaded
   */
  constructor({ element, names, recent, fallback, signal }) {
    this.#element = element;
    this.#search = this.#part("emoji-search");
    this.#names = names;
    this.#recent = recent;
    this.#fallback = fallback;
    this.#grid = new EmojiGrid({ element, above: () => this.#search.focus(), signal });
    const on = (target, type, handler) => target.addEventListener(type, handler, { signal });
    on(element, "click", ({ target }) => this.#choose(target.closest("button[data-emoji]")?.dataset.emoji));
    on(element, "toggle", ({ newState }) => newState === "closed" && (this.#onChoose = null));
    on(this.#search, "input", () => this.#find());
    on(this.#search, "keydown", (event) => this.#onKeydown(event));
  }

  get isOpen() {
    return this.#element.matches(":popover-open");
  }

  /** @param onChoose `onChoose(emoji)` */
  async open(opener, onChoose) {
    this.#search.value = "";
    this.#fill("recent", this.#recent.list());
    this.#element.showPopover();
    this.#onChoose = onChoose;
    anchorTo(this.#element, opener);
    // On touch screens the search field is not focused, because the on-screen keyboard would cover half of the
    // screen.
    if (matchMedia("(hover: none) and (pointer: coarse)").matches) this.#element.focus();
    else this.#search.focus();
    await this.#load();
    this.#find();
    if (this.isOpen) anchorTo(this.#element, opener);
  }

  close() {
    if (this.isOpen) this.#element.hidePopover();
  }

  async #load() {
    if (this.#index) return;
    try {
      this.#index = await this.#names.load();
      for (const [group, emoji] of this.#index.groups) this.#fill(group, emoji);
      this.#fill("recent", this.#recent.list());
    } catch {
      this.#fill("recent", [...new Set([...this.#recent.list(), ...this.#fallback])]);
    }
    this.#part("emoji-failed").hidden = Boolean(this.#index);
    this.#search.disabled = !this.#index;
    if (!this.#index && this.isOpen) this.#grid.focus();
  }

  #find() {
    const text = this.#search.value.trim();
    const found = text && this.#index ? this.#index.find(text, FOUND_MAX) : [];
    this.#fill("found", found.map(({ emoji }) => emoji));
    for (const section of this.#sections()) {
      const isEmpty = !section.querySelector("button");
      section.hidden = isEmpty || (text !== "") !== (section.dataset.group === "found");
    }
    this.#part("emoji-none").hidden = !text || found.length > 0;
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
    button.title = this.#index?.nameOf(emoji) ?? "";
    if (button.title) button.setAttribute("aria-label", button.title);
    return button;
  }

  #onKeydown(event) {
    if (event.isComposing) return;
    if (event.key === "ArrowDown") this.#grid.focus();
    else if (event.key === "Escape") this.close(); // some browsers would clear the field first
    else if (event.key === "Enter") this.#choose(this.#search.value.trim() && this.#grid.buttons[0]?.dataset.emoji);
    else return;
    event.preventDefault();
  }

  #choose(emoji) {
    const onChoose = this.#onChoose;
    if (!emoji || !onChoose) return;
    this.close();
    this.#recent.add(emoji);
    onChoose(emoji);
  }

  #sections() {
    return [...this.#element.querySelectorAll("[data-group]")];
  }

  #part(name) {
    return this.#element.querySelector(`[data-part="${name}"]`);
  }
}
