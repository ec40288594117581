import { sizeOf } from "../ui/file_size.js";
import { drawn } from "./resize.js";

const PICTURE_PX = 160;

/** A file above the field in which one writes, cloned from `_upload.html`: what it is, how far it is, what to do with it. */
export class UploadView {
  #upload;
  #house;

  /**
   * @param house `{words, language}`
   * @param remove called when it is not wanted any more
   * @param leave called when what was to be said of it is said: back to the message
   */
  constructor(template, upload, { house, remove, leave }) {
    this.element = template.content.firstElementChild.cloneNode(true);
    this.#upload = upload;
    this.#house = house;
    this.element.dataset.key = upload.key;
    this.#part("upload-remove")?.addEventListener("click", remove);
    this.#part("upload-retry")?.addEventListener("click", () => {
      this.focus();
      upload.start();
    });
    this.#startAlt(leave);
    upload.addEventListener("change", () => this.#show());
    this.#show();
  }

  get upload() {
    return this.#upload;
  }

  focus() {
    const retry = this.#part("upload-retry");
    (retry && !retry.hidden ? retry : this.#part("upload-remove"))?.focus();
  }

  #part(name) {
    return this.element.querySelector(`[data-part="${name}"]`);
  }

  #startAlt(leave) {
    const alt = this.#part("upload-alt");
    if (!alt) return;
    alt.value = this.#upload.alt;
    alt.addEventListener("input", () => {
      this.#upload.alt = alt.value.trim();
      this.#upload.dispatchEvent(new Event("described"));
    });
    alt.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault(); // it would send the message, half described
      leave();
    });
  }

  #show() {
    const { words } = this.#house;
    const { state, name, bytes, error, isUnderWay, progress } = this.#upload;
    const [bar, problem, retry, alt] = ["upload-progress", "upload-error", "upload-retry", "upload-alt"].map((part) => this.#part(part));
    this.element.dataset.state = state;
    set(this.#part("upload-name"), name);
    set(this.#part("upload-size"), state === "waiting" ? words.upload_waiting : sizeOf(bytes, this.#house));
    this.#part("upload-remove")?.setAttribute("aria-label", words.upload_remove.replace("{name}", name));
    if (bar) {
      bar.hidden = !isUnderWay;
      bar.value = progress;
      bar.setAttribute("aria-label", words.uploading.replace("{name}", name));
    }
    set(problem, error && state === "failed" ? error.detail || words[error.code] || words.upload_failed : "");
    if (retry) retry.hidden = state !== "failed" || Boolean(error?.isFinal);
    if (alt) {
      alt.hidden = !this.#isPicture;
      alt.setAttribute("aria-label", words.upload_alt.replace("{name}", name));
    }
    this.#showPicture();
  }

  get #isPicture() {
    return Boolean(this.#upload.preview || (this.#upload.type.startsWith("image/") && this.#upload.width));
  }

  #showPicture() {
    const place = this.#part("upload-picture");
    const { preview, thumb, url } = this.#upload;
    if (!place || place.querySelector("canvas, img") || !this.#isPicture || !(preview || url)) return;
    const image = () => Object.assign(document.createElement("img"), { src: thumb || url, alt: "" });
    place.replaceChildren(preview ? drawn(preview, PICTURE_PX) : image());
  }
}

function set(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}
