import { formatFileSize } from "../ui/file_size.js";
import { drawToCanvas } from "./resize.js";

const THUMBNAIL_PX = 160;

/** An attachment above the text field, cloned from `_upload.html`: name, size, progress, error and buttons. */
export class UploadView {
  #upload;
  #shared;

  /**
   * @param shared `{strings, calendar}`
   * @param onRemove called when the file is removed
   * @param onDescribed called when Enter ends the alt text, to return the focus to the text field
   */
  constructor(template, upload, { shared, onRemove, onDescribed }) {
    this.element = template.content.firstElementChild.cloneNode(true);
    this.#upload = upload;
    this.#shared = shared;
    this.element.dataset.key = upload.key;
    this.#part("upload-remove")?.addEventListener("click", onRemove);
    this.#part("upload-retry")?.addEventListener("click", () => {
      this.focus();
      upload.start();
    });
    this.#setUpAltText(onDescribed);
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

  #setUpAltText(onDescribed) {
    const alt = this.#part("upload-alt");
    if (!alt) return;
    alt.value = this.#upload.alt;
    alt.addEventListener("input", () => {
      this.#upload.alt = alt.value.trim();
      this.#upload.dispatchEvent(new Event("described"));
    });
    alt.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault(); // Enter would submit the form
      onDescribed();
    });
  }

  #show() {
    const { strings } = this.#shared;
    const { state, name, bytes, error, isActive, progress } = this.#upload;
    const [bar, problem, retry, alt] = ["upload-progress", "upload-error", "upload-retry", "upload-alt"].map((part) => this.#part(part));
    this.element.dataset.state = state;
    setText(this.#part("upload-name"), name);
    setText(this.#part("upload-size"), state === "waiting" ? strings.upload_waiting : formatFileSize(bytes, this.#shared));
    this.#part("upload-remove")?.setAttribute("aria-label", strings.upload_remove.replace("{name}", name));
    if (bar) {
      bar.hidden = !isActive;
      bar.value = progress;
      bar.setAttribute("aria-label", strings.uploading.replace("{name}", name));
    }
    setText(problem, error && state === "failed" ? error.detail || strings[error.code] || strings.upload_failed : "");
    if (retry) retry.hidden = state !== "failed" || Boolean(error?.isFinal);
    if (alt) {
      alt.hidden = !this.#isPicture;
      alt.setAttribute("aria-label", strings.upload_alt.replace("{name}", name));
    }
    this.#showPicture();
  }

  get #isPicture() {
    return Boolean(this.#upload.preview || (this.#upload.type.startsWith("image/") && this.#upload.width));
  }

  #showPicture() {
    const container = this.#part("upload-picture");
    const { preview, thumb, url } = this.#upload;
    if (!container || container.querySelector("canvas, img") || !this.#isPicture || !(preview || url)) return;
    const image = () => Object.assign(document.createElement("img"), { src: thumb || url, alt: "" });
    container.replaceChildren(preview ? drawToCanvas(preview, THUMBNAIL_PX) : image());
  }
}

function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}
