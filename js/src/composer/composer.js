import { cleanText } from "../core/clean_text.js";
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
  #context = null; // {replyTo: {seq, name, body}}, {edit: {seq, text}, below, isDeleted} or null
  #bar;
  #keyHandlers = [];
  /** Attachments: `{files, hasFailed(), clear(), restore(files)}`, see {@link AttachmentTray}. */
  attachments = null;
  #autoGrows = CSS.supports("field-sizing", "content");
  #isTouch = matchMedia("(hover: none) and (pointer: coarse)");

  /**
   * @param send `send(text, {replyTo, files})` returns whether the message was accepted
   * @param draft {@link Draft}
   * @param saveEdit `saveEdit(seq, text)` resolves to the error with which the server has rejected the edit, if it has
   * @param lastOwn `lastOwn()` returns the last own message, `{seq, text}`
   * @param isDeleted `isDeleted(seq)` returns whether the message is shown as deleted
   */
  constructor({ form, limit, strings, draft, send, saveEdit, lastOwn, isDeleted, signal }) {
    const part = (name) => form.querySelector(`[data-part="${name}"]`);
    this.#form = form;
    this.#input = part("input");
    this.#counter = part("counter");
    this.#strings = strings;
    this.#draft = draft;
    this.#send = send;
    this.#saveEdit = saveEdit;
    this.#lastOwn = lastOwn;
    this.#isDeleted = isDeleted;
    this.#limit = limit;
    this.#bar = part("about");
    this.#bar?.querySelector("button").addEventListener("click", () => this.#clearContext(), { signal });
    form.noValidate = true;
    form.addEventListener("submit", (event) => this.#onSubmit(event), { signal });
    this.#input.addEventListener("keydown", (event) => this.#onKeydown(event), { signal });
    this.#input.addEventListener("input", () => this.#onInput(), { signal });
    window.addEventListener("pagehide", () => this.#draft.close(), { signal });
    window.addEventListener("pageshow", ({ persisted }) => persisted && this.#draft.open(() => this.#showNext()), { signal });
    signal.addEventListener("abort", () => this.#draft.close());
    this.#input.enterKeyHint = this.#isTouch.matches ? "enter" : "send";
    if (this.#bar) this.#bar.hidden = true;
    this.#draft.open(() => this.#showNext());
    this.#resize();
    this.#updateCounter();
  }

  #lastOwn;
  #isDeleted;

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
    this.#show({ ...this.#leaveEdit(), replyTo: message });
    this.#input.focus();
  }

  /** Edit a message: `{seq, text}`. The current draft waits below it. */
  edit({ seq, text }) {
    this.#show({ text, edit: { seq, text }, below: this.#leaveEdit() });
    this.#input.focus();
  }

  /** Put a message back that was not sent: `{text, replyTo, files}`. The current draft waits until it is sent. */
  restore({ text, replyTo, files = [] }) {
    this.#draft.setAside(this.#value);
    this.#show({ text, replyTo });
    if (files.length) this.attachments?.restore(files);
    this.#input.focus();
  }

  /** Messages have changed. If the edited one was deleted, its text stays and can be sent as a new message. */
  update(messages) {
    const { edit } = this.#context ?? {};
    if (edit && messages.some(({ seq, deleted_at }) => seq === edit.seq && deleted_at)) this.#setContext({ ...this.#context, isDeleted: true });
  }

  get #value() {
    return { text: this.#input.value, ...this.#context };
  }

  /** The draft below an edit, or the current one. A changed edit waits. */
  #leaveEdit() {
    const { below = { text: "" }, ...value } = this.#value;
    if (!value.edit) return value;
    if (value.text !== value.edit.text) this.#draft.setAside(value);
    return below;
  }

  /** Show a draft, and store it. */
  #show({ text, replyTo, edit, below, isDeleted }) {
    if (this.#input.value !== text) this.#setText(text);
    this.#setContext(edit ? { edit, below, isDeleted: isDeleted || this.#isDeleted(edit.seq) } : replyTo ? { replyTo } : null);
  }

  /** If the composer is empty, show the next draft that waits. */
  #showNext() {
    const { value } = this.#input;
    const draft = this.#context ? undefined : this.#draft.next(value.trim() && value);
    if (draft) this.#show(draft);
  }

  /** @param context `{replyTo}`, `{edit, below, isDeleted}` or null */
  #setContext(context) {
    this.#context = context;
    this.#draft.write(this.#value);
    if (!this.#bar) return;
    this.#bar.hidden = !context;
    if (!context) return;
    const { replyTo, edit, isDeleted } = context;
    const { replying, editing, edit_deleted: editDeleted } = this.#strings;
    const [title, text] = replyTo ? [replying.replace("{name}", replyTo.name), replyTo.body] : isDeleted ? [editDeleted, ""] : [editing, edit.text];
    this.#bar.querySelector('[data-part="about-title"]').textContent = title;
    this.#bar.querySelector('[data-part="about-text"]').textContent = text;
  }

  /** End the reply or the edit. The draft below an edit returns. */
  #clearContext() {
    const { edit, below } = this.#context;
    if (edit) this.#show(below ?? { text: "" });
    else this.#setContext(null);
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
    const text = cleanText(this.#input.value);
    if (this.#remaining() < 0) return undefined;
    const { edit, replyTo, isDeleted } = this.#context ?? {};
    if (edit && !isDeleted) return text ? this.#submitEdit(edit, text) : undefined;
    const attachments = edit ? null : this.attachments; // the files belong to the draft below
    const files = attachments?.files ?? [];
    if ((!text && !files.length) || attachments?.hasFailed()) return undefined;
    if (!this.#send(text, { replyTo, files })) return undefined;
    attachments?.clear();
    this.#form.querySelector('[data-part="error"]')?.remove();
    this.#draft.clear();
    this.#show(this.#context?.below ?? { text: "" });
    return this.#showNext();
  }

  /** The edit is stored until the server has accepted it. A rejected one is shown again, if the composer is free. */
  async #submitEdit(edit, text) {
    const id = this.#draft.setAside({ text, edit }, { isBusy: true });
    this.#clearContext();
    this.#draft.flush();
    const { value } = this.#input;
    const error = await this.#saveEdit(edit.seq, text);
    if (error && (this.#context || this.#input.value !== value)) return this.#draft.free(id);
    this.#draft.drop(id);
    return error && this.#show({ text, edit, below: this.#value, isDeleted: error.code === "not_found" });
  }

  #onInput() {
    this.#draft.write(this.#value);
    this.#resize();
    this.#updateCounter();
  }

  /** Characters left; like the server, this counts code points, not UTF-16 units. */
  #remaining() {
    return this.#limit - [...cleanText(this.#input.value)].length;
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
    this.#input.style.setProperty("--_height", "auto");
    this.#input.style.setProperty("--_height", `${this.#input.scrollHeight}px`);
  }
}
