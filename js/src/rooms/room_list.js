import { Calendar } from "../timeline/calendar.js";
import { tokenIn } from "../ui/csrf.js";
import { namesOf } from "../ui/file_size.js";
import { pageSignals } from "../core/page_signals.js";
import { whenParsed } from "../ui/when_parsed.js";
import { postFrame } from "../core/post_frame.js";
import { RoomRows } from "./room_rows.js";
import { SafeStorage } from "../core/storage.js";

const ASK_EVERY_MS = 20_000;
const FRESH_MS = 2_000; // what is younger is not asked for again
const SCROLLED = "roomchat:rooms-scrolled";

/**
 * `<room-list>`: keeps the list of rooms up to date that the server has rendered inside it.
 *
 * What happens in the room of the page, and what is read in any window of the person, it hears. What is said in other
 * rooms it asks for, while somebody can see it: every 20 seconds, and when they come back. Of several windows one asks,
 * and tells the others. See `_room_list.html`.
 */
export class RoomList extends HTMLElement {
  #life = null;
  #rows;
  #channel;
  #timer;
  #askedAt = 0;
  #isAsking = false;

  connectedCallback() {
    whenParsed(this, () => this.#takeOver());
  }

  disconnectedCallback() {
    this.#life?.abort();
    this.#life = null;
  }

  connectedMoveCallback() {}

  #takeOver() {
    if (this.#life) return;
    this.#life = new AbortController();
    const { signal } = this.#life;
    const { meKey: key, you: word, current } = this.dataset;
    const calendar = new Calendar({ language: this.closest("[lang]")?.lang || undefined, words: {} });
    const address = (name) => this.#address(name);
    this.#rows = new RoomRows({ list: this, current, you: { key, word }, address, calendar, signal });
    this.#channel = openChannel(`roomchat:rooms:${key}`, signal);
    this.#channel?.addEventListener("message", ({ data }) => this.#hear(data), { signal });
    const on = (target, type, handler, options) => target.addEventListener(type, handler, { signal, ...options });
    on(document, "roomchat:message", ({ target, detail }) => this.#heardMessage(target, detail));
    on(document, "roomchat:read", ({ detail }) => this.#heardRead(detail));
    on(document, "roomchat:status", ({ detail }) => detail.state === "connected" && this.#ask());
    on(document, "visibilitychange", () => isAway() && clearTimeout(this.#timer));
    // Before the composer, in which the arrow alone means something else.
    on(document, "keydown", (event) => this.#pressed(event), { capture: true });
    on(window, "focus", () => this.#ask());
    on(pageSignals({ signal }), "wake", () => this.#ask());
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
    this.#keepScrolled(on);
    this.#askedAt = Date.now();
    this.#askLater();
  }

  // Asking

  async #ask() {
    clearTimeout(this.#timer);
    if (this.#isAsking || isAway()) return;
    // Where there is no space for it, nobody sees it either.
    if (Date.now() - this.#askedAt < FRESH_MS || !this.getClientRects().length) return this.#askLater();
    this.#isAsking = true;
    const rooms = await this.#fetch();
    this.#isAsking = false;
    if (!this.#life) return;
    if (rooms) {
      this.#askedAt = Date.now();
      this.#rows.show(rooms);
      this.#rows.tellTimes();
      this.#channel?.postMessage({ rooms, limit: this.#limit });
    }
    this.#askLater();
  }

  #askLater() {
    clearTimeout(this.#timer);
    if (!isAway()) this.#timer = setTimeout(() => this.#ask(), ASK_EVERY_MS);
  }

  /** By the room's own line where there is one: it needs no session and no CSRF token to be looked up. */
  async #fetch() {
    const frame = { type: "rooms", limit: this.#limit };
    const { session } = document.querySelector("room-chat") ?? {};
    try {
      const answer = await (session ? session.request(frame) : postFrame({ url: this.dataset.framesUrl, token: tokenIn(this), frame }));
      return answer.rooms;
    } catch {
      return undefined; // the next time
    }
  }

  get #limit() {
    return Number(this.dataset.limit);
  }

  // Hearing

  #hear({ rooms, limit, read }) {
    if (read) this.#rows.count(read.room, read);
    // A longer list than ours, or one that was cut off where ours goes on, does not help.
    if (!rooms || rooms.length > this.#limit || (rooms.length >= limit && limit !== this.#limit)) return;
    this.#askedAt = Date.now();
    this.#rows.show(rooms);
    this.#askLater();
  }

  #heardRead({ room, unread, mentions }) {
    this.#rows.count(room, { unread, mentions });
    this.#channel?.postMessage({ read: { room, unread, mentions } });
  }

  #heardMessage({ dataset }, { message }) {
    if (message.line) return;
    const { at, author, body, files } = message;
    this.#rows.said(dataset.room, { at, key: author.key, name: author.name, body: body || namesOf(files) });
  }

  // Going

  #address(name) {
    const place = this.dataset.roomUrl.lastIndexOf("~");
    return this.dataset.roomUrl.slice(0, place) + encodeURIComponent(name) + this.dataset.roomUrl.slice(place + 1);
  }

  /** Alt+↑ and Alt+↓: the room above and below; with Shift the next one in which something is unread. */
  #pressed(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step || !event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    if (event.target.closest?.("select") || document.querySelector("dialog[open], [popover]:popover-open")) return;
    const links = this.#rows.links;
    const here = links.findIndex((link) => link.ariaCurrent === "page");
    // From here to the end, and on from the other end.
    const others = links.slice(here + 1).concat(links.slice(0, Math.max(here, 0)));
    const way = step > 0 ? others : others.reverse();
    const goal = way.find((link) => !event.shiftKey || isWaiting(link));
    if (!goal) return;
    event.preventDefault();
    event.stopPropagation();
    goal.click();
  }

  /** In the next room the column stands as it stood in this one. */
  #keepScrolled(on) {
    const body = this.querySelector('[data-part="list-body"]');
    if (!body || !this.dataset.current) return;
    const storage = new SafeStorage(() => sessionStorage);
    body.scrollTop = Number(storage.get(SCROLLED) ?? 0);
    const current = this.#rows.links.find((link) => link.ariaCurrent === "page");
    if (current) body.scrollTop += outside(current.getBoundingClientRect(), body.getBoundingClientRect());
    on(window, "pagehide", () => storage.set(SCROLLED, String(body.scrollTop)));
  }
}

function isAway() {
  return document.visibilityState !== "visible";
}

function isWaiting(link) {
  const row = link.closest("li");
  return "unread" in row.dataset && !("muted" in row.dataset);
}

function openChannel(name, signal) {
  if (!globalThis.BroadcastChannel) return undefined;
  const channel = new BroadcastChannel(name);
  signal.addEventListener("abort", () => channel.close());
  return channel;
}

/**
 * How far a box reaches out of the one that scrolls, in pixels: above is negative.
 *
 * `scrollIntoView()` would scroll, too, but in some versions of Chromium the first Tab goes on from there.
 */
function outside(box, around) {
  if (box.top < around.top) return box.top - around.top;
  return Math.max(0, box.bottom - around.bottom);
}
