import { UnreadBadge } from "./unread_badge.js";

const SEND_AFTER_MS = 1_000;

/** Send the read marker, and show the unread count on the room's own page. */
export function readTracking(room) {
  const { session, log, data, signal } = room;
  const tracker = new ReadTracker({
    log,
    list: room.part("messages"),
    read: Number(data.read ?? 0),
    badge: "ownPage" in data ? new UnreadBadge() : undefined,
    send: (seq) => session.send({ type: "read", seq }),
    signal,
  });
  room.on("read", (frame) => tracker.readElsewhere(frame));
  for (const type of ["read", "marked"]) room.on(type, ({ room: name, ...mark }) => room.dispatch("read", { room: name, ...mark }));
  room.on("status", ({ state }) => state === "connected" && tracker.update());
  room.listen(log, "new-messages", ({ detail: { others } }) => others.length && tracker.addUnread(others.length, others[0].seq));
}

/**
 * Tracks what the user has read: sends the read marker, and counts unread messages while the page is hidden.
 *
 * A message counts as read when the page is visible and scrolled to the end of the log.
 */
export class ReadTracker {
  #log;
  #send;
  #sent;
  #timer = null;
  #unread = 0;
  #badge;

  /**
   * @param read sequence number up to which the user has read before; @param badge {@link UnreadBadge}, if any;
   *   @param send `send(seq)`
   */
  constructor({ log, list, read, badge, send, signal }) {
    this.#log = log;
    this.#sent = read;
    this.#send = send;
    this.#badge = badge;
    document.addEventListener("visibilitychange", () => this.update(), { signal });
    window.addEventListener("focus", () => this.update(), { signal });
    list.addEventListener("reach-live", () => this.update(), { signal });
    signal.addEventListener("abort", () => {
      clearTimeout(this.#timer);
      this.#show(0);
    });
  }

  /** Whether the page is visible and scrolled to the end. */
  get isViewing() {
    return document.visibilityState === "visible" && this.#log.atBottom;
  }

  /** New messages of others have arrived; `first` is the sequence number of the first one. */
  addUnread(count, first) {
    if (document.visibilityState !== "visible") {
      if (!this.#unread) this.#log.startNewMarker(first);
      this.#show(this.#unread + count);
    }
    this.update();
  }

  /** Another tab of the user has read up to `seq`; `unread` messages are left. */
  readElsewhere({ seq, unread }) {
    this.#sent = Math.max(this.#sent, seq);
    if (unread < this.#unread) this.#show(unread);
  }

  /** Reset the count if the page is visible, and send the read marker after a delay if the end is visible. */
  update() {
    if (document.visibilityState === "visible") this.#show(0);
    if (this.isViewing && this.#timer === null) this.#timer = setTimeout(() => this.#flush(), SEND_AFTER_MS);
  }

  #flush() {
    this.#timer = null;
    const { newest } = this.#log;
    if (this.isViewing && newest > this.#sent && this.#send(newest)) this.#sent = newest;
  }

  #show(unread) {
    if (unread !== this.#unread) this.#badge?.show(unread);
    this.#unread = unread;
  }
}
