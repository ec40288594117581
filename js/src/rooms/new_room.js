import { postFrame } from "../core/post_frame.js";
import { focusOnClick } from "../ui/click_focus.js";
import { Dialog } from "../ui/dialog.js";
import { isPlainClick } from "../ui/plain_click.js";
import { whenParsed } from "../ui/when_parsed.js";

/** `<new-room>`: opens the form for a new room, which the server has rendered, in a dialog. See `_new_room.html`. */
export class NewRoom extends HTMLElement {
  #abortController = null;

  connectedCallback() {
    whenParsed(this, () => this.#hydrate());
  }

  disconnectedCallback() {
    this.#abortController?.abort();
    this.#abortController = null;
  }

  #hydrate() {
    const [link, element, form] = ['[data-part="open"]', "dialog", "form"].map((part) => this.querySelector(part));
    if (this.#abortController || !link || !element || !form) return;
    this.#abortController = new AbortController();
    const { signal } = this.#abortController;
    focusOnClick(this, { signal });
    const dialog = new Dialog({ element, onOpen: () => this.#showError(form, ""), signal });
    const open = (event) => {
      if (!isPlainClick(event)) return;
      event.preventDefault();
      dialog.open();
    };
    link.addEventListener("click", open, { signal });
    form.addEventListener("submit", (event) => this.#onSubmit(event, form), { signal });
  }

  async #onSubmit(event, form) {
    event.preventDefault();
    const values = new FormData(form);
    const frame = {
      type: "create",
      title: values.get("title"),
      visibility: values.get("visibility") ?? "open",
      listed: values.has("listed"),
      announcement: values.has("announcement"),
    };
    try {
      const { url } = await postFrame({ url: this.dataset.framesUrl, token: values.get("csrfmiddlewaretoken"), frame });
      location.assign(url);
    } catch ({ code, detail }) {
      // An error without a text is shown by the page of the form.
      if (detail) this.#showError(form, detail, code === "taken" && frame.title);
      else form.submit();
    }
  }

  #showError(form, detail, taken) {
    const [text, link] = ["error-text", "taken"].map((name) => form.querySelector(`[data-part="${name}"]`));
    if (!text) return;
    text.parentElement.hidden = !detail;
    text.textContent = detail;
    if (link) link.hidden = !taken;
    if (link && taken) link.search = new URLSearchParams({ room: taken });
    form.elements.title.toggleAttribute("aria-invalid", Boolean(detail));
    if (detail) form.elements.title.focus();
  }
}
