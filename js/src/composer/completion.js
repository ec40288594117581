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
  #left = -1; // the place of what is not to be completed any more
  #active = 0;
  #items = [];
  #settled = null; // where a composition began

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
    const hear = (target, type, handler) => target.addEventListener(type, handler, { signal });
    composer.beforeKeys((event) => this.#pressed(event));
    hear(this.#input, "input", () => this.#read());
    hear(this.#input, "click", () => this.#read());
    hear(this.#input, "keyup", ({ key }) => ["ArrowLeft", "ArrowRight", "Home", "End"].includes(key) && this.#read());
    hear(this.#input, "compositionstart", () => (this.#settled = this.#input.selectionStart));
    hear(this.#input, "compositionend", () => {
      this.#settled = null;
      this.#read();
    });
    hear(this.#input, "blur", () => this.#close());
    // The focus stays where one writes.
    hear(list, "mousedown", (event) => event.preventDefault());
    hear(list, "click", ({ target }) => {
      const place = [...list.children].indexOf(target.closest('[role="option"]'));
      if (place >= 0) this.#choose(place);
    });
    this.#input.setAttribute("aria-autocomplete", "list");
  }

  get isOpen() {
    return !this.#list.hidden;
  }

  #read() {
    const { value, selectionStart, selectionEnd } = this.#input;
    const found = selectionStart === selectionEnd && this.#reading(value, selectionEnd);
    if (!found) {
      this.#left = -1;
      return this.#close();
    }
    if (found.typed.start === this.#left) return;
    const known = this.#current;
    const goesOn = known?.source === found.source && known.typed.start === found.typed.start;
    this.#current = { ...found, key: goesOn ? known.key : undefined };
    if (!goesOn) this.#show([]);
    const { current, settled } = { current: this.#current, settled: this.#settled ?? selectionEnd };
    const typed = { ...found.typed, settled: value.slice(found.typed.start + 1, settled), goesOn };
    found.source.search(typed, (items) => this.#current === current && this.#show(items));
  }

  #reading(text, caret) {
    for (const source of this.#sources) {
      const typed = source.read(text, caret);
      if (typed) return { source, typed };
    }
    return null;
  }

  // The list

  #shown = "";

  #show(items) {
    this.#items = items.slice(0, SHOWN_MAX);
    if (!this.#items.length) return this.#hide();
    const looks = this.#items.map((item) => this.#current.source.look(item));
    const shown = JSON.stringify(looks);
    // The server has found whom the page knew: what stands there stays, for fingers and screen readers.
    if (shown !== this.#shown) this.#list.replaceChildren(...looks.map((look) => this.#option(look)));
    this.#shown = shown;
    const place = looks.findIndex(({ key }) => key === this.#current.key);
    this.#list.hidden = false;
    this.#list.style.maxBlockSize = `${this.#room()}px`;
    this.#input.setAttribute("aria-controls", this.#list.id);
    this.#point(Math.max(0, place), { byHand: place >= 0 });
  }

  #option({ sign, name, more, hue }) {
    const option = this.#template.content.firstElementChild.cloneNode(true);
    const part = (called) => option.querySelector(`[data-part="${called}"]`);
    option.id = `roomchat-option-${++options}`;
    part("option-name").textContent = name;
    for (const [called, text] of [["option-sign", sign], ["option-more", more]]) {
      if (part(called)) part(called).textContent = text ?? "";
    }
    if (hue !== undefined) part("option-sign")?.setAttribute("data-hue", hue);
    return option;
  }

  /** Pixels between the field and the upper edge of the room. */
  #room() {
    const top = this.#list.closest("room-chat")?.getBoundingClientRect().top ?? 0;
    return Math.max(96, this.#list.getBoundingClientRect().bottom - Math.max(0, top) - 8);
  }

  #point(place, { byHand = true } = {}) {
    this.#active = place;
    [...this.#list.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === place)));
    const option = this.#list.children[place];
    this.#input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
    if (byHand) this.#current.key = this.#current.source.look(this.#items[place]).key;
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
  #leave() {
    this.#left = this.#current.typed.start;
    this.#close();
  }

  #choose(place) {
    const { source, typed } = this.#current;
    const item = this.#items[place];
    if (this.#settled !== null) {
      // What the input method composes becomes text when the field is left.
      this.#input.blur();
      this.#input.focus();
    }
    const end = this.#input.selectionEnd;
    const text = source.text(item);
    this.#close();
    this.#left = typed.start;
    this.#composer.insert(spaced(text, this.#input.value.slice(end)), typed.start, end);
  }

  #pressed(event) {
    if (!this.isOpen || event.isComposing || event.keyCode === IME_KEY_CODE) return false;
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return false;
    const count = this.#items.length;
    if (event.key === "ArrowDown") this.#point((this.#active + 1) % count);
    else if (event.key === "ArrowUp") this.#point((this.#active - 1 + count) % count);
    else if (event.key === "Enter" || event.key === "Tab") this.#choose(this.#active);
    else if (event.key === "Escape") this.#leave();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }
}

/** With the space that parts it from what follows, unless there is one. */
function spaced(text, rest) {
  return /^\s/u.test(rest) ? text : `${text} `;
}
