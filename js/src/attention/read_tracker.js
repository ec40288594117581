import { UnreadBadge } from "./unread_badge.js";

const SEND_AFTER_MS = 1_000;

/** How far one has read. */
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
 * What the person has read: told to the server, and counted while they look elsewhere.
 *
 * A message counts as read when the page is in front and its end is in sight.
 */
export class ReadTracker {
  #log;
  #send;
  #sent;
  #timer = null;
  #unread = 0;
  #badge;

  /** @param read the place up to which it was read before; @param badge {@link Badge}, if any; @param tell `tell(seq)` */
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

  /** Somebody is in front of the page, at the end of the messages. */
  get isViewing() {
    return document.visibilityState === "visible" && this.#log.atBottom;
  }

  /** New messages of others have arrived; `first` is the place of the first of them. */
  addUnread(count, first) {
    if (document.visibilityState !== "visible") {
      if (!this.#unread) this.#log.startNewMarker(first);
      this.#show(this.#unread + count);
    }
    this.update();
  }

  /** Another tab of the same person has read up to `seq`, which leaves so many `unread`. */
  readElsewhere({ seq, unread }) {
    this.#sent = Math.max(this.#sent, seq);
    if (unread < this.#unread) this.#show(unread);
  }

  /** Is anybody looking? Then what they see is read in a moment. */
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
