import { hue, initials } from "../people/avatars.js";

const UNREAD_MAX = 99; // the server counts up to 100
const PARTS = ["yours", "lately"];

/**
 * The rows of the room list. It updates the rendered rows in place, and moves the room with the latest message to the
 * top, but not while the pointer or the focus is in the list.
 */
export class RoomRows {
  #list;
  #current;
  #you;
  #roomUrl;
  #calendar;
  #rows = new Map();
  #order = {};

  /**
   * @param list the element with the parts and the template
   * @param current name of the room of the page, if any
   * @param you `{key, label}`: the user's key, and the label of own messages
   * @param roomUrl `roomUrl(name)`: URL of a room
   */
  constructor({ list, current, you, roomUrl, calendar, signal }) {
    this.#list = list;
    this.#current = current;
    this.#you = you;
    this.#roomUrl = roomUrl;
    this.#calendar = calendar;
    for (const part of PARTS) {
      const rows = [...list.querySelectorAll(`[data-part="${part}"] li[data-room]`)];
      for (const row of rows) this.#rows.set(row.dataset.room, row);
      this.#order[part] = rows.map(({ dataset }) => dataset.room);
    }
    this.updateTimes();
    // In the next frame: during these events, :hover (in Firefox) and the focus are not updated yet.
    for (const type of ["pointerleave", "focusout"]) {
      list.addEventListener(type, () => requestAnimationFrame(() => this.#applyOrder()), { signal });
    }
  }

  /** The links in the displayed order. */
  get links() {
    return [...this.#list.querySelectorAll('[data-part="listed-link"]')];
  }

  /** Show the complete list, latest message first; `rooms` as in the frame `rooms`. */
  show(rooms) {
    const names = new Set(rooms.map(({ name }) => name));
    const isHere = this.#rows.has(this.#current) && !names.has(this.#current);
    for (const room of rooms) this.#fill(this.#rowOf(room.name), room);
    for (const name of this.#rows.keys()) if (!names.has(name) && name !== this.#current) this.#rows.delete(name);
    this.#order = {
      yours: [...(isHere ? [this.#current] : []), ...rooms.filter(({ yours }) => yours).map(({ name }) => name)],
      lately: rooms.filter(({ yours }) => !yours).map(({ name }) => name),
    };
    this.#applyOrder();
  }

  /** A message was posted in a room of the list: `{at, key, name, body}`. */
  addMessage(name, message) {
    const row = this.#rows.get(name);
    if (!row) return;
    this.#fillLast(row, message);
    for (const names of Object.values(this.#order)) {
      const index = names.indexOf(name);
      if (index > 0) names.unshift(...names.splice(index, 1));
    }
    this.#applyOrder();
  }

  /** Update the unread count of a room. */
  setUnread(name, { unread = 0, mentions = 0 }) {
    const row = this.#rows.get(name);
    if (row) this.#fillCount(row, { unread, mentions });
  }

  /** Format the times with the clock of the browser and the current day. */
  updateTimes() {
    for (const row of this.#rows.values()) this.#fillTime(row, part(row, "when")?.dateTime);
  }

  #rowOf(name) {
    let row = this.#rows.get(name);
    if (!row) {
      row = this.#template.content.firstElementChild.cloneNode(true);
      row.dataset.room = name;
      part(row, "link").href = this.#roomUrl(name);
      this.#rows.set(name, row);
    }
    return row;
  }

  get #template() {
    return this.#list.querySelector('template[data-template="listed-room"]');
  }

  #fill(row, room) {
    const { name, title, visibility, muted = false, archived = false, last, changed_at: changedAt } = room;
    setText(row, "title", title);
    setText(row, "tile", initials(title));
    part(row, "tile")?.setAttribute("data-hue", hue(name));
    row.toggleAttribute("data-muted", muted);
    row.toggleAttribute("data-direct", visibility === "direct");
    this.#fillMarks(row, { [visibility]: true, muted, archived });
    if (last) this.#fillLast(row, last);
    else this.#clearLast(row, changedAt);
    this.#fillCount(row, room);
  }

  #fillLast(row, { at, key, name, body }) {
    const author = part(row, "author");
    const isOwn = key === this.#you.key;
    if (author) author.hidden = "direct" in row.dataset && !isOwn;
    setText(row, "author", isOwn ? this.#you.label : name);
    // Isolated, so that the text has its own direction.
    setText(row, "last", `\u2068${body}\u2069`);
    this.#fillTime(row, at);
  }

  /** The room has no message any more: the row must not keep the text of a deleted one. */
  #clearLast(row, at) {
    const author = part(row, "author");
    if (author) author.hidden = true;
    setText(row, "author", "");
    setText(row, "last", "");
    this.#fillTime(row, at);
  }

  #fillTime(row, at) {
    const element = part(row, "when");
    if (!element || !at) return;
    const moment = new Date(at);
    element.dateTime = at;
    element.title = this.#calendar.moment(moment);
    setText(row, "when", this.#calendar.short(moment));
  }

  #fillCount(row, { unread = 0, mentions = 0 }) {
    row.toggleAttribute("data-unread", unread > 0);
    setText(row, "unread", unread > UNREAD_MAX ? `${UNREAD_MAX}+` : String(unread));
    const [unreadCount, mention] = [part(row, "count"), part(row, "mention")];
    if (unreadCount) unreadCount.hidden = !unread;
    if (mention) mention.hidden = !mentions;
  }

  #fillMarks(row, active) {
    const marks = part(row, "marks");
    if (!marks) return;
    const all = [...part(this.#template.content, "marks").querySelectorAll("[data-mark]")];
    const wanted = all.filter(({ dataset }) => active[dataset.mark]);
    const shown = [...marks.querySelectorAll("[data-mark]")];
    if (markNames(wanted) !== markNames(shown)) marks.replaceChildren(...wanted.map((mark) => mark.cloneNode(true)));
  }

  // Order

  #applyOrder() {
    if (this.#isInUse) return;
    for (const name of PARTS) {
      const section = this.#list.querySelector(`[data-part="${name}"]`);
      const list = section?.querySelector("ul");
      if (!list) continue;
      arrange(list, this.#order[name].map((room) => this.#rows.get(room)).filter(Boolean));
      section.hidden = !list.children.length;
    }
    const nothing = this.#list.querySelector('[data-part="no-rooms"]');
    if (nothing) nothing.hidden = this.#rows.size > 0;
  }

  get #isInUse() {
    return this.#list.contains(document.activeElement) || this.#list.matches(":hover");
  }
}

function part(row, name) {
  return row.querySelector(`[data-part="listed-${name}"]`);
}

function setText(row, name, text) {
  const element = part(row, name);
  if (element && element.textContent !== text) element.textContent = text;
}

function markNames(marks) {
  return marks.map(({ dataset }) => dataset.mark).join();
}

/** Show exactly these rows in this order. Rows that are in the right position are not moved. */
function arrange(list, rows) {
  let next = list.firstElementChild;
  for (const row of rows) {
    if (row === next) next = next.nextElementSibling;
    else list.insertBefore(row, next);
  }
  while (next) {
    const gone = next;
    next = next.nextElementSibling;
    gone.remove();
  }
}
