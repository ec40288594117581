/**
 * The range of a room's log that the page shows, without gaps: from the message `oldest` to the message `newest`.
 *
 * The window either ends at the live end of the room, where messages from the socket continue it, or in the past,
 * because the user went there or newer messages were removed from the page. In the second case new messages are
 * outside of the window until newer pages have reached the live end.
 *
 * Pages and socket are joined by the cursor rule. A page is complete up to its `head`, and messages that the socket
 * delivers while a page is requested are kept. The last page, if its head is not behind the position at the time of
 * the request, is therefore complete together with these messages.
 *
 * The window has numbers only, no DOM; `log_view.js` shows the messages, `history.js` requests the pages.
 */
export class MessageWindow {
  #oldest;
  #newest;
  #isAtStart;
  #isLive;
  #request = null;

  /**
   * @param isAtStart whether the window starts with the first message of the room; @param isLive whether it ends at
   *   the live end
   */
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

  /** Whether a message with this sequence number belongs to the window. */
  covers(seq) {
    return (this.#isAtStart || seq >= this.#oldest) && (this.#isLive || seq <= (this.#newest ?? -1));
  }

  /** Messages that the socket has delivered. Returns those that belong to the window. */
  add(messages) {
    for (const message of messages) this.#request?.added.set(message.seq, message);
    const covered = messages.filter(({ seq }) => this.covers(seq));
    this.#extend(covered);
    return covered;
  }

  /** The server has reset the session: the window is its newest page. */
  reset(messages, { more }) {
    this.#request = null;
    this.#clear({ isAtStart: !more, isLive: true });
    this.#extend(messages);
  }

  /** Messages beyond these numbers were removed from the page. */
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
   * Begin to request a page; a previous request is cancelled.
   *
   * @param what `older`, `newer`, `newest`, or `around` the message `seq`
   * @param position `{epoch, head}` of the session
   * @returns the argument for `accept()`; `query` is for the URL
   */
  request(what, { epoch, head }, seq) {
    const from = { older: this.#oldest, newer: this.#newest ?? 0 }[what];
    const query = { older: { before: from }, newer: { after: from }, around: { around: seq }, newest: {} }[what];
    this.#request = { what, from, query, epoch, head, added: new Map() };
    return this.#request;
  }

  /** Accept a page. Returns `{messages, replaces}`, oldest first, or undefined if the page no longer fits. */
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

  /** The page cannot be loaded. */
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
