import { CLOSE_REPLACED, CLOSE_SESSION_ENDED } from "../core/codes.js";

const OFFLINE_AFTER_MS = 3_000; // shorter breaks are nobody's business

/** What is wrong with the connection, if it lasts, and what one can do about it. */
export class Banner {
  #element;
  #words;
  #loginUrl;
  #timer;

  constructor({ element, words, loginUrl, signal }) {
    this.#element = element;
    this.#words = words;
    this.#loginUrl = loginUrl;
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
  }

  show({ state, code }) {
    if (state === "connected") return this.#say("");
    if (state === "ended") return this.#say(this.#words[`ended_${code}`] ?? "", this.#wayOut(code));
    this.#timer ??= setTimeout(() => this.#say(this.#words.offline), OFFLINE_AFTER_MS);
  }

  #wayOut(code) {
    const link = document.createElement("a");
    const signIn = code === CLOSE_SESSION_ENDED && this.#loginUrl;
    link.href = signIn ? this.#loginUrl : location.href;
    link.textContent = signIn ? this.#words.sign_in : this.#words.reload;
    if (code === CLOSE_REPLACED || !signIn) {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        location.reload();
      });
    }
    return link;
  }

  #say(text, ...more) {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#element.hidden = !text;
    this.#element.replaceChildren(text, ...more.flatMap((piece) => [" ", piece]));
  }
}
