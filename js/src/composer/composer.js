import { counted } from "../ui/plurals.js";

const COUNT_FROM = 200; // characters left at which the counter appears
const IME_KEY_CODE = 229; // what Safari reports for the Enter that ends a composition

/**
 * Where one writes. It is never disabled: what cannot be sent now is sent later.
 *
 * Enter sends and Shift+Enter begins a line, except where Enter picks a candidate (Korean, Japanese, Chinese
 * input) and on touch screens, whose keyboards have no Shift+Enter.
 */
export class Composer {
  #form;
  #input;
  #counter;
  #words;
  #draft;
  #send;
  #change;
  #limit;
  #about = null; // {edit: seq} or {replyTo: {seq, name, body}}
  #bar;
  #keys = [];
  /** What goes with the text: `{files, refuses(), taken()}`, see {@link Tray}. */
  extra = null;
  #grows = CSS.supports("field-sizing", "content");
  #touch = matchMedia("(hover: none) and (pointer: coarse)");

  /**
   * @param send `send(text, {replyTo, files})`, returns whether it took it
   * @param change `change(seq, text)`: an edit
   * @param last `last()`: the last message that one may edit, `{seq, text}`
   */
  constructor({ form, limit, words, draft, send, change, last, signal }) {
    const part = (name) => form.querySelector(`[data-part="${name}"]`);
    this.#form = form;
    this.#input = part("input");
    this.#counter = part("counter");
    this.#words = words;
    this.#draft = draft;
    this.#send = send;
    this.#change = change;
    this.#last = last;
    this.#limit = limit;
    this.#bar = part("about");
    this.#bar?.querySelector("button").addEventListener("click", () => this.#leaveAbout(), { signal });
    form.noValidate = true;
    form.addEventListener("submit", (event) => this.#submitted(event), { signal });
    this.#input.addEventListener("keydown", (event) => this.#pressed(event), { signal });
    this.#input.addEventListener("input", () => this.#changed(), { signal });
    window.addEventListener("pagehide", () => this.#draft.flush(), { signal });
    signal.addEventListener("abort", () => this.#draft.flush());
    this.#input.enterKeyHint = this.#touch.matches ? "enter" : "send";
    if (!this.#input.value) this.#input.value = draft.read();
    this.#fit();
    this.#count();
  }

  #last;

  set limit(limit) {
    this.#limit = limit;
    this.#count();
  }

  /** The field itself. */
  get input() {
    return this.#input;
  }

  /** Let `take(event)` have each key before the composer does; it returns whether it took it. */
  beforeKeys(take) {
    this.#keys.push(take);
  }

  /** Put a text in the place of what stands from `start` to `end`, or at the caret. It can be undone like typing. */
  insert(text, start = this.#input.selectionStart, end = this.#input.selectionEnd) {
    this.#input.focus();
    this.#input.setSelectionRange(start, end);
    // Deprecated, and still the only way that the browser's own Undo knows of.
    if (document.execCommand?.("insertText", false, text)) return;
    this.#input.setRangeText(text, start, end, "end");
    this.#input.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertText", data: text }));
  }

  /** Answer a message: `{seq, name, body}`. */
  reply(message) {
    if (this.#about?.edit) this.#leaveAbout();
    this.#speakAbout({ replyTo: message }, this.#words.replying.replace("{name}", message.name), message.body);
  }

  /** Change a message: `{seq, text}`. What was being written waits as the draft. */
  edit({ seq, text }) {
    this.#draft.flush();
    this.#speakAbout({ edit: seq }, this.#words.editing, text);
    this.#fill(text);
  }

  #speakAbout(about, title, text) {
    this.#about = about;
    if (this.#bar) {
      this.#bar.querySelector('[data-part="about-title"]').textContent = title;
      this.#bar.querySelector('[data-part="about-text"]').textContent = text;
      this.#bar.hidden = false;
    }
    this.#input.focus();
  }

  #leaveAbout() {
    const wasEdit = Boolean(this.#about?.edit);
    this.#about = null;
    if (this.#bar) this.#bar.hidden = true;
    if (wasEdit) this.#fill(this.#draft.read());
    this.#input.focus();
  }

  #fill(text) {
    this.#input.value = text;
    this.#fit();
    this.#count();
  }

  #pressed(event) {
    if (this.#keys.some((take) => take(event))) return;
    if (event.key === "Escape" && this.#about && !event.isComposing) {
      event.preventDefault();
      return this.#leaveAbout();
    }
    if (event.key === "ArrowUp" && !this.#input.value && !this.#about && !event.isComposing) {
      const message = this.#last?.();
      if (message) {
        event.preventDefault();
        return this.edit(message);
      }
    }
    if (event.key !== "Enter" || event.shiftKey || event.altKey) return;
    if (event.isComposing || event.keyCode === IME_KEY_CODE) return;
    if (this.#touch.matches && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.#form.requestSubmit();
  }

  #submitted(event) {
    event.preventDefault();
    this.#input.focus();
    const text = this.#input.value.trim();
    if (this.#left() < 0) return;
    if (this.#about?.edit) {
      if (!text) return;
      this.#change(this.#about.edit, text);
      return this.#leaveAbout();
    }
    const files = this.extra?.files ?? [];
    if ((!text && !files.length) || this.extra?.refuses()) return;
    if (!this.#send(text, { replyTo: this.#about?.replyTo, files })) return;
    this.extra?.taken();
    this.#form.querySelector('[data-part="error"]')?.remove();
    this.#input.value = "";
    if (this.#about) this.#leaveAbout();
    this.#changed();
    this.#draft.flush();
  }

  #changed() {
    if (!this.#about?.edit) this.#draft.write(this.#input.value);
    this.#fit();
    this.#count();
  }

  /** Characters as the server counts them: code points, not UTF-16 units. */
  #left() {
    return this.#limit - [...this.#input.value.trim()].length;
  }

  #count() {
    const left = this.#left();
    const word = left < 0 ? this.#words.characters_over : this.#words.characters_left;
    const text = left < COUNT_FROM ? counted(word, Math.abs(left)) : "";
    if (this.#counter.textContent !== text) this.#counter.textContent = text;
    this.#form.toggleAttribute("data-over", left < 0);
    if (left < 0) this.#input.setAttribute("aria-invalid", "true");
    else this.#input.removeAttribute("aria-invalid");
  }

  /** Where the style sheet cannot let the field grow with its text. */
  #fit() {
    if (this.#grows) return;
    this.#input.style.height = "auto";
    this.#input.style.height = `${this.#input.scrollHeight}px`;
  }
}
