import { pluralize } from "../ui/plurals.js";

const COUNTER_FROM = 200; // characters left at which the counter appears
const IME_KEY_CODE = 229; // Safari reports this for the Enter that ends a composition

/**
 * The message form. It is never disabled: messages that cannot be sent now are queued.
 *
 * Enter sends and Shift+Enter starts a line, except while Enter chooses a candidate of an input method (Korean,
 * Japanese, Chinese) and on touch screens, whose keyboards have no Shift+Enter.
 */
export class Composer {
  #form;
  #input;
  #counter;
  #strings;
  #draft;
  #send;
  #saveEdit;
  #limit;
  #context = null; // {edit: seq} or {replyTo: {seq, name, body}}
  #bar;
  #keyHandlers = [];
  /** Attachments: `{files, hasFailed(), clear()}`, see {@link AttachmentTray}. */
  attachments = null;
  #autoGrows = CSS.supports("field-sizing", "content");
  #isTouch = matchMedia("(hover: none) and (pointer: coarse)");

  /**
   * @param send `send(text, {replyTo, files})` returns whether the message was accepted
   * @param saveEdit `saveEdit(seq, text)` resolves with whether the edit was accepted
   * @param lastOwn `lastOwn()` returns the last own message, `{seq, text}`
   */
  constructor({ form, limit, strings, draft, send, saveEdit, lastOwn, signal }) {
    const part = (name) => form.querySelector(`[data-part="${name}"]`);
    this.#form = form;
    this.#input = part("input");
    this.#counter = part("counter");
    this.#strings = strings;
    this.#draft = draft;
    this.#send = send;
    this.#saveEdit = saveEdit;
    this.#lastOwn = lastOwn;
    this.#limit = limit;
    this.#bar = part("about");
    this.#bar?.querySelector("button").addEventListener("click", () => this.#clearContext(), { signal });
    form.noValidate = true;
    form.addEventListener("submit", (event) => this.#onSubmit(event), { signal });
    this.#input.addEventListener("keydown", (event) => this.#onKeydown(event), { signal });
    this.#input.addEventListener("input", () => this.#onInput(), { signal });
    window.addEventListener("pagehide", () => this.#draft.flush(), { signal });
    signal.addEventListener("abort", () => this.#draft.flush());
    this.#input.enterKeyHint = this.#isTouch.matches ? "enter" : "send";
    if (!this.#input.value) this.#input.value = draft.read();
    this.#resize();
    this.#updateCounter();
  }

  #lastOwn;

  set limit(limit) {
    this.#limit = limit;
    this.#updateCounter();
  }

  /** The text field. */
  get input() {
    return this.#input;
  }

  /** Call `handle(event)` for each key before the composer handles it; it returns whether it has handled the key. */
  addKeyHandler(handle) {
    this.#keyHandlers.push(handle);
  }

  /** Replace the text from `start` to `end`, or insert at the caret. The browser's undo works. */
  insert(text, start = this.#input.selectionStart, end = this.#input.selectionEnd) {
    this.#input.focus();
    this.#input.setSelectionRange(start, end);
    // Deprecated, but the only way to keep the undo history of the browser.
    if (document.execCommand?.("insertText", false, text)) return;
    this.#input.setRangeText(text, start, end, "end");
    this.#input.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertText", data: text }));
  }

  /** Reply to a message: `{seq, name, body}`. */
  reply(message) {
    if (this.#context?.edit) this.#clearContext();
    this.#setContext({ replyTo: message }, this.#strings.replying.replace("{name}", message.name), message.body);
  }

  /** Edit a message: `{seq, text}`. The current text is kept as the draft. */
  edit({ seq, text }) {
    this.#draft.flush();
    this.#setContext({ edit: seq }, this.#strings.editing, text);
    this.#setText(text);
  }

  #setContext(context, title, text) {
    this.#context = context;
    if (this.#bar) {
      this.#bar.querySelector('[data-part="about-title"]').textContent = title;
      this.#bar.querySelector('[data-part="about-text"]').textContent = text;
      this.#bar.hidden = false;
    }
    this.#input.focus();
  }

  #clearContext() {
    const wasEdit = Boolean(this.#context?.edit);
    this.#context = null;
    if (this.#bar) this.#bar.hidden = true;
    if (wasEdit) this.#setText(this.#draft.read());
    this.#input.focus();
  }

  #setText(text) {
    this.#input.value = text;
    this.#resize();
    this.#updateCounter();
  }

  #onKeydown(event) {
    if (this.#keyHandlers.some((handle) => handle(event))) return;
    if (event.key === "Escape" && this.#context && !event.isComposing) {
      event.preventDefault();
      return this.#clearContext();
    }
    if (event.key === "ArrowUp" && !this.#input.value && !this.#context && !event.isComposing) {
      const message = this.#lastOwn?.();
      if (message) {
        event.preventDefault();
        return this.edit(message);
      }
    }
    if (event.key !== "Enter" || event.shiftKey || event.altKey) return;
    if (event.isComposing || event.keyCode === IME_KEY_CODE) return;
    if (this.#isTouch.matches && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.#form.requestSubmit();
  }

  #onSubmit(event) {
    event.preventDefault();
    this.#input.focus();
    const text = this.#input.value.trim();
    if (this.#remaining() < 0) return;
    if (this.#context?.edit) {
      if (!text) return;
      return this.#submitEdit(this.#context.edit, text);
    }
    const files = this.attachments?.files ?? [];
    if ((!text && !files.length) || this.attachments?.hasFailed()) return;
    if (!this.#send(text, { replyTo: this.#context?.replyTo, files })) return;
    this.attachments?.clear();
    this.#form.querySelector('[data-part="error"]')?.remove();
    this.#input.value = "";
    if (this.#context) this.#clearContext();
    this.#onInput();
    this.#draft.flush();
  }

  async #submitEdit(seq, text) {
    const isSaved = this.#saveEdit(seq, text);
    this.#clearContext();
    const draft = this.#input.value;
    // Show a rejected text again, unless the user has begun to write something else.
    if (!(await isSaved) && !this.#context && this.#input.value === draft) this.edit({ seq, text });
  }

  #onInput() {
    if (!this.#context?.edit) this.#draft.write(this.#input.value);
    this.#resize();
    this.#updateCounter();
  }

  /** Characters left; like the server, this counts code points, not UTF-16 units. */
  #remaining() {
    return this.#limit - [...this.#input.value.trim()].length;
  }

  #updateCounter() {
    const left = this.#remaining();
    const template = left < 0 ? this.#strings.characters_over : this.#strings.characters_left;
    const text = left < COUNTER_FROM ? pluralize(template, Math.abs(left)) : "";
    if (this.#counter.textContent !== text) this.#counter.textContent = text;
    this.#form.toggleAttribute("data-over", left < 0);
    if (left < 0) this.#input.setAttribute("aria-invalid", "true");
    else this.#input.removeAttribute("aria-invalid");
  }

  /** For browsers without `field-sizing`. */
  #resize() {
    if (this.#autoGrows) return;
    this.#input.style.height = "auto";
    this.#input.style.height = `${this.#input.scrollHeight}px`;
  }
}
