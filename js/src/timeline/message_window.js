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
export class Stretch {
  #oldest;
  #newest;
  #begins;
  #isLive;
  #asked = null;

  /** @param begins whether it begins where the room does; @param isLive whether it ends at the live end */
  constructor({ oldest = null, newest = null, begins, isLive }) {
    this.#oldest = oldest;
    this.#newest = newest;
    this.#begins = begins;
    this.#isLive = isLive;
  }

  get oldest() {
    return this.#oldest;
  }

  get newest() {
    return this.#newest;
  }

  get begins() {
    return this.#begins;
  }

  get isLive() {
    return this.#isLive;
  }

  /** Does a message with this number belong here? */
  covers(seq) {
    return (this.#begins || seq >= this.#oldest) && (this.#isLive || seq <= (this.#newest ?? -1));
  }

  /** The socket has brought these; those that belong here come back. */
  admit(messages) {
    for (const message of messages) this.#asked?.meanwhile.set(message.seq, message);
    const belonging = messages.filter(({ seq }) => this.covers(seq));
    this.#reach(belonging);
    return belonging;
  }

  /** The server says to throw everything away and show its newest page. */
  startOver(messages, { more }) {
    this.#asked = null;
    this.#replace({ begins: !more, isLive: true });
    this.#reach(messages);
  }

  /** What lies beyond these numbers was taken out. */
  cut({ oldest, newest }) {
    if (oldest !== undefined) {
      this.#oldest = oldest;
      this.#begins = false;
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
  ask(what, { epoch, head }, place) {
    const from = { older: this.#oldest, newer: this.#newest ?? 0 }[what];
    const query = { older: { before: from }, newer: { after: from }, around: { around: place }, newest: {} }[what];
    this.#asked = { what, from, query, epoch, head, meanwhile: new Map() };
    return this.#asked;
  }

  /** The page has come: `{messages, replaces}`, oldest first; or nothing if it does not fit any more. */
  answer(asked, { epoch, head, messages, before, after }) {
    if (asked !== this.#asked) return undefined;
    this.#asked = null;
    const { what, meanwhile } = asked;
    const isForeign = epoch && asked.epoch && epoch !== asked.epoch;
    const isLoose =
      (what === "older" && asked.from !== this.#oldest) ||
      (what === "newer" && (this.#isLive || asked.from !== (this.#newest ?? 0)));
    if (isForeign || isLoose) return undefined;
    const replaces = what === "around" || what === "newest";
    if (replaces) this.#replace({});
    if (what !== "newer") this.#begins = (before ?? null) === null;
    if (what !== "older") this.#isLive = (after ?? null) === null && head >= asked.head;
    const page = [...messages].reverse();
    this.#reach(page);
    const later = [...meanwhile.values()].filter(({ seq }) => this.covers(seq));
    this.#reach(later);
    return { messages: [...page, ...later], replaces };
  }

  /** It will not come. */
  forget(asked) {
    if (asked === this.#asked) this.#asked = null;
  }

  #replace({ begins = false, isLive = false }) {
    this.#oldest = this.#newest = null;
    this.#begins = begins;
    this.#isLive = isLive;
  }

  #reach(messages) {
    for (const { seq } of messages) {
      if (this.#oldest === null || seq < this.#oldest) this.#oldest = seq;
      if (this.#newest === null || seq > this.#newest) this.#newest = seq;
    }
  }
}
