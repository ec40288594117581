import { boxOf, kindOf, sizeOf } from "../ui/file_size.js";
import { drawn } from "../uploads/resize.js";

/**
 * The files of a message, each cloned from `_file.html`: pictures, players, and rows with a name.
 *
 * Files of a post are {@link Upload}s: these have a preview and a progress. When the server's word for one comes, its
 * element stays and so does the preview, until the server's picture is there.
 */
export class FilesView {
  #element;
  #house;

  /** @param element the part "files" of a message; the site's own template may have none */
  constructor(element, house) {
    this.#element = element;
    this.#house = house;
  }

  show(files = []) {
    if (!this.#element || !this.#house.templates.file) return;
    this.#element.hidden = !files.length;
    const old = new Map(Array.from(this.#element.children, (item) => [item.dataset.file, item]));
    const items = files.map((file) => this.#item(file, old.get(file.id) ?? old.get(file.key)));
    if (items.some((item, place) => this.#element.children[place] !== item) || old.size !== items.length) {
      this.#element.replaceChildren(...items);
    }
  }

  /** What they are called, where the message has no words. */
  get names() {
    return Array.from(this.#element?.querySelectorAll("[data-name]") ?? [], ({ dataset }) => dataset.name).join(", ");
  }

  #item(file, known) {
    const kind = kindOf(file);
    if (known?.dataset.kind === kind) {
      fill(known, file, this.#house);
      return known;
    }
    const item = this.#house.templates.file.content.firstElementChild.cloneNode(true);
    item.dataset.kind = kind;
    for (const variant of item.querySelectorAll("[data-for]")) {
      if (variant.dataset.for.split(" ").includes(kind)) variant.removeAttribute("data-for");
      else variant.remove();
    }
    fill(item, file, this.#house);
    const changed = () => fill(item, file, this.#house);
    file.addEventListener?.("change", changed);
    return item;
  }
}

function fill(item, file, house) {
  const part = (name) => item.querySelector(`[data-part="${name}"]`);
  Object.assign(item.dataset, { file: file.id ?? file.key, type: file.type, name: file.name });
  const link = part("picture") ?? part("file-link");
  if (file.url) link?.setAttribute("href", file.url);
  set(part("file-name"), file.name);
  set(part("file-size"), sizeOf(file.bytes, house));
  const player = part("player");
  player?.setAttribute("aria-label", file.alt || file.name);
  if (player && file.url && player.getAttribute("src") !== file.url) player.src = file.url;
  if (part("picture")) fillPicture(part("picture"), file);
  showProgress(item, part("file-progress"), file, house);
}

function fillPicture(picture, file) {
  const [space, image] = [picture.querySelector("svg"), picture.querySelector("img")];
  const [width, height] = boxOf(file);
  for (const element of [space, image]) {
    element.setAttribute("width", width);
    element.setAttribute("height", height);
  }
  space.setAttribute("viewBox", `0 0 ${width} ${height}`);
  image.alt = file.alt || file.name;
  let preview = picture.querySelector("canvas");
  if (file.preview && !preview) {
    preview = drawn(file.preview, Infinity);
    preview.setAttribute("aria-hidden", "true");
    picture.append(preview);
  }
  // The server's word for it, not that of an upload: from now on its picture is the one to show.
  const source = file.preview ? undefined : file.thumb || file.url;
  if (!source || image.getAttribute("src") === source) return;
  image.addEventListener("load", () => preview?.remove(), { once: true });
  image.src = source;
}

function showProgress(item, progress, file, { words }) {
  const { isUnderWay = false, isOver = true } = file;
  item.toggleAttribute("data-under-way", isUnderWay);
  if (!progress) return;
  if (isOver) return progress.remove();
  progress.hidden = !isUnderWay;
  progress.setAttribute("aria-label", words.uploading.replace("{name}", file.name));
  progress.value = file.progress;
}

function set(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}
