import { isPlain } from "../ui/plain_click.js";
import { Dialog } from "../ui/dialog.js";
import { whenParsed } from "../ui/when_parsed.js";
import { postFrame } from "../core/post_frame.js";

/** `<new-room>`: the button that makes a room opens its form in place, where the server has put it. See `_new_room.html`. */
export class NewRoom extends HTMLElement {
  #life = null;

  connectedCallback() {
    whenParsed(this, () => this.#takeOver());
  }

  disconnectedCallback() {
    this.#life?.abort();
    this.#life = null;
  }

  #takeOver() {
    const [link, element, form] = ['[data-part="open"]', "dialog", "form"].map((part) => this.querySelector(part));
    if (this.#life || !link || !element || !form) return;
    this.#life = new AbortController();
    const { signal } = this.#life;
    const dialog = new Dialog({ element, onOpen: () => this.#refuse(form, ""), signal });
    const open = (event) => {
      if (!isPlain(event)) return;
      event.preventDefault();
      dialog.open();
    };
    link.addEventListener("click", open, { signal });
    form.addEventListener("submit", (event) => this.#submitted(event, form), { signal });
  }

  async #submitted(event, form) {
    event.preventDefault();
    const typed = new FormData(form);
    const frame = {
      type: "create",
      title: typed.get("title"),
      visibility: typed.get("visibility") ?? "open",
      listed: typed.has("listed"),
      announcement: typed.has("announcement"),
    };
    try {
      const { url } = await postFrame({ url: this.dataset.framesUrl, token: typed.get("csrfmiddlewaretoken"), frame });
      location.assign(url);
    } catch ({ code, detail }) {
      // What the server has no sentence for, the page of the form may have.
      if (detail) this.#refuse(form, detail, code === "taken" && frame.title);
      else form.submit();
    }
  }

  #refuse(form, detail, taken) {
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
