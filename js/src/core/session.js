import { CLOSE_FORBIDDEN, UNREADABLE_FRAME_CODES } from "./codes.js";
import { APPLY, FOREIGN, HOLE, NOTHING, RESET, receive } from "./cursor.js";
import { freshId } from "./identifiers.js";
import { REAL_CLOCK } from "./transport.js";

const ANSWER_TIMEOUT_MS = 20_000; // a post without an answer is sent again, with the same id
const PING_RESYNC_MS = 2_000; // how long a ping may know more than we do before we ask
const SEEN_EVERY_MS = 2_000;
const SEEN_EVERY_CHARS = 64 * 1024;
const REQUEST_TIMEOUT_MS = 20_000;
const STALE_AFTER_MS = 24 * 60 * 60 * 1000; // an older post is not sent unasked: the person decides

const PASSED_ON = new Set(["rights", "presence", "typing", "read"]);

/**
 * One person in one room: where we are in its log, and what we still have to say.
 *
 * It keeps the cursor rule, asks for what is missing, and sends posts in order, one at a time, until each is
 * acknowledged. It knows no DOM and keeps no history: it tells, and the view shows. Events:
 *
 * - `status`: `detail = {state, code, reason}`; `connecting`, `connected`, `offline`, `ended`
 * - `messages`: `detail = {messages}`: the latest state of messages, new and changed, by `seq`
 * - `reset`: `detail = {messages, more, reason}`: forget all messages, show these; `more`: there are older ones
 * - `pending`: `detail = {post}`: a post of ours is new, or its `state` changed (`pending`, `failed` with `error`)
 * - `sent`: `detail = {post, seq}`: the server has it, as message `seq` (which `messages` brings, before or after)
 * - `dropped`: `detail = {post, discarded}`: taken back by hand (`discarded`), or carried on by another tab
 * - `welcome`: `detail = {you, limits, version}`
 * - `named`: `detail = {name}`: the person is called so from now on
 * - `rights`, `presence`, `typing`, `read`: `detail`, the frame of that name
 * - `marked`: `detail`, a frame `read` that is about another room
 * - `held`: `detail = {post, code, seconds}`: a post waits because the server wants no other one so soon
 * - `problem`: `detail`, an `error` frame that is about no post and no request
 */
export class Session extends EventTarget {
  #room;
  #you;
  #cursor;
  #transport;
  #outbox;
  #clock;
  #state = "connecting";
  #joined = false;
  #asking = false;
  #posts = [];
  #requests = new Map();
  #inFlight = null;
  #timers = new Map();
  #seenHead = 0;
  #seenChars = 0;
  #away = false;

