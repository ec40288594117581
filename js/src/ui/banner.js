import { CLOSE_SESSION_ENDED, CLOSE_TOO_MANY } from "../core/codes.js";

const OFFLINE_AFTER_MS = 3_000; // shorter interruptions are not shown

/** Shows a lasting problem of the connection, and what the user can do about it. */
export class Banner {
  #element;
  #strings;
  #loginUrl;
  #timer;

  constructor({ element, strings, loginUrl, signal }) {
    this.#element = element;
    this.#strings = strings;
    this.#loginUrl = loginUrl;
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
  }

  show({ state, code, reason }) {
    if (state === "connected") return this.#setContent("");
    if (state === "ended") return this.#setContent(this.#strings[`ended_${code}`] ?? "", this.#recoveryLink(code));
    if (code === CLOSE_TOO_MANY && reason) return this.#setContent(reason);
    // The system knows that it is offline, and the socket has not answered.
    if (state === "offline" && globalThis.navigator?.onLine === false) return this.#setContent(this.#strings.offline);
    this.#timer ??= setTimeout(() => this.#setContent(this.#strings.offline), OFFLINE_AFTER_MS);
    return undefined;
  }

  #recoveryLink(code) {
    const link = document.createElement("a");
    const signIn = code === CLOSE_SESSION_ENDED && this.#loginUrl;
    link.href = signIn ? this.#loginUrl : location.href;
    link.textContent = signIn ? this.#strings.sign_in : this.#strings.reload;
    if (!signIn) {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        location.reload();
      });
    }
    return link;
  }

  #setContent(text, ...links) {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#element.hidden = !text;
    this.#element.replaceChildren(text, ...links.flatMap((piece) => [" ", piece]));
  }
}
