import { SafeStorage } from "../core/storage.js";
import { csrfToken } from "../ui/csrf.js";
import { formatFileSize } from "../ui/file_size.js";
import { pluralize } from "../ui/plurals.js";
import { convertedType, isResizable, prepareImage } from "./resize.js";
import { Upload, deleteUpload } from "./upload.js";
import { UploadView } from "./upload_view.js";

const STORAGE_PREFIX = "roomchat:files";
const ANYTHING = "application/octet-stream";

/**
 * The attachments of the next message; the {@link Composer} uses it as `attachments`: `files`, `hasFailed()`,
 * `clear()` and `restore()`.
 *
 * Uploaded files are stored like a draft, so that they survive a reload.
 */
export class AttachmentTray {
  #room;
  #list;
  #template;
  #status;
  #types;
  #accepted;
  #limits;
  #options;
  #views = [];
  #uploads = new Set(); // all active uploads, including those of posts that wait for them
  #storage = new SafeStorage(() => sessionStorage); // per tab: two tabs must not send the same file
  #key;
  #touch = matchMedia("(pointer: coarse)");

  constructor(room, { list, template, picker }) {
    const { data, strings, calendar } = room;
    this.#room = room;
    this.#list = list;
    this.#template = template;
    this.#status = room.part("attach-status");
    this.#types = (picker.dataset.types ?? ANYTHING).split(" ");
    this.#accepted = picker.dataset.accepted ?? "";
    this.#limits = { bytes: Number(data.fileMax) || Infinity, files: Number(data.filesMax) || Infinity };
    this.shared = { strings, calendar };
    this.#key = [STORAGE_PREFIX, data.meKey, data.room].map(encodeURIComponent).join(":");
    let queue = Promise.resolve(); // one image at a time: resizing several large ones at once needs too much memory on a phone
    this.#options = {
      url: data.filesUrl,
      token: () => csrfToken(room.element),
      maxBytes: this.#limits.bytes,
      prepare: (file) => (queue = queue.then(() => prepareImage(file))),
      isOnline: () => room.session.state === "connected",
    };
    for (const file of this.#restore()) this.#show(new Upload(file, this.#options));
  }

  // Used by the composer

  /** The attachments of the next message. */
  get files() {
    return this.#views.map(({ upload }) => upload);
  }

  /** Whether an upload has failed. The first failed one gets the focus. */
  hasFailed() {
    const view = this.#views.find(({ upload }) => upload.state === "failed");
    view?.focus();
    return Boolean(view);
  }

  /** Empty the tray: the files belong to a message now. */
  clear() {
    this.#views = [];
    this.#render();
  }

  /** Show the files of a message that was not sent. Uploads that ended with a previous page cannot be restored. */
  restore(files) {
    for (const file of files) {
      if (file instanceof Upload) this.#show(file);
      else if (file.id) this.#show(new Upload(file, this.#options));
    }
  }

  // Used by attachments.js

  get isBusy() {
    return [...this.#uploads].some(({ isActive }) => isActive);
  }

  add(files) {
    const rejections = files.map((file) => this.#rejection(file));
    const free = this.#limits.files - this.#views.length;
    const accepted = files.filter((_, index) => !rejections[index]);
    for (const file of accepted.slice(0, free)) {
      const upload = new Upload(file, this.#options);
      this.#show(upload);
      upload.start();
    }
    if (accepted.length > free) rejections.push(pluralize(this.#room.strings.files_too_many, this.#limits.files));
    const problems = rejections.filter(Boolean);
    if (problems.length) this.#room.toast?.show(problems.join(" "));
    const rightToLeft = getComputedStyle(this.#list).direction === "rtl";
    this.#list.scrollLeft = rightToLeft ? -this.#list.scrollWidth : this.#list.scrollWidth;
    if (!this.#touch.matches) this.#room.composer.input.focus(); // on a phone the on-screen keyboard would cover the files
  }

  resume() {
    for (const upload of this.#uploads) upload.resume();
  }

  /** A post was discarded: cancel or delete its files. */
  discard(files) {
    for (const file of files) {
      if (file.cancel) file.cancel();
      else if (file.id) deleteUpload(file.id, this.#options);
    }
  }

  #rejection(file) {
    const { strings } = this.#room;
    const values = { name: file.name, size: formatFileSize(this.#limits.bytes, this.shared), types: this.#accepted };
    const message = (word) => strings[word].replace(/\{(\w+)\}/g, (_, name) => values[name]);
    if (!file.size) return message("file_empty");
    if (!this.#isAllowedType(file)) return message("file_unsupported");
    if (file.size > this.#limits.bytes && !isResizable(file)) return message("file_too_big");
    return undefined;
  }

  /** A first check by the declared type; only the server examines the content. */
  #isAllowedType({ type }) {
    const [family] = type.split("/");
    if (this.#types.includes(ANYTHING) || this.#types.includes(type)) return true;
    if (family === "image") return this.#types.includes(convertedType(type)); // if this browser cannot decode it, the server rejects it
    // Audio and video types have several names, and any other file may be text or an archive.
    return !["audio", "video"].includes(family) || this.#types.some((allowed) => allowed.startsWith(`${family}/`));
  }

  #show(upload) {
    const view = new UploadView(this.#template, upload, {
      shared: this.shared,
      onRemove: () => this.#remove(view),
      onDescribed: () => this.#room.composer.input.focus(),
    });
    this.#views.push(view);
    this.#uploads.add(upload);
    upload.addEventListener("change", () => this.#onUploadChange(upload));
    upload.addEventListener("described", () => this.#save());
    this.#render();
  }

  #onUploadChange(upload) {
    if (!upload.isFinished) return;
    this.#uploads.delete(upload);
    const isHere = this.#views.some((view) => view.upload === upload);
    if (isHere && upload.state === "done") this.#announce(this.#room.strings.attached.replace("{name}", upload.name));
    this.#save();
  }

  #remove(view) {
    const index = this.#views.indexOf(view);
    this.#views.splice(index, 1);
    view.upload.cancel();
    this.#render();
    const next = this.#views[index] ?? this.#views.at(-1);
    if (next) next.focus();
    else this.#room.composer.input.focus();
  }

  #render() {
    this.#list.replaceChildren(...this.#views.map(({ element }) => element));
    this.#list.hidden = !this.#views.length;
    this.#list.closest("form")?.toggleAttribute("data-files", this.#views.length > 0);
    this.#save();
  }

  #announce(text) {
    if (this.#status) this.#status.textContent = text;
  }

  // Persistence

  #save() {
    const uploaded = this.files.filter(({ state }) => state === "done");
    if (uploaded.length) this.#storage.set(this.#key, JSON.stringify(uploaded));
    else this.#storage.remove(this.#key);
  }

  #restore() {
    try {
      const files = JSON.parse(this.#storage.get(this.#key)) ?? [];
      return files.filter(({ id, name, type }) => [id, name, type].every((value) => typeof value === "string"));
    } catch {
      return [];
    }
  }
}
