/**
 * The part of a room's log that the page shows: one stretch without holes, from the message `oldest` to the message
 * `newest`.
 *
 * It ends at the live end of the room, and what the socket brings continues it; or it ends somewhere in the past, since the
 * reader went there, or what lay far below them was taken out. Then what is said now does not belong here, until newer pages
 * have met the live end.
 *
 * The two meet by the cursor rule. A page has everything up to its `head`, and what the socket brings while the page is on
 * its way is kept. So the last page, if it knows what the socket knew when it was asked for, and what was kept are together
 * all that there is.
 *
 * Numbers only, no DOM; `log_view.js` shows them, `history.js` asks for pages.
 */
export class MessageWindow {
  #oldest;
  #newest;
  #isAtStart;
  #isLive;
  #request = null;

  /** @param begins whether it begins where the room does; @param isLive whether it ends at the live end */
  constructor({ oldest = null, newest = null, isAtStart, isLive }) {
    this.#oldest = oldest;
    this.#newest = newest;
    this.#isAtStart = isAtStart;
    this.#isLive = isLive;
  }

  get oldest() {
    return this.#oldest;
  }

  get newest() {
    return this.#newest;
  }

  get isAtStart() {
    return this.#isAtStart;
  }

  get isLive() {
    return this.#isLive;
  }

  /** Does a message with this number belong here? */
  covers(seq) {
    return (this.#isAtStart || seq >= this.#oldest) && (this.#isLive || seq <= (this.#newest ?? -1));
  }

  /** The socket has brought these; those that belong here come back. */
  add(messages) {
    for (const message of messages) this.#request?.added.set(message.seq, message);
    const covered = messages.filter(({ seq }) => this.covers(seq));
    this.#extend(covered);
    return covered;
  }

  /** The server says to throw everything away and show its newest page. */
  reset(messages, { more }) {
    this.#request = null;
    this.#clear({ isAtStart: !more, isLive: true });
    this.#extend(messages);
  }

  /** What lies beyond these numbers was taken out. */
  trim({ oldest, newest }) {
    if (oldest !== undefined) {
      this.#oldest = oldest;
      this.#isAtStart = false;
    }
    if (newest !== undefined) {
      this.#newest = newest;
      this.#isLive = false;
    }
  }

  /**
   * Ask for a page. The one asked for before is forgotten.
   *
   * @param what `older`, `newer`, `newest`, or `around` the message `place`
   * @param position `{epoch, head}`: what the socket knows now
   * @returns what to give to `answer()`; `query` is for the address
   */
  request(what, { epoch, head }, seq) {
    const from = { older: this.#oldest, newer: this.#newest ?? 0 }[what];
    const query = { older: { before: from }, newer: { after: from }, around: { around: seq }, newest: {} }[what];
    this.#request = { what, from, query, epoch, head, added: new Map() };
    return this.#request;
  }

  /** The page has come: `{messages, replaces}`, oldest first; or nothing if it does not fit any more. */
  accept(request, { epoch, head, messages, before, after }) {
    if (request !== this.#request) return undefined;
    this.#request = null;
    const { what, added } = request;
    const isOtherEpoch = epoch && request.epoch && epoch !== request.epoch;
    const isDetached =
      (what === "older" && request.from !== this.#oldest) ||
      (what === "newer" && (this.#isLive || request.from !== (this.#newest ?? 0)));
    if (isOtherEpoch || isDetached) return undefined;
    const replaces = what === "around" || what === "newest";
    if (replaces) this.#clear({});
    if (what !== "newer") this.#isAtStart = (before ?? null) === null;
    if (what !== "older") this.#isLive = (after ?? null) === null && head >= request.head;
    const page = [...messages].reverse();
    this.#extend(page);
    const later = [...added.values()].filter(({ seq }) => this.covers(seq));
    this.#extend(later);
    return { messages: [...page, ...later], replaces };
  }

  /** It will not come. */
  cancel(request) {
    if (request === this.#request) this.#request = null;
  }

  #clear({ isAtStart = false, isLive = false }) {
    this.#oldest = this.#newest = null;
    this.#isAtStart = isAtStart;
    this.#isLive = isLive;
  }

  #extend(messages) {
    for (const { seq } of messages) {
      if (this.#oldest === null || seq < this.#oldest) this.#oldest = seq;
      if (this.#newest === null || seq > this.#newest) this.#newest = seq;
    }
  }
}
