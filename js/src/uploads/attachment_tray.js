import { tokenIn } from "../ui/csrf.js";
import { sizeOf } from "../ui/file_size.js";
import { prepared, shrinks } from "./resize.js";
import { SafeStorage } from "../core/storage.js";
import { Upload, takeBack } from "./upload.js";
import { UploadView } from "./upload_view.js";
import { counted } from "../ui/plurals.js";

const KEPT = "roomchat:files";
const ANYTHING = "application/octet-stream";

/**
 * What lies ready for the next message. It is the {@link Composer}'s `extra`: `files`, `refuses()` and `taken()`.
 *
 * What has reached the server is remembered like a draft, so that a reload does not lose it.
 */
export class Tray {
  #room;
  #strip;
  #template;
  #status;
  #types;
  #limits;
  #way;
  #views = [];
  #uploads = new Set(); // all that are under way, those of posts that wait for them as well
  #storage = new SafeStorage(() => sessionStorage); // this tab's own: two tabs must not send the same file
  #key;
  #touch = matchMedia("(pointer: coarse)");

  constructor(room, { strip, template, picker }) {
    const { data, words, calendar } = room;
    this.#room = room;
    this.#strip = strip;
    this.#template = template;
    this.#status = room.part("attach-status");
    this.#types = (picker.dataset.types ?? ANYTHING).split(" ");
    this.#limits = { bytes: Number(data.fileMax) || Infinity, files: Number(data.filesMax) || Infinity };
    this.house = { words, language: calendar.language };
    this.#key = [KEPT, data.meKey, data.room].map(encodeURIComponent).join(":");
    let turn = Promise.resolve(); // one picture at a time: several large ones are too much for a phone
    this.#way = {
      url: data.filesUrl,
      token: () => tokenIn(room.element),
      maxBytes: this.#limits.bytes,
      prepare: (file) => (turn = turn.then(() => prepared(file))),
      isOnline: () => room.session.state === "connected",
    };
    for (const file of this.#remembered()) this.#show(new Upload(file, this.#way));
  }

  // For the composer

  /** What goes with the message. */
  get files() {
    return this.#views.map(({ upload }) => upload);
  }

  /** Is there something that must be seen to first? It is shown. */
  refuses() {
    const view = this.#views.find(({ upload }) => upload.state === "failed");
    view?.focus();
    return Boolean(view);
  }

  /** They belong to a message now. */
  taken() {
    this.#views = [];
    this.#changed();
  }

  // For the page

  get isBusy() {
    return [...this.#uploads].some(({ isUnderWay }) => isUnderWay);
  }

  add(files) {
    const reasons = files.map((file) => this.#reasonAgainst(file));
    const free = this.#limits.files - this.#views.length;
    const welcome = files.filter((_, place) => !reasons[place]);
    for (const file of welcome.slice(0, free)) {
      const upload = new Upload(file, this.#way);
      this.#show(upload);
      upload.start();
    }
    if (welcome.length > free) reasons.push(counted(this.#room.words.files_too_many, this.#limits.files));
    const problems = reasons.filter(Boolean);
    if (problems.length) this.#room.notice?.show(problems.join(" "));
    const rightToLeft = getComputedStyle(this.#strip).direction === "rtl";
    this.#strip.scrollLeft = rightToLeft ? -this.#strip.scrollWidth : this.#strip.scrollWidth;
    if (!this.#touch.matches) this.#room.composer.input.focus(); // on a phone the keyboard would cover what was chosen
  }

  resume() {
    for (const upload of this.#uploads) upload.resume();
  }

  /** A post was taken back: nothing will have its files. */
  takeBack(files) {
    for (const file of files) {
      if (file.cancel) file.cancel();
      else if (file.id) takeBack(file.id, this.#way);
    }
  }

  #reasonAgainst(file) {
    const { words } = this.#room;
    const say = (word) => words[word].replace("{name}", file.name).replace("{size}", sizeOf(this.#limits.bytes, this.house));
    if (!file.size) return say("file_empty");
    if (!this.#mayBeTaken(file)) return say("file_unsupported");
    if (file.size > this.#limits.bytes && !shrinks(file)) return say("file_too_big");
    return undefined;
  }

  /** As far as its name for itself tells: only the server looks inside. */
  #mayBeTaken({ type }) {
    const [family] = type.split("/");
    if (this.#types.includes(ANYTHING) || this.#types.includes(type)) return true;
    if (family === "image") return false;
    // Sounds and films have several names each, and the rest may be text or an archive by its content.
    return !["audio", "video"].includes(family) || this.#types.some((taken) => taken.startsWith(`${family}/`));
  }

  #show(upload) {
    const view = new UploadView(this.#template, upload, {
      house: this.house,
      remove: () => this.#remove(view),
      leave: () => this.#room.composer.input.focus(),
    });
    this.#views.push(view);
    this.#uploads.add(upload);
    upload.addEventListener("change", () => this.#moved(upload));
    upload.addEventListener("described", () => this.#remember());
    this.#changed();
  }

  #moved(upload) {
    if (!upload.isOver) return;
    this.#uploads.delete(upload);
    const isHere = this.#views.some((view) => view.upload === upload);
    if (isHere && upload.state === "done") this.#say(this.#room.words.attached.replace("{name}", upload.name));
    this.#remember();
  }

  #remove(view) {
    const place = this.#views.indexOf(view);
    this.#views.splice(place, 1);
    view.upload.cancel();
    this.#changed();
    const next = this.#views[place] ?? this.#views.at(-1);
    if (next) next.focus();
    else this.#room.composer.input.focus();
  }

  #changed() {
    this.#strip.replaceChildren(...this.#views.map(({ element }) => element));
    this.#strip.hidden = !this.#views.length;
    this.#strip.closest("form")?.toggleAttribute("data-files", this.#views.length > 0);
    this.#remember();
  }

  #say(text) {
    if (this.#status) this.#status.textContent = text;
  }

  // Like a draft

  #remember() {
    const there = this.files.filter(({ state }) => state === "done");
    if (there.length) this.#storage.set(this.#key, JSON.stringify(there));
    else this.#storage.remove(this.#key);
  }

  #remembered() {
    try {
      const files = JSON.parse(this.#storage.get(this.#key)) ?? [];
      return files.filter(({ id, name, type }) => [id, name, type].every((value) => typeof value === "string"));
    } catch {
      return [];
    }
  }
}
