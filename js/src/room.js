import { Menu } from "./ui/menu.js";

/**
 * The room in the page, as its features see it.
 *
 * A feature is a function that is given this once: when the element has taken the page over (`features.js` lists them), or
 * when somebody first reaches for the room (`panels.js`).
 * It finds its markup with `part()`, hears the session with `on()`, asks the server with `ask()`, puts what can be done
 * with a message or with the room into the two menus, and ends with `signal`.
 */
export class Room {
  /** The last frame of that name; empty before the first. */
  rights = {};
  /** By `data-do`: `{when(view), act(view, button)}`; `view` is a {@link MessageView}. */
  messageActions = new Map();
  /** By `data-do`: `{when(), act(undefined, button)}`. */
  roomActions = new Map();
  /** By `data-do`: `{when(person), act(person)}`; `person` is the frame of that name, `{key, name, role, may, banned, muted}`. */
  personActions = new Map();

  /**
   * @param element `<room-chat>`
   * @param words what the script says, in the page's language
   * @param composer {@link Composer}; none where one may only read
   * @param notice {@link Notice}; none where the template has none
   */
  constructor({ element, strings, calendar, session, log, history, composer, toast, signal }) {
    Object.assign(this, { element, strings, calendar, session, log, history, composer, toast, signal });
    this.on("rights", (frame) => (this.rights = frame));
  }

  /** Resolves when what is behind buttons is here, or cannot be had just now; see `door.js`. */
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

  /** Where keys and what is pasted are the room's: in a page of ours everywhere, in another one only within the room. */
  get eventScope() {
    return "ownPage" in this.data ? document : this.element;
  }

  /** Where a message is shown among those around it, for ever. */
  messageUrl(seq) {
    return new URL(`?at=${seq}#m-${seq}`, new URL(this.data.roomUrl, location));
  }

  get you() {
    return this.session.you;
  }

  /** May the person do this here, as far as the server has told? The words are those of the frame `rights`. */
  can(what) {
    return (this.data.can ?? "").split(" ").includes(what);
  }

  /** Hear an event of the session: `handler(detail)`. */
  on(type, handler) {
    this.session.addEventListener(type, ({ detail }) => handler(detail), { signal: this.signal });
  }

  /** Hear an event of an element, as long as the room is in the page. */
  listen(target, type, handler, options) {
    target?.addEventListener(type, handler, { signal: this.signal, ...options });
  }

  /**
   * Ask the server for something. A refusal is told in words.
   *
   * @param told what to tell when it is done
   * @returns the answer, or undefined if it was refused
   */
  async request(frame, success) {
    try {
      const answer = await this.session.request(frame);
      if (success) this.toast?.show(success);
      return answer;
    } catch (refusal) {
      this.showError(refusal);
      return undefined;
    }
  }

  /** Tell a refusal in words: what a request of the session rejects with. */
  showError({ code, detail }) {
    this.toast?.show(detail ?? this.strings[`refused_${code}`] ?? this.strings.refused);
  }

  /** A menu of this room: see {@link Menu}. */
  menu(menu, actions) {
    return new Menu({ menu, actions, signal: this.signal });
  }

  /** Tell the site's own scripts: `roomchat:{name}`. */
  dispatch(name, detail) {
    return this.element.dispatch(name, detail);
  }
}
