import { generateId } from "../core/identifiers.js";

const RETRY_MS = 2_000;
const MAX_TRIES = 4; // maximum attempts while the network breaks the upload but the session is connected
const MAX_BUSY_TRIES = 10; // maximum attempts while the server is busy with other images

/** Statuses that are about the file itself: a retry would be rejected again. */
const FINAL_STATUSES = new Set([400, 413, 415, 422]);

/**
 * The upload of one file. A post holds it in `files` (see {@link Session}): it has an `id` once it is uploaded, and
 * `uploaded()` until then.
 *
 * `state` is `preparing`, `sending`, `waiting` (for the network), `done`, `failed` (with `error`) or `cancelled`;
 * `change` is dispatched when the state or `progress` (0 to 1) changes.
 */
export class Upload extends EventTarget {
  key = generateId();
  alt = "";
  state = "preparing";
  progress = 0;
  error = null;
  #file;
  #options;
  #request = null;
  #tries = 0;
  #timer;
  #ready = false;

  /**
   * @param file `File`, or the result of `toJSON()` of an uploaded one
   * @param options `{url, token(), maxBytes, prepare(file), isOnline()}`
   */
  constructor(file, options) {
    super();
    this.#options = options;
    this.#file = file;
    if (file.id) Object.assign(this, file, { state: "done", progress: 1 });
    else this.#setFile({ file });
  }

  get isFinished() {
    return this.state === "done" || this.state === "cancelled";
  }

  get isActive() {
    return !this.isFinished && this.state !== "failed";
  }

  async start() {
    clearTimeout(this.#timer);
    if (!this.#ready) {
      this.#set("preparing");
      this.#setFile(await this.#options.prepare(this.#file));
      this.#ready = true;
    }
    if (this.isFinished || this.#request) return;
    if (this.bytes > this.#options.maxBytes) this.#fail({ code: "too_big", isFinal: true });
    else this.#send();
  }

  /** Try again when the network is back. */
  resume() {
    if (this.state === "waiting") this.start();
  }

  /** Cancel the upload; the server may delete the file if it has been uploaded. */
  cancel() {
    clearTimeout(this.#timer);
    const { id } = this;
    this.#set("cancelled");
    this.#request?.abort();
    if (id) deleteUpload(id, this.#options);
  }

  /**
   * Resolves when the file is uploaded, rejects with `{code, detail}` when it cannot be. A failed upload is retried
   * first.
   */
  uploaded() {
    if (this.state === "failed") this.start();
    return new Promise((resolve, reject) => {
      const check = () => {
        if (this.isActive) return;
        this.removeEventListener("change", check);
        if (this.id) resolve();
        else reject(this.error ?? { code: "cancelled" });
      };
      this.addEventListener("change", check);
      check();
    });
  }

  /** The fields that the outbox stores, and that the server sends with a message. */
  toJSON() {
    const { id, name, type, bytes, width, height, alt, url, thumb } = this;
    return { id, name, type, bytes, width, height, alt, url, thumb };
  }

  #setFile({ file, width, height, preview }) {
    this.#file = file;
    Object.assign(this, { name: file.name, type: file.type, bytes: file.size, width, height, preview });
  }

  #send() {
    this.#tries += 1;
    const request = (this.#request = new XMLHttpRequest()); // fetch() does not report upload progress
    const form = new FormData();
    form.append("file", this.#file, this.name);
    request.open("POST", this.#options.url);
    request.setRequestHeader("X-CSRFToken", this.#options.token());
    request.setRequestHeader("Accept", "application/json");
    request.upload.onprogress = ({ loaded, total }) => this.#set("sending", { progress: total ? loaded / total : 0 });
    request.onloadend = () => {
      this.#request = null;
      if (this.state !== "cancelled") this.#onResponse(request);
    };
    this.#set("sending", { progress: 0, error: null });
    request.send(form);
  }

  #onResponse(request) {
    const { status } = request;
    if (status === 0) return this.#onNetworkError();
    const answer = parseJson(request.responseText);
    if (status === 201) return this.#set("done", { ...answer, progress: 1 });
    // A body that is not JSON comes from a proxy.
    const { code, detail } = answer?.error ?? { code: status === 413 ? "too_big" : "upload_failed" };
    if (code === "busy" && this.#tries < MAX_BUSY_TRIES) return this.#sendLater(request);
    this.#fail({ code, detail, isFinal: FINAL_STATUSES.has(status) });
  }

  /** Send the file again after the time that the server has given, up to half as long again: other pages wait, too. */
  #sendLater(request) {
    const seconds = Number(request.getResponseHeader("Retry-After")) || RETRY_MS / 1000;
    this.#timer = setTimeout(() => this.start(), seconds * 1000 * (1 + Math.random() / 2));
  }

  #onNetworkError() {
    if (this.#tries >= MAX_TRIES && this.#options.isOnline()) return this.#fail({ code: "upload_failed" });
    this.#set("waiting");
    this.#timer = setTimeout(() => this.resume(), RETRY_MS * this.#tries);
  }

  #fail(error) {
    this.#tries = 0;
    this.#set("failed", { error });
  }

  #set(state, values) {
    Object.assign(this, values, { state });
    this.dispatchEvent(new Event("change"));
  }
}

/** Notify the server that no message will have this file. */
export function deleteUpload(id, { url, token }) {
  const headers = { "X-CSRFToken": token() };
  fetch(`${url}${id}/`, { method: "DELETE", headers, keepalive: true }).catch(() => {}); // without the request, the server deletes the file later
}

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
