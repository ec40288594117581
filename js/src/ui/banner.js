import { CLOSE_SESSION_ENDED, CLOSE_TOO_MANY } from "../core/codes.js";

const OFFLINE_AFTER_MS = 3_000; // shorter interruptions are not shown

/** Shows a lasting problem of the connection, and what the user can do about it. */
export class Banner {
  #element;
  #strings;
  #loginUrl;
  #timer;
  #wasConnected = false;
  #lacksCookies = false;

  constructor({ element, strings, loginUrl, signal }) {
    this.#element = element;
    this.#strings = strings;
    this.#loginUrl = loginUrl;
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
  }

  show({ state, code, reason }) {
    if (state === "connected") {
      this.#wasConnected = true;
      return this.#lacksCookies ? this.#showMissingCookies() : this.#setContent("");
    }
    // A session that has never reached the server.
    if (code === CLOSE_SESSION_ENDED && !this.#wasConnected && isInForeignFrame()) return this.#showMissingCookies();
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

  /** The server knows the socket as somebody else than the page. In a frame of another site, it has received no cookie. */
  onOtherIdentity() {
    this.#lacksCookies = isInForeignFrame();
    if (this.#lacksCookies) this.#showMissingCookies();
  }

  #showMissingCookies() {
    const link = document.createElement("a");
    Object.assign(link, { href: location.href, target: "_blank", rel: "noopener", textContent: this.#strings.open_window });
    this.#setContent(this.#strings.no_cookies, link);
  }

  #setContent(text, ...links) {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#element.hidden = !text;
    this.#element.replaceChildren(text, ...links.flatMap((piece) => [" ", piece]));
  }
}

/** Whether the page is in a frame of another site, of which scripts cannot read the URL. */
function isInForeignFrame() {
  try {
    return !window.top.location.href;
  } catch ({ name }) {
    return name === "SecurityError";
  }
}
