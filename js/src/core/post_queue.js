import { cleanText } from "./clean_text.js";
import { FINAL_CODES, UNREADABLE_FRAME_CODES } from "./codes.js";
import { emit } from "./emit.js";
import { generateId } from "./identifiers.js";

const ACK_TIMEOUT_MS = 20_000; // an unacknowledged post is sent again with the same id
const STALE_AFTER_MS = 24 * 60 * 60 * 1000; // older posts are not sent automatically; the user decides

/**
 * The posts of one room that the server has not acknowledged. They are sent in order and one at a time, and a post keeps its
 * id however often it is sent. The {@link Outbox} stores them across page reloads.
 *
 * The queue dispatches the events `pending`, `sent`, `dropped` and `held` on the {@link Session}.
 */
export class PostQueue {
  #session;
  #outbox;
  #clock;
  #timers;
  #posts = [];
  #inFlight = null;

  /**
   * @param session {@link Session}: sends the frames and dispatches the events
   * @param outbox {@link Outbox}
   * @param timers {@link NamedTimers} of the session, which clears them when the connection is lost
   */
  constructor({ session, outbox, clock, timers }) {
    this.#session = session;
    this.#outbox = outbox;
    this.#clock = clock;
    this.#timers = timers;
  }

  /** Copies of the posts, in the order in which they are sent. */
  get posts() {
    return this.#posts.map((post) => ({ ...post }));
  }

  /** Add a post and return its id; see {@link Session.post}. */
  post(body, { replyTo, files } = {}) {
    const post = { id: generateId(), body: cleanText(body), at: this.#clock.now(), state: "pending" };
    if (replyTo) Object.assign(post, { reply_to: replyTo.seq, quote: replyTo });
    if (files?.length) post.files = files;
    this.#add(post);
    return post.id;
  }

  retry(id) {
    const post = this.#take(id);
    if (!post) return;
    delete post.error;
    post.state = "pending";
    // Uploads that ended with a previous page cannot complete.
    post.files &&= post.files.filter((file) => file.id || file.uploaded);
    this.#add(post);
  }

  discard(id) {
    const post = this.#remove(id);
    if (post) emit(this.#session, "dropped", { post, discarded: true });
    this.#pump();
  }

  /** Remove a post and return it, because the user edits it. Its files are kept. */
  takeBack(id) {
    const post = this.#remove(id);
    if (post) emit(this.#session, "dropped", { post });
    this.#pump();
    return post;
  }

  /** The connection was lost: the post in flight is sent again after the next join. */
  pause() {
    this.#inFlight = null;
  }

  /** Send what can be sent, and take over the posts of other tabs when these are closed. */
  resume() {
    this.#outbox.adopt((posts) => {
      this.#load(posts);
      this.#pump();
    });
    this.#pump();
  }

  /** Drop the posts that another tab has taken over while the outbox was closed. */
  dropAdopted() {
    const own = new Set(this.#outbox.own().map(({ id }) => id));
    for (const { id } of this.posts) {
      if (!own.has(id)) emit(this.#session, "dropped", { post: this.#take(id) });
    }
  }

  /** Remove a post that the server has stored, after the frame `ack` or the message itself, which often arrives first. */
  ack({ id, seq }) {
    const post = this.#remove(id);
    if (post) emit(this.#session, "sent", { post, seq });
    if (id === this.#inFlight) this.#next();
  }

  /** Handle the frame `error`. Returns false if it is not about a post of this queue. */
  reject(error) {
    const isUnidentified = error.id === undefined && (error.frame === "post" || UNREADABLE_FRAME_CODES.has(error.code));
    const id = isUnidentified ? this.#inFlight : error.id;
    const post = this.#posts.find((candidate) => candidate.id === id);
    if (!post) return false;
    if (error.retry_after >= 0) {
      // The post keeps its position, and the posts behind it wait as well.
      this.#timers.set("hold", error.retry_after * 1000, () => this.#pump());
      this.#next();
      emit(this.#session, "held", { post: { ...post }, code: error.code, seconds: error.retry_after });
    } else {
      this.#fail(post, error);
      if (id === this.#inFlight) this.#next();
    }
    return true;
  }

  failPending(error) {
    for (const post of this.#posts) if (post.state === "pending") this.#fail(post, error);
  }

  #add(post) {
    this.#posts.push(post);
    this.#save(post);
    if (isUploading(post)) this.#awaitFiles(post);
    this.#pump();
  }

  async #awaitFiles(post) {
    try {
      await Promise.all(post.files.map((file) => file.id || file.uploaded()));
    } catch (error) {
      if (this.#posts.includes(post)) this.#fail(post, error);
    }
    if (!this.#posts.includes(post)) return;
    if (post.state === "pending") this.#save(post);
    this.#pump();
  }

  #pump() {
    if (this.#inFlight || this.#timers.has("hold")) return;
    const post = this.#posts.find(({ state }) => state === "pending");
    if (!post || isUploading(post)) return;
    const { id, body, reply_to } = post;
    const files = post.files?.map(({ id, alt }) => ({ id, alt }));
    if (!this.#session.send({ type: "post", id, body, reply_to, files })) return;
    this.#inFlight = id;
    this.#timers.set("ack", ACK_TIMEOUT_MS, () => this.#next());
  }

  #next() {
    this.#timers.clear("ack");
    this.#inFlight = null;
    this.#pump();
  }

  #fail(post, { code, detail, isFinal = FINAL_CODES.has(code) }) {
    post.state = "failed";
    post.error = { code, detail, isFinal };
    this.#save(post);
  }

  #save(post) {
    this.#outbox.save(post);
    emit(this.#session, "pending", { post: { ...post } });
  }

  /** Take a post out of the queue and of the outbox. */
  #remove(id) {
    const post = this.#take(id);
    if (post) this.#outbox.remove(id);
    return post;
  }

  #take(id) {
    const index = this.#posts.findIndex((post) => post.id === id);
    return index < 0 ? undefined : this.#posts.splice(index, 1)[0];
  }

  #load(posts) {
    for (const post of posts) {
      if (this.#posts.some(({ id }) => id === post.id)) continue;
      this.#posts.push(post);
      if (post.state === "pending" && isUploading(post)) this.#fail(post, { code: "files_lost" });
      else if (post.state === "pending" && this.#clock.now() - post.at > STALE_AFTER_MS) this.#fail(post, { code: "stale" });
      else emit(this.#session, "pending", { post: { ...post } });
    }
  }
}

/** Whether a file of the post is not on the server yet. */
function isUploading({ files }) {
  return Boolean(files?.some(({ id }) => !id));
}
