import { CLOSE_FORBIDDEN } from "./codes.js";
import { APPLY, FOREIGN, HOLE, NOTHING, RESET, receive } from "./cursor.js";
import { emit } from "./emit.js";
import { generateId } from "./identifiers.js";
import { PostQueue } from "./post_queue.js";
import { NamedTimers } from "./timers.js";
import { REAL_CLOCK } from "./transport.js";

const PING_RESYNC_MS = 2_000; // how long a ping may be ahead of the cursor before the events are requested again
const SEEN_EVERY_MS = 2_000;
const SEEN_EVERY_CHARS = 64 * 1024;
const REQUEST_TIMEOUT_MS = 20_000;

const FORWARDED = new Set(["rights", "presence", "typing", "read"]);

/**
 * One user in one room: the position in the room's log, requests to the server, and the posts that are not acknowledged yet.
 *
 * The session applies the cursor rule, requests missing events, and sends posts with a {@link PostQueue}. It does not use the
 * DOM and stores no messages; the view listens to its events:
 *
 * - `status`: `detail = {state, code, reason}`; `connecting`, `connected`, `offline`, `ended`
 * - `messages`: `detail = {messages}`: the latest state of new and changed messages, by `seq`
 * - `reset`: `detail = {messages, more, reason}`: remove all messages and show these; `more`: there are older ones
 * - `pending`: `detail = {post}`: a post is new, or its `state` has changed (`pending`, `failed` with `error`)
 * - `sent`: `detail = {post, seq}`: the server has stored the post as message `seq`, which `messages` brings before or after
 * - `dropped`: `detail = {post, discarded}`: a post was discarded by the user (`discarded`), is edited by the user, or was taken over by another tab
 * - `welcome`: `detail = {you, limits, version}`
 * - `named`: `detail = {name}`: the display name of the user has changed
 * - `rights`, `presence`, `typing`, `read`: `detail` is the frame of that name
 * - `edited`: `detail = {seq}`: the server has stored an edit of the user
 * - `marked`: `detail` is a frame `read` about another room
 * - `held`: `detail = {post, code, seconds}`: a post waits because the server does not accept it yet
 * - `problem`: `detail` is an `error` frame that answers neither a post nor a request
 */
export class Session extends EventTarget {
  #room;
  #you;
  #cursor;
  #transport;
  #outbox;
  #queue;
  #timers;
  #state = "connecting";
  #code;
  #joined = false;
  #isJoining = false;
  #requests = new Map();
  #seenHead = 0;
  #seenChars = 0;
  #isSuspended = false;

