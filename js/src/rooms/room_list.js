import { pageSignals } from "../core/page_signals.js";
import { postFrame } from "../core/post_frame.js";
import { SafeStorage } from "../core/storage.js";
import { Calendar } from "../timeline/calendar.js";
import { csrfToken } from "../ui/csrf.js";
import { fileNames } from "../ui/file_size.js";
import { whenParsed } from "../ui/when_parsed.js";
import { RoomRows } from "./room_rows.js";

const REFRESH_MS = 20_000;
const FRESH_MS = 2_000; // a list that is not older is not requested again
const SCROLL_KEY = "roomchat:rooms-scrolled";

/**
 * `<room-list>`: updates the room list that the server has rendered inside it.
 *
 * Messages in the room of the page and read markers of all tabs arrive as events. Messages in other rooms are
 * requested every 20 seconds while the list is visible, and when the page becomes visible again. Of several tabs one
 * requests the list and broadcasts it. See `_room_list.html`.
 */
export class RoomList extends HTMLElement {
  #abortController = null;
  #rows;
  #channel;
  #timer;
  #refreshedAt = 0;
  #isRefreshing = false;

  connectedCallback() {
    whenParsed(this, () => this.#hydrate());
  }

  disconnectedCallback() {
    this.#abortController?.abort();
    this.#abortController = null;
  }

  connectedMoveCallback() {}

  #hydrate() {
    if (this.#abortController) return;
    this.#abortController = new AbortController();
    const { signal } = this.#abortController;
    const { meKey: key, you: label, current } = this.dataset;
    const formats = JSON.parse(this.querySelector('script[type="application/json"]').textContent);
    const calendar = new Calendar({ strings: { formats } });
    const roomUrl = (name) => this.#roomUrl(name);
    this.#rows = new RoomRows({ list: this, current, you: { key, label }, roomUrl, calendar, signal });
    this.#channel = openChannel(`roomchat:rooms:${key}`, signal);
    this.#channel?.addEventListener("message", ({ data }) => this.#onChannelMessage(data), { signal });
    const on = (target, type, handler, options) => target.addEventListener(type, handler, { signal, ...options });
    on(document, "roomchat:message", ({ target, detail }) => this.#onMessage(target, detail));
    on(document, "roomchat:read", ({ detail }) => this.#onRead(detail));
    on(document, "roomchat:status", ({ detail }) => detail.state === "connected" && this.#refresh());
    on(document, "visibilitychange", () => isHidden() && clearTimeout(this.#timer));
    // In the capture phase: for the composer, the arrow key has another meaning.
    on(document, "keydown", (event) => this.#onKeydown(event), { capture: true });
    on(window, "focus", () => this.#refresh());
    on(pageSignals({ signal }), "wake", () => this.#refresh());
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
    this.#restoreScroll(on);
    this.#refreshedAt = Date.now();
    this.#scheduleRefresh();
  }

  // Requests

  async #refresh() {
    clearTimeout(this.#timer);
    if (this.#isRefreshing || isHidden()) return;
    // A list without boxes is not visible.
    if (Date.now() - this.#refreshedAt < FRESH_MS || !this.getClientRects().length) return this.#scheduleRefresh();
    this.#isRefreshing = true;
    const rooms = await this.#fetch();
    this.#isRefreshing = false;
    if (!this.#abortController) return;
    if (rooms) {
      this.#refreshedAt = Date.now();
      this.#rows.show(rooms);
      this.#rows.updateTimes();
      this.#channel?.postMessage({ rooms, limit: this.#limit });
    }
    this.#scheduleRefresh();
  }

  #scheduleRefresh() {
    clearTimeout(this.#timer);
    if (!isHidden()) this.#timer = setTimeout(() => this.#refresh(), REFRESH_MS);
  }

  /** Uses the room's socket if there is one: that needs no session lookup and no CSRF token. */
  async #fetch() {
    const frame = { type: "rooms", limit: this.#limit };
    const { session } = document.querySelector("room-chat") ?? {};
    try {
      const answer = await (session ? session.request(frame) : postFrame({ url: this.dataset.framesUrl, token: csrfToken(this), frame }));
      return answer.rooms;
    } catch {
      return undefined; // the next request may succeed
    }
  }

  get #limit() {
    return Number(this.dataset.limit);
  }

  // Updates

  #onChannelMessage({ rooms, limit, read }) {
    if (read) this.#rows.setUnread(read.room, read);
    // Ignore a list that is longer than this one, or that was cut off where this one continues.
    if (!rooms || rooms.length > this.#limit || (rooms.length >= limit && limit !== this.#limit)) return;
    this.#refreshedAt = Date.now();
    this.#rows.show(rooms);
    this.#scheduleRefresh();
  }

  #onRead({ room, unread, mentions }) {
    this.#rows.setUnread(room, { unread, mentions });
    this.#channel?.postMessage({ read: { room, unread, mentions } });
  }

  #onMessage({ dataset }, { message }) {
    if (message.line) return;
    const { at, author, body, files } = message;
    this.#rows.addMessage(dataset.room, { at, key: author.key, name: author.name, body: body || fileNames(files) });
  }

  // Navigation

  #roomUrl(name) {
    const index = this.dataset.roomUrl.lastIndexOf("~");
    return this.dataset.roomUrl.slice(0, index) + encodeURIComponent(name) + this.dataset.roomUrl.slice(index + 1);
  }

  /** Alt+↑ and Alt+↓ open the previous and the next room; with Shift, only rooms with unread messages. */
  #onKeydown(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step || !event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    if (event.target.closest?.("select") || document.querySelector("dialog[open], [popover]:popover-open")) return;
    const links = this.#rows.links;
    const index = links.findIndex((link) => link.ariaCurrent === "page");
    // From the current room to the end, then from the other end.
    const others = links.slice(index + 1).concat(links.slice(0, Math.max(index, 0)));
    const ordered = step > 0 ? others : others.reverse();
    const target = ordered.find((link) => !event.shiftKey || hasUnread(link));
    if (!target) return;
    event.preventDefault();
    event.stopPropagation();
    target.click();
  }

  /** Keep the scroll position of the list when another room is opened. */
  #restoreScroll(on) {
    const body = this.querySelector('[data-part="list-body"]');
    if (!body || !this.dataset.current) return;
    const storage = new SafeStorage(() => sessionStorage);
    body.scrollTop = Number(storage.get(SCROLL_KEY) ?? 0);
    const current = this.#rows.links.find((link) => link.ariaCurrent === "page");
    if (current) body.scrollTop += overflow(current.getBoundingClientRect(), body.getBoundingClientRect());
    on(window, "pagehide", () => storage.set(SCROLL_KEY, String(body.scrollTop)));
  }
}

function isHidden() {
  return document.visibilityState !== "visible";
}

function hasUnread(link) {
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
 * How far a box extends beyond its scroller, in pixels; negative at the top.
 *
 * `scrollIntoView()` is not used because in some versions of Chromium the first Tab would continue from there.
 */
function overflow(rect, scroller) {
  if (rect.top < scroller.top) return rect.top - scroller.top;
  return Math.max(0, rect.bottom - scroller.bottom);
}
