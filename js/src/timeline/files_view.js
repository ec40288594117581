import { fileKind, formatFileSize, thumbnailSize } from "../ui/file_size.js";
import { drawToCanvas } from "../uploads/resize.js";

/**
 * The attachments of a message, each cloned from `_file.html`: images, players, and rows with a file name.
 *
 * Files of a post are {@link Upload}s with preview and progress. When the server sends the stored file, the element
 * is kept, and so is the preview until the image has loaded.
 */
export class FilesView {
  #element;
  #shared;

  /** @param element the part "files" of a message; a custom template may have none */
  constructor(element, shared) {
    this.#element = element;
    this.#shared = shared;
  }

  show(files = []) {
    if (!this.#element || !this.#shared.templates.file) return;
    this.#element.hidden = !files.length;
    const old = new Map(Array.from(this.#element.children, (item) => [item.dataset.file, item]));
    const items = files.map((file) => this.#item(file, old.get(file.id) ?? old.get(file.key)));
    if (items.some((item, index) => this.#element.children[index] !== item) || old.size !== items.length) {
      this.#element.replaceChildren(...items);
    }
  }

  /** The names of the files, for messages without text. */
  get names() {
    return Array.from(this.#element?.querySelectorAll("[data-name]") ?? [], ({ dataset }) => dataset.name).join(", ");
  }

  #item(file, known) {
    const kind = fileKind(file);
    if (known?.dataset.kind === kind) {
      fill(known, file, this.#shared);
      return known;
    }
    const item = this.#shared.templates.file.content.firstElementChild.cloneNode(true);
    item.dataset.kind = kind;
    for (const variant of item.querySelectorAll("[data-for]")) {
      if (variant.dataset.for.split(" ").includes(kind)) variant.removeAttribute("data-for");
      else variant.remove();
    }
    fill(item, file, this.#shared);
    const changed = () => fill(item, file, this.#shared);
    file.addEventListener?.("change", changed);
    return item;
  }
}

function fill(item, file, shared) {
  const part = (name) => item.querySelector(`[data-part="${name}"]`);
  Object.assign(item.dataset, { file: file.id ?? file.key, type: file.type, name: file.name });
  const link = part("picture") ?? part("file-link");
  if (file.url) link?.setAttribute("href", file.url);
  setText(part("file-name"), file.name);
  setText(part("file-size"), formatFileSize(file.bytes, shared));
  const player = part("player");
  player?.setAttribute("aria-label", file.alt || file.name);
  if (player && file.url && player.getAttribute("src") !== file.url) player.src = file.url;
  if (part("picture")) fillPicture(part("picture"), file);
  showProgress(item, part("file-progress"), file, shared);
}

function fillPicture(picture, file) {
  const [placeholder, image] = [picture.querySelector("svg"), picture.querySelector("img")];
  const [width, height] = thumbnailSize(file);
  for (const element of [placeholder, image]) {
    element.setAttribute("width", width);
    element.setAttribute("height", height);
  }
  placeholder.setAttribute("viewBox", `0 0 ${width} ${height}`);
  image.alt = file.alt || file.name;
  let preview = picture.querySelector("canvas");
  if (file.preview && !preview) {
    preview = drawToCanvas(file.preview, Infinity);
    preview.setAttribute("aria-hidden", "true");
    picture.append(preview);
  }
  // A file without a preview comes from the server, so its image can be shown.
  const source = file.preview ? undefined : file.thumb || file.url;
  if (!source || image.getAttribute("src") === source) return;
  image.addEventListener("load", () => preview?.remove(), { once: true });
  image.src = source;
}

function showProgress(item, progress, file, { strings }) {
  const { isActive = false, isFinished = true } = file;
  item.toggleAttribute("data-under-way", isActive);
  if (!progress) return;
  if (isFinished) return progress.remove();
  progress.hidden = !isActive;
  progress.setAttribute("aria-label", strings.uploading.replace("{name}", file.name));
  progress.value = file.progress;
}

function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}
