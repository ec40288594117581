import { emit } from "./core/emit.js";
import { Menu } from "./ui/menu.js";

/**
 * The room in the page, as features use it.
 *
 * A feature is a function that is called once with this object: on hydration (`features.js`) or on the first user
 * interaction (`panels.js`). It finds its markup with `part()`, listens to the session with `on()`, sends requests
 * with `request()`, adds actions to the menus of messages, people and the room, and ends with `signal`.
 */
export class Room {
  /** The last frame `rights`; empty before the first. */
  rights = {};
  /** By `data-do`: `{when(view), act(view, button)}`; `view` is a {@link MessageView}. */
  messageActions = new Map();
  /** By `data-do`: `{when(), act(undefined, button)}`. */
  roomActions = new Map();
  /**
   * By `data-do`: `{when(person), act(person)}`; `person` is the frame of that name, `{key, name, role, may, banned,
   * muted, blocked}`.
   */
  personActions = new Map();
  /** Time until which slow mode lets the user neither post nor edit, in milliseconds of `Date.now()`. */
  slowUntil = 0;

  /**
   * @param element `<room-chat>`
   * @param strings localised strings
   * @param composer {@link Composer}; none if the user may only read
   * @param toast {@link Toast}; none if the template has none
   */
  constructor({ element, strings, calendar, session, log, history, composer, toast, signal }) {
    Object.assign(this, { element, strings, calendar, session, log, history, composer, toast, signal });
    this.on("rights", (frame) => (this.rights = frame));
  }

  /** Load `panels.js`. Resolves when it has loaded or failed to load; see `lazy_panels.js`. */
  loadPanels = async () => {};

  part(name) {
    return this.element.querySelector(`[data-part="${name}"]`);
  }

  template(name) {
    return this.element.querySelector(`template[data-template="${name}"]`);
  }

  get data() {
    return this.element.dataset;
  }

  /**
   * Target of listeners for keys and pasted files: the document on the room's own page, the room element on other
   * pages.
   */
  get eventScope() {
    return "ownPage" in this.data ? document : this.element;
  }

  /** Permanent URL of a message, shown among its neighbours. */
  messageUrl(seq) {
    return new URL(`?at=${seq}#m-${seq}`, new URL(this.data.roomUrl, location));
  }

  get you() {
    return this.session.you;
  }

  /** Whether the user may do this, according to the last frame `rights`, which also defines the words. */
  can(what) {
    return (this.data.can ?? "").split(" ").includes(what);
  }

  /** Whether the server would refuse an edit in slow mode. Posts wait, and are sent later. */
  get isSlowed() {
    return this.slowUntil > Date.now();
  }

  /** Listen to an event of the session: `handler(detail)`. */
  on(type, handler) {
    this.session.addEventListener(type, ({ detail }) => handler(detail), { signal: this.signal });
  }

  /** Listen to an event of an element while the room is in the page. */
  listen(target, type, handler, options) {
    target?.addEventListener(type, handler, { signal: this.signal, ...options });
  }

  /**
   * Send a request. If it is rejected, the error is shown.
   *
   * @param success text to show when it succeeds
   * @param onUndo called if the user undoes it; offered beside the text
   * @returns the answer, or undefined if it was rejected
   */
  async request(frame, success, onUndo) {
    try {
      const answer = await this.session.request(frame);
      if (success) this.toast?.show(success, { onUndo });
      return answer;
    } catch (refusal) {
      this.showError(refusal);
      return undefined;
    }
  }

  /**
   * Change the text of a message; the session then emits `edited`. If the edit is rejected, the error is shown and
   * returned.
   */
  async edit(seq, body) {
    try {
      const { duplicate } = await this.session.request({ type: "edit", seq, body });
      if (!duplicate) emit(this.session, "edited", { seq });
      return undefined;
    } catch (refusal) {
      this.showError(refusal);
      return refusal;
    }
  }

  /** Show the error with which a request of the session was rejected. */
  showError({ code, detail }) {
    this.toast?.show(detail ?? this.strings[`refused_${code}`] ?? this.strings.refused);
  }

  /** A menu of this room: see {@link Menu}. */
  menu(menu, actions) {
    return new Menu({ menu, actions, signal: this.signal });
  }

  /** Dispatch `roomchat:{name}` on the element, for the site's scripts. */
  dispatch(name, detail) {
    return this.element.dispatch(name, detail);
  }
}