  /**
   * @param room its canonical name
   * @param you `{key, name}`, as the page was rendered for
   * @param cursor `{epoch, head}` of what is shown already
   * @param transport {@link Transport}, whose address should carry `resumeQuery`
   * @param outbox {@link Outbox}
   * @param signals as the transport's
   */
  constructor({ room, you, cursor = NOTHING, transport, outbox, clock = REAL_CLOCK, signals }) {
    super();
    this.#room = room;
    this.#you = you;
    this.#cursor = { ...cursor };
    this.#transport = transport;
    this.#outbox = outbox;
    this.#clock = clock;
    transport.addEventListener("frame", ({ detail }) => this.#receive(detail));
    transport.addEventListener("lost", ({ detail }) => this.#offline("offline", detail));
    transport.addEventListener("ended", ({ detail }) => this.#offline("ended", detail));
    signals?.addEventListener("wake", () => this.#return());
    signals?.addEventListener("sleep", () => this.#leave());
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

  /** Posts not acknowledged yet, in the order they will be sent. */
  get posts() {
    return this.#posts.map((post) => ({ ...post }));
  }

  start() {
    this.#outbox.open();
    this.#adopt();
    this.#transport.start();
  }

  stop() {
    this.#outbox.close();
    this.#transport.stop();
    this.#disjoin();
  }

  /**
   * Say something. Returns the post's id at once; it stays ours until the server has it.
   *
   * @param replyTo the message that this answers: `{seq, name, body}`
   * @param files what goes with it: `{id, alt}` of the server's, and whatever the view wants to keep. One that is still on
   *   its way has no `id` yet but a method `arrive()`, whose promise ends when it has one, or fails with `{code, detail}`;
   *   the post, and those behind it, wait for that.
   */
  post(body, { replyTo, files } = {}) {
    const post = { id: freshId(), body, at: this.#clock.now(), state: "pending" };
    if (replyTo) Object.assign(post, { reply_to: replyTo.seq, quote: replyTo });
    if (files?.length) post.files = files;
    this.#add(post);
    return post.id;
  }

  /** Try a failed post again, as the last of the queue. */
  retry(id) {
    const post = this.#take(id);
    if (!post) return;
    delete post.error;
    post.state = "pending";
    // Those that were lost with the page that had them cannot come any more.
    post.files &&= post.files.filter((file) => file.id || file.arrive);
    this.#add(post);
  }

  /** Take back a post that was not sent. */
  discard(id) {
    const post = this.#take(id);
    if (!post) return;
    this.#outbox.forget(id);
    this.#emit("dropped", { post, discarded: true });
    this.#pump();
  }

  /**
   * Ask for anything else: `{type: "react", seq, emoji, on}` and the like.
   *
   * Resolves with the answer, rejects with `{code, detail}`; `offline` and `timeout` are codes of our own.
   */
  request(frame) {
    const id = freshId();
    return new Promise((resolve, reject) => {
      if (!this.#joined || !this.#transport.send({ room: this.#room, ...frame, id })) return reject({ code: "offline" });
      const timer = this.#clock.setTimeout(() => this.#answer(id, { code: "timeout" }), REQUEST_TIMEOUT_MS);
      this.#requests.set(id, { resolve, reject, timer });
    });
  }

  /** Tell something that needs no answer, if there is a line. */
  tell(frame) {
    return this.#joined && this.#transport.send({ room: this.#room, ...frame });
  }

  /** The person is called otherwise now: the server says so, or who has asked it for that. */
  call(name) {
    this.#you = { ...this.#you, name };
    this.#emit("named", { name });
  }

  /** Ask where the room stands, and what one may do there. */
  refresh() {
    if (this.#joined) this.#ask(this.#cursor, { again: true });
  }

  /** For the socket's address: where to go on from. */
  get resumeQuery() {
    const { epoch, head } = this.#cursor;
    return epoch ? new URLSearchParams({ epoch, since: head }).toString() : "";
  }

  // What the server says

  #receive({ frame, size }) {
    this.#seenChars += size;
    if (this.#requests.has(frame.id)) this.#answer(frame.id, frame);
    else if (frame.type === "welcome") this.#welcome(frame);
    else if (frame.type === "ping") this.#compare(frame.heads?.[this.#room]);
    else if (frame.type === "ack") this.#acknowledged(frame);
    else if (frame.type === "error") this.#refused(frame);
    else if (frame.type === "named") this.call(frame.name);
    else if (frame.room !== this.#room) frame.type === "read" && this.#emit("marked", frame);
    else if (frame.type === "joined" || frame.type === "events") this.#advance(frame);
    else if (frame.type === "left") this.#expelled();
    else if (PASSED_ON.has(frame.type)) this.#emit(frame.type, frame);
  }

  #answer(id, answer) {
    const { resolve, reject, timer } = this.#requests.get(id);
    this.#requests.delete(id);
    this.#clock.clearTimeout(timer);
    if (answer.code) reject({ code: answer.code, detail: answer.detail });
    else resolve(answer);
  }

  #welcome({ you, limits, version }) {
    if (you.key !== this.#you.key) {
      // Somebody signed in or out beside us. What was written under another name is not sent under this one.
      for (const post of this.#posts) if (post.state === "pending") this.#fail(post, { code: "identity_changed" });
    }
    this.#you = you;
    this.#emit("welcome", { you, limits, version });
  }

  #advance(frame) {
    const { verdict, cursor, events } = receive(this.#cursor, frame);
    const joined = frame.type === "joined";
    if (joined) this.#asking = false;
    if (verdict === HOLE) return this.#ask();
    // Asked with our own position and still answered from another log: begin with nothing.
    if (verdict === FOREIGN) return joined ? this.#ask(NOTHING) : this.#ask();
    this.#cursor = cursor;
    if (verdict === RESET) this.#emit("reset", { messages: events, more: Boolean(frame.more), reason: frame.reset });
    if (verdict === APPLY && events.length) this.#emit("messages", { messages: events });
    this.#recognise(events);
    if (joined) this.#connected(frame);
    this.#tellSeen();
  }

  /** A ping may be ahead of frames that are still on their way; only if it stays ahead something was lost. */
  #compare(head) {
    if (!(head > this.#cursor.head)) return;
    this.#later("resync", PING_RESYNC_MS, () => this.#cursor.head < head && this.#ask(this.#cursor, { again: true }));
  }

  #ask({ epoch, head } = this.#cursor, { again = false } = {}) {
    if (this.#asking && !again) return;
    const since = epoch ? head : undefined; // without a position the answer is the newest page
    this.#asking = this.#transport.send({ type: "join", room: this.#room, epoch, since });
  }

  #connected({ title }) {
    this.#joined = true;
    this.#setState("connected", { title });
    this.#adopt();
    this.#pump();
  }

  #offline(state, { code, reason } = {}) {
    this.#disjoin();
    this.#setState(state, { code, reason });
  }

  #expelled() {
    this.#transport.stop();
    this.#offline("ended", { code: CLOSE_FORBIDDEN });
  }

  #disjoin() {
    this.#joined = false;
    this.#asking = false;
    this.#inFlight = null;
    this.#seenChars = 0;
    for (const timer of this.#timers.values()) this.#clock.clearTimeout(timer);
    this.#timers.clear();
    for (const id of [...this.#requests.keys()]) this.#answer(id, { code: "offline" });
  }

  // Posts: in order, one at a time, the same id for ever

  #add(post) {
    this.#posts.push(post);
    this.#outbox.keep(post);
    this.#emit("pending", { post: { ...post } });
    if (waits(post)) this.#await(post);
    this.#pump();
  }

  async #await(post) {
    try {
      await Promise.all(post.files.map((file) => file.id || file.arrive()));
    } catch (error) {
      if (this.#posts.includes(post)) this.#fail(post, error);
    }
    if (!this.#posts.includes(post)) return;
    if (post.state === "pending") {
      this.#outbox.keep(post);
      this.#emit("pending", { post: { ...post } });
    }
    this.#pump();
  }

  #pump() {
    if (!this.#joined || this.#inFlight || this.#timers.has("hold")) return;
    const post = this.#posts.find(({ state }) => state === "pending");
    if (!post || waits(post)) return;
    const { id, body, reply_to } = post;
    const files = post.files?.map(({ id, alt }) => ({ id, alt }));
    if (!this.#transport.send({ type: "post", room: this.#room, id, body, reply_to, files })) return;
    this.#inFlight = id;
    this.#later("answer", ANSWER_TIMEOUT_MS, () => this.#next());
  }

  #next() {
    this.#cancel("answer");
    this.#inFlight = null;
    this.#pump();
  }

  #acknowledged({ id, seq }) {
    const post = this.#take(id);
    if (post) {
      this.#outbox.forget(id);
      this.#emit("sent", { post, seq });
    }
    if (id === this.#inFlight) this.#next();
  }

  /** Our own message, come back: as good as an acknowledgement, and often sooner. */
  #recognise(events) {
    for (const { id, seq, author } of events) {
      if (author?.key !== this.#you.key) continue;
      const post = this.#take(id);
      if (!post) continue;
      this.#outbox.forget(id);
      this.#emit("sent", { post, seq });
      if (id === this.#inFlight) this.#next();
    }
  }

  #refused(error) {
    const unnamed = error.id === undefined && (error.frame === "post" || UNREADABLE_FRAME_CODES.has(error.code));
    const id = unnamed ? this.#inFlight : error.id;
    const post = this.#posts.find((candidate) => candidate.id === id);
    if (!post) {
      if (error.frame === "join" && error.retry_after >= 0) {
        this.#asking = false;
        this.#later("rejoin", error.retry_after * 1000, () => this.#ask());
      }
      this.#emit("problem", error);
      return;
    }
    if (error.retry_after >= 0) {
      // Not now. It keeps its place, and those behind it wait with it.
      this.#cancel("answer");
      this.#inFlight = null;
      this.#later("hold", error.retry_after * 1000, () => this.#pump());
      this.#emit("held", { post: { ...post }, code: error.code, seconds: error.retry_after });
      return;
    }
    this.#fail(post, error);
    if (id === this.#inFlight) this.#next();
  }

  #fail(post, { code, detail }) {
    post.state = "failed";
    post.error = { code, detail };
    this.#outbox.keep(post);
    this.#emit("pending", { post: { ...post } });
  }

  #take(id) {
    const index = this.#posts.findIndex((post) => post.id === id);
    return index < 0 ? undefined : this.#posts.splice(index, 1)[0];
  }

  #adopt() {
    this.#outbox.adopt((posts) => {
      this.#load(posts);
      this.#pump();
    });
  }

  #load(posts) {
    for (const post of posts) {
      if (this.#posts.some(({ id }) => id === post.id)) continue;
      this.#posts.push(post);
      if (post.state === "pending" && waits(post)) this.#fail(post, { code: "files_lost" });
      else if (post.state === "pending" && this.#clock.now() - post.at > STALE_AFTER_MS) this.#fail(post, { code: "stale" });
      else this.#emit("pending", { post: { ...post } });
    }
  }

  // The back-forward cache: another tab may carry on with our posts while we sleep

  #leave() {
    this.#away = true;
    this.#outbox.close();
  }

  #return() {
    if (!this.#away) return;
    this.#away = false;
    this.#outbox.open();
    const ours = new Set(this.#outbox.mine().map(({ id }) => id));
    for (const { id } of this.posts) {
      if (!ours.has(id)) this.#emit("dropped", { post: this.#take(id) });
    }
  }

  // How far we are, told now and then, so that the server knows what it need not keep for us

  #tellSeen() {
    if (this.#cursor.head === this.#seenHead) return;
    if (this.#seenChars >= SEEN_EVERY_CHARS) return this.#sendSeen();
    if (!this.#timers.has("seen")) this.#later("seen", SEEN_EVERY_MS, () => this.#sendSeen());
  }

  #sendSeen() {
    this.#cancel("seen");
    const { head } = this.#cursor;
    if (!this.#transport.send({ type: "seen", heads: { [this.#room]: head } })) return;
    this.#seenHead = head;
    this.#seenChars = 0;
  }

  // Small tools

  #setState(state, detail) {
    if (state === this.#state && state !== "ended") return;
    this.#state = state;
    this.#emit("status", { state, ...detail });
  }

  #later(name, ms, callback) {
    this.#cancel(name);
    const run = () => {
      this.#timers.delete(name);
      callback();
    };
    this.#timers.set(name, this.#clock.setTimeout(run, ms));
  }

  #cancel(name) {
    this.#clock.clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** Is something that goes with it still on its way? */
function waits({ files }) {
  return Boolean(files?.some(({ id }) => !id));
}
