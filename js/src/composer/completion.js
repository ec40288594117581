const IME_KEY_CODE = 229; // what Safari reports for the Enter that ends a composition
const SHOWN_MAX = 8;

let options = 0; // an id for each, for two rooms may be in one page

/**
 * Completes what is being typed: a list over the field, whose options are chosen while the focus stays in the text.
 *
 * The field stays a text field with several lines, which a combobox is not: `aria-activedescendant` says which option is
 * meant, `aria-controls` and `aria-autocomplete` where it comes from. While an input method composes, the list follows
 * what stands there but takes no key, because each of them is an answer to the input method.
 */
export class Completion {
  #composer;
  #input;
  #list;
  #template;
  #sources;
  #current = null; // {source, typed}
  #dismissedAt = -1; // the place of what is not to be completed any more
  #active = 0;
  #items = [];
  #compositionStart = null; // where a composition began

  /**
   * @param composer {@link Composer}
   * @param list an empty listbox
   * @param template holds one option, with the parts `option-sign`, `option-name` and `option-more`
   * @param sources each `{read(text, caret), search(typed, show), look(item), text(item)}`: `read` says what may be completed,
   *   `{start, text}` or null; `search` calls `show(items)` as often as it knows more; `look` gives `{key, sign, name, more,
   *   hue}` of an item; `text` what is written for it
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
    // The focus stays where one writes.
    on(list, "mousedown", (event) => event.preventDefault());
    on(list, "click", ({ target }) => {
      const index = [...list.children].indexOf(target.closest('[role="option"]'));
      if (index >= 0) this.#choose(index);
    });
    this.#input.setAttribute("aria-autocomplete", "list");
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

  // The list

  #shown = "";

  #show(items) {
    this.#items = items.slice(0, SHOWN_MAX);
    if (!this.#items.length) return this.#hide();
    const descriptions = this.#items.map((item) => this.#current.source.describe(item));
    const shown = JSON.stringify(descriptions);
    // The server has found whom the page knew: what stands there stays, for fingers and screen readers.
    if (shown !== this.#shown) this.#list.replaceChildren(...descriptions.map((description) => this.#option(description)));
    this.#shown = shown;
    const index = descriptions.findIndex(({ key }) => key === this.#current.key);
    this.#list.hidden = false;
    this.#list.style.maxBlockSize = `${this.#availableHeight()}px`;
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

  /** Pixels between the field and the upper edge of the room. */
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

  /** Close it, and leave alone what stands there. */
  #dismiss() {
    this.#dismissedAt = this.#current.context.start;
    this.#close();
  }

  #choose(index) {
    const { source, context } = this.#current;
    const item = this.#items[index];
    if (this.#compositionStart !== null) {
      // What the input method composes becomes text when the field is left.
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

/** With the space that parts it from what follows, unless there is one. */
function withSpace(text, rest) {
  return /^\s/u.test(rest) ? text : `${text} `;
}
