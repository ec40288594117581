const IME_KEY_CODE = 229; // Safari reports this for the Enter that ends a composition
const SHOWN_MAX = 8;

let options = 0; // for unique ids, because a page may contain two rooms

/**
 * An autocompletion list above the text field. The focus stays in the field while an option is chosen.
 *
 * The field is a textarea and therefore no combobox: `aria-activedescendant` refers to the active option,
 * `aria-controls` and `aria-autocomplete` to the list. While an input method composes, the list is updated but does
 * not handle keys, because they belong to the input method.
 */
export class Completion {
  #composer;
  #input;
  #list;
  #template;
  #sources;
  #current = null; // {source, context}
  #dismissedAt = -1; // start of the text whose completion was dismissed
  #active = 0;
  #items = [];
  #compositionStart = null; // where the composition began, or null

  /**
   * @param composer {@link Composer}
   * @param list an empty listbox
   * @param template one option, with the parts `option-sign`, `option-name` and `option-more`
   * @param sources each `{match(text, caret), search(context, show), describe(item), text(item)}`: `match` returns
   *   the context `{start, text}` or null; `search` calls `show(items)` once or several times; `describe` returns
   *   `{key, sign, name, more, hue}` of an item; `text` returns the text to insert
   */
  constructor({ composer, list, template, sources, signal }) {
    this.#composer = composer;
    this.#input = composer.input;
    this.#list = list;
    this.#template = template;
    this.#sources = sources;
    this.#list.id ||= `roomchat-options-${++options}`;
    const on = (target, type, handler) => target.addEventListener(type, handler, { signal });
    composer.addKeyHandler((event) => this.#onKeydown(event));
    on(this.#input, "input", () => this.#update());
    on(this.#input, "click", () => this.#update());
    on(this.#input, "keyup", ({ key }) => ["ArrowLeft", "ArrowRight", "Home", "End"].includes(key) && this.#update());
    on(this.#input, "compositionstart", () => (this.#compositionStart = this.#input.selectionStart));
    on(this.#input, "compositionend", () => {
      this.#compositionStart = null;
      this.#update();
    });
    on(this.#input, "blur", () => this.#close());
    // Keep the focus in the text field.
    on(list, "mousedown", (event) => event.preventDefault());
    on(list, "click", ({ target }) => {
      const index = [...list.children].indexOf(target.closest('[role="option"]'));
      if (index >= 0) this.#choose(index);
    });
    this.#input.setAttribute("aria-autocomplete", "list");
    // The first letters may have been typed before this script was loaded.
    if (this.#input.matches(":focus")) this.#update();
  }

  get isOpen() {
    return !this.#list.hidden;
  }

  #update() {
    const { value, selectionStart, selectionEnd } = this.#input;
    const matched = selectionStart === selectionEnd && this.#matchSource(value, selectionEnd);
    if (!matched) {
      this.#dismissedAt = -1;
      return this.#close();
    }
    if (matched.context.start === this.#dismissedAt) return;
    const previous = this.#current;
    const isContinuation = previous?.source === matched.source && previous.context.start === matched.context.start;
    this.#current = { ...matched, key: isContinuation ? previous.key : undefined };
    if (!isContinuation) this.#show([]);
    const current = this.#current;
    const committed = value.slice(matched.context.start + 1, this.#compositionStart ?? selectionEnd);
    const context = { ...matched.context, committed, isContinuation };
    matched.source.search(context, (items) => this.#current === current && this.#show(items));
  }

  #matchSource(text, caret) {
    for (const source of this.#sources) {
      const context = source.match(text, caret);
      if (context) return { source, context };
    }
    return null;
  }

  // List

  #shown = "";

  #show(items) {
    this.#items = items.slice(0, SHOWN_MAX);
    if (!this.#items.length) return this.#hide();
    const descriptions = this.#items.map((item) => this.#current.source.describe(item));
    const shown = JSON.stringify(descriptions);
    // If the server has found the same people as the page, the elements are kept, for pointers and screen readers.
    if (shown !== this.#shown) this.#list.replaceChildren(...descriptions.map((description) => this.#option(description)));
    this.#shown = shown;
    const index = descriptions.findIndex(({ key }) => key === this.#current.key);
    this.#list.hidden = false;
    this.#list.style.setProperty("--_available", `${this.#availableHeight()}px`);
    this.#input.setAttribute("aria-controls", this.#list.id);
    this.#activate(Math.max(0, index), { isChosen: index >= 0 });
  }

  #option({ sign, name, more, hue }) {
    const option = this.#template.content.firstElementChild.cloneNode(true);
    const part = (partName) => option.querySelector(`[data-part="${partName}"]`);
    option.id = `roomchat-option-${++options}`;
    part("option-name").textContent = name;
    for (const [partName, text] of [["option-sign", sign], ["option-more", more]]) {
      if (part(partName)) part(partName).textContent = text ?? "";
    }
    if (hue !== undefined) part("option-sign")?.setAttribute("data-hue", hue);
    return option;
  }

  /** Height in pixels between the field and the top of the room. */
  #availableHeight() {
    const top = this.#list.closest("room-chat")?.getBoundingClientRect().top ?? 0;
    return Math.max(96, this.#list.getBoundingClientRect().bottom - Math.max(0, top) - 8);
  }

  #activate(index, { isChosen = true } = {}) {
    this.#active = index;
    [...this.#list.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === index)));
    const option = this.#list.children[index];
    this.#input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
    if (isChosen) this.#current.key = this.#current.source.describe(this.#items[index]).key;
  }

  #hide() {
    this.#list.hidden = true;
    for (const name of ["aria-activedescendant", "aria-controls"]) this.#input.removeAttribute(name);
  }

  #close() {
    this.#current = null;
    this.#hide();
  }

  /** Close the list and leave the text unchanged. */
  #dismiss() {
    this.#dismissedAt = this.#current.context.start;
    this.#close();
  }

  #choose(index) {
    const { source, context } = this.#current;
    const item = this.#items[index];
    if (this.#compositionStart !== null) {
      // Leaving the field commits the text that the input method is composing.
      this.#input.blur();
      this.#input.focus();
    }
    const end = this.#input.selectionEnd;
    const text = source.text(item);
    this.#close();
    this.#dismissedAt = context.start;
    this.#composer.insert(withSpace(text, this.#input.value.slice(end)), context.start, end);
  }

  #onKeydown(event) {
    if (!this.isOpen || event.isComposing || event.keyCode === IME_KEY_CODE) return false;
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return false;
    const count = this.#items.length;
    if (event.key === "ArrowDown") this.#activate((this.#active + 1) % count);
    else if (event.key === "ArrowUp") this.#activate((this.#active - 1 + count) % count);
    else if (event.key === "Enter" || event.key === "Tab") this.#choose(this.#active);
    else if (event.key === "Escape") this.#dismiss();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }
}

/** Append a space unless one follows. */
function withSpace(text, rest) {
  return /^\s/u.test(rest) ? text : `${text} `;
}