  /**
   * @param room canonical name of the room
   * @param you `{key, name}` for which the page was rendered
   * @param cursor `{epoch, head}` of what is shown already
   * @param transport {@link Transport}; its URL should carry `resumeQuery`
   * @param outbox {@link Outbox}
   * @param signals the same as for the transport
   */
  constructor({ room, you, cursor = NOTHING, transport, outbox, clock = REAL_CLOCK, signals }) {
    super();
    this.#room = room;
    this.#you = you;
    this.#cursor = { ...cursor };
    this.#transport = transport;
    this.#outbox = outbox;
    this.#timers = new NamedTimers(clock);
    this.#queue = new PostQueue({ session: this, outbox, clock, timers: this.#timers });
    transport.addEventListener("frame", ({ detail }) => this.#receive(detail));
    transport.addEventListener("lost", ({ detail }) => this.#disconnected("offline", detail));
    transport.addEventListener("ended", ({ detail }) => this.#disconnected("ended", detail));
    signals?.addEventListener("wake", () => this.#wake());
    signals?.addEventListener("sleep", () => this.#sleep());
  }

  get state() {
    return this.#state;
  }

  get you() {
    return this.#you;
  }

  get cursor() {
    return { ...this.#cursor };
  }

  /** Posts that are not acknowledged, in the order in which they are sent. */
  get posts() {
    return this.#queue.posts;
  }

  start() {
    this.#outbox.open();
    this.#queue.resume();
    this.#transport.start();
  }

  stop() {
    this.#outbox.close();
    this.#transport.stop();
    this.#resetConnection();
  }

  /**
   * Post a message. Returns the id of the post, which stays in `posts` until the server has acknowledged it.
   *
   * @param replyTo the message that this one replies to: `{seq, name, body}`
   * @param files attachments: `{id, alt}` of uploaded files, with any fields that the view needs. A file that is being
   *   uploaded has no `id` yet but a method `uploaded()`, whose promise resolves when it has one or rejects with
   *   `{code, detail}`; the post and the posts behind it wait for that promise.
   */
  post(body, options) {
    return this.#queue.post(body, options);
  }

  /** Send a failed post again, at the end of the queue. */
  retry(id) {
    this.#queue.retry(id);
  }

  /** Remove a post that was not sent. */
  discard(id) {
    this.#queue.discard(id);
  }

  /** Remove a failed post and return it, so that the user can edit it; `dropped` follows without `discarded`. */
  takeBack(id) {
    return this.#queue.takeBack(id);
  }

  /**
   * Send any other frame and wait for its answer: `{type: "react", seq, emoji, on}` and so on.
   *
   * Resolves with the answer, rejects with `{code, detail}`; the codes `offline` and `timeout` come from the client.
   */
  request(frame) {
    const id = generateId();
    return new Promise((resolve, reject) => {
      if (!this.send({ ...frame, id })) return reject({ code: "offline" });
      this.#requests.set(id, { resolve, reject });
      this.#timers.set(id, REQUEST_TIMEOUT_MS, () => this.#settleRequest(id, { code: "timeout" }));
    });
  }

  /** Send a frame that needs no answer. Returns false while the room is not joined. */
  send(frame) {
    return this.#joined && this.#transport.send({ room: this.#room, ...frame });
  }

  /** Set the display name, after the server has announced or accepted it. */
  setName(name) {
    this.#you = { ...this.#you, name };
    emit(this, "named", { name });
  }

  /** Request the current state of the room and the rights of the user. */
  refresh() {
    if (this.#joined) this.#join(this.#cursor, { force: true });
  }

  /** Query string for the URL of the socket: the position from which to resume. */
  get resumeQuery() {
    const { epoch, head } = this.#cursor;
    return epoch ? new URLSearchParams({ epoch, since: head }).toString() : "";
  }

  // Received frames

  #receive({ frame, size }) {
    this.#seenChars += size;
    if (this.#requests.has(frame.id)) this.#settleRequest(frame.id, frame);
    else if (frame.type === "welcome") this.#welcome(frame);
    else if (frame.type === "ping") this.#checkHead(frame.heads?.[this.#room]);
    else if (frame.type === "ack") this.#queue.ack(frame);
    else if (frame.type === "error") this.#error(frame);
    else if (frame.type === "named") this.setName(frame.name);
    else if (frame.room !== this.#room) frame.type === "read" && emit(this, "marked", frame);
    else if (frame.type === "joined" || frame.type === "events") this.#advance(frame);
    else if (frame.type === "left") this.#removed();
    else if (FORWARDED.has(frame.type)) emit(this, frame.type, frame);
  }

  #settleRequest(id, answer) {
    const { resolve, reject } = this.#requests.get(id);
    this.#requests.delete(id);
    this.#timers.clear(id);
    if (answer.code) reject({ code: answer.code, detail: answer.detail });
    else resolve(answer);
  }

  #welcome({ you, limits, version }) {
    // The user has signed in or out in another tab. Posts written as one user are not sent as another.
    if (you.key !== this.#you.key) this.#queue.failPending({ code: "identity_changed" });
    this.#you = you;
    emit(this, "welcome", { you, limits, version });
  }

  #error(error) {
    if (this.#queue.reject(error)) return;
    if (error.frame === "join" && error.retry_after >= 0) {
      this.#isJoining = false;
      this.#timers.set("rejoin", error.retry_after * 1000, () => this.#join());
    }
    emit(this, "problem", error);
  }

  #advance(frame) {
    const { verdict, cursor, events } = receive(this.#cursor, frame);
    const joined = frame.type === "joined";
    if (joined) this.#isJoining = false;
    if (verdict === HOLE) return this.#join();
    // If a join with the client's position is still answered from another log, the client starts from nothing.
    if (verdict === FOREIGN) return joined ? this.#join(NOTHING) : this.#join();
    this.#cursor = cursor;
    if (verdict === RESET) emit(this, "reset", { messages: events, more: Boolean(frame.more), reason: frame.reset });
    if (verdict === APPLY && events.length) emit(this, "messages", { messages: events });
    for (const event of events) if (event.author?.key === this.#you.key) this.#queue.ack(event);
    if (joined) this.#connected(frame);
    this.#scheduleSeen();
  }

  /** A ping may overtake frames that are in transit. Events were lost only if the cursor stays behind it. */
  #checkHead(head) {
    if (!(head > this.#cursor.head)) return;
    this.#timers.set("resync", PING_RESYNC_MS, () => this.#cursor.head < head && this.#join(this.#cursor, { force: true }));
  }

  #join({ epoch, head } = this.#cursor, { force = false } = {}) {
    if (this.#isJoining && !force) return;
    const since = epoch ? head : undefined; // without a position the answer is the newest page
    this.#isJoining = this.#transport.send({ type: "join", room: this.#room, epoch, since });
  }

  #connected({ title }) {
    this.#joined = true;
    this.#setState("connected", { title });
    this.#queue.resume();
  }

  #disconnected(state, { code, reason } = {}) {
    this.#resetConnection();
    this.#setState(state, { code, reason });
  }

  #removed() {
    this.#transport.stop();
    this.#disconnected("ended", { code: CLOSE_FORBIDDEN });
  }

  #resetConnection() {
    this.#joined = false;
    this.#isJoining = false;
    this.#seenChars = 0;
    this.#queue.pause();
    this.#timers.clearAll();
    for (const id of [...this.#requests.keys()]) this.#settleRequest(id, { code: "offline" });
  }

  // The back-forward cache: another tab may take over the posts while this page is in it

  #sleep() {
    this.#isSuspended = true;
    this.#outbox.close();
  }

  #wake() {
    if (!this.#isSuspended) return;
    this.#isSuspended = false;
    this.#outbox.open();
    this.#queue.dropAdopted();
  }

  // The frame `seen` reports the cursor from time to time, so that the server can release what it buffers for this client

  #scheduleSeen() {
    if (this.#cursor.head === this.#seenHead) return;
    if (this.#seenChars >= SEEN_EVERY_CHARS) return this.#sendSeen();
    if (!this.#timers.has("seen")) this.#timers.set("seen", SEEN_EVERY_MS, () => this.#sendSeen());
  }

  #sendSeen() {
    this.#timers.clear("seen");
    const { head } = this.#cursor;
    if (!this.#transport.send({ type: "seen", heads: { [this.#room]: head } })) return;
    this.#seenHead = head;
    this.#seenChars = 0;
  }

  #setState(state, detail) {
    const code = detail?.code;
    if (state === this.#state && code === this.#code && state !== "ended") return;
    this.#state = state;
    this.#code = code;
    emit(this, "status", { state, ...detail });
  }
}
