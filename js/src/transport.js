import { SUBPROTOCOL, TERMINAL_CLOSE_CODES } from "./codes.js";

const BACKOFF_FIRST_MS = 500;
const BACKOFF_LIMIT_MS = 30_000;
const STEADY_AFTER_MS = 5_000; // a socket that lived this long was a success: back-off starts anew
const CONNECT_TIMEOUT_MS = 10_000;
const PING_DEFAULT_SECONDS = 25; // until the welcome says better
const PING_GRACE_MS = 10_000;
const PROBE_TIMEOUT_MS = 5_000; // after a sleep: how long a socket has to prove that it is alive

export const REAL_CLOCK = {
  now: () => Date.now(),
  setTimeout: (callback, ms) => globalThis.setTimeout(callback, ms),
  clearTimeout: (timer) => globalThis.clearTimeout(timer),
};

/**
 * One socket that is always there: it connects, notices when the line is dead, and connects again.
 *
 * It knows frames, and of frames only what concerns the line (`welcome`, `ping`, `bye`); what they mean is the
 * session's business. Events:
 *
 * - `open`: a new socket is ready
 * - `frame`: `detail = {frame, size}`, size in characters
 * - `lost`: `detail = {code, reason, retryIn}`, the socket is gone and the next attempt is in `retryIn` ms
 * - `ended`: `detail = {code, reason}`, the server said something that trying again would not change
 */
export class Transport extends EventTarget {
  #url;
  #WebSocket;
  #clock;
  #random;
  #socket = null;
  #open = false;
  #state = "stopped"; // stopped · connecting · open · waiting · asleep · ended
  #attempts = 0;
  #openedAt = 0;
  #heardAt = 0;
  #spokeAt = 0;
  #probeUntil = Infinity;
  #pingMs = PING_DEFAULT_SECONDS * 1000;
  #timer;
  #bye = null;

  /**
   * @param url function that returns the address; it is asked before each attempt
   * @param signals an EventTarget with `wake` and `sleep` events ({@link pageSignals}), if the host has such
   */
  constructor({ url, WebSocket = globalThis.WebSocket, clock = REAL_CLOCK, random = Math.random, signals }) {
    super();
    this.#url = url;
    this.#WebSocket = WebSocket;
    this.#clock = clock;
    this.#random = random;
    signals?.addEventListener("wake", () => this.#wake());
    signals?.addEventListener("sleep", () => this.#sleep());
  }

  get state() {
    return this.#state;
  }

  start() {
    if (this.#state === "stopped" || this.#state === "ended") this.#connect();
  }

  stop() {
    this.#drop();
    this.#state = "stopped";
  }

  /** Begin again with a fresh socket, at once. */
  restart() {
    this.#drop();
    this.#connect();
  }

  /** Send a frame now, or say that it cannot be done now. */
  send(frame) {
    if (!this.#open) return false;
    this.#socket.send(JSON.stringify(frame));
    this.#spokeAt = this.#clock.now();
    return true;
  }

  // The socket's life

  #connect() {
    this.#clock.clearTimeout(this.#timer);
    this.#state = "connecting";
    this.#bye = null;
    const socket = new this.#WebSocket(this.#url(), SUBPROTOCOL);
    this.#socket = socket;
    // Every handler asks whether its socket is still the one: an abandoned socket may speak for minutes.
    socket.onopen = () => socket === this.#socket && this.#opened();
    socket.onmessage = ({ data }) => socket === this.#socket && this.#heard(data);
    socket.onclose = ({ code, reason }) => socket === this.#socket && this.#lost(code, reason);
    this.#timer = this.#clock.setTimeout(() => this.#lost(1006, "connect timeout"), CONNECT_TIMEOUT_MS);
  }

  #opened() {
    this.#open = true;
    this.#state = "open";
    this.#openedAt = this.#heardAt = this.#spokeAt = this.#clock.now();
    this.#watch();
    this.#emit("open");
  }

  #heard(data) {
    this.#heardAt = this.#clock.now();
    this.#probeUntil = Infinity;
    const frame = parse(data);
    if (!frame) return;
    if (frame.type === "welcome" && frame.ping_seconds > 0) {
      this.#pingMs = frame.ping_seconds * 1000;
      this.#watch();
    }
    if (frame.type === "bye") this.#bye = frame;
    this.#emit("frame", { frame, size: data.length });
  }

  #lost(code, reason) {
    const lived = this.#open ? this.#clock.now() - this.#openedAt : 0;
    // Some servers drop the close code on the way; the bye frame before it says the same.
    const bye = this.#bye ?? {};
    this.#drop();
    const detail = { code: bye.code ?? code, reason: bye.reason ?? reason };
    if (TERMINAL_CLOSE_CODES.has(detail.code)) {
      this.#state = "ended";
      this.#emit("ended", detail);
      return;
    }
    if (lived >= STEADY_AFTER_MS) this.#attempts = 0;
    const retryIn = bye.retry_after >= 0 ? bye.retry_after * 1000 : this.#backoff();
    this.#attempts += 1;
    this.#state = "waiting";
    this.#timer = this.#clock.setTimeout(() => this.#connect(), retryIn);
    this.#emit("lost", { ...detail, retryIn });
  }

  /** Full jitter: anywhere between now and a limit that doubles, so that a thousand clients spread out. */
  #backoff() {
    return this.#random() * Math.min(BACKOFF_LIMIT_MS, BACKOFF_FIRST_MS * 2 ** this.#attempts);
  }

  #drop() {
    this.#clock.clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    this.#open = false;
    this.#probeUntil = Infinity;
    socket?.close(1000);
  }

  // The heartbeat, both ways: the server must hear us, and we it

  #watch() {
    this.#clock.clearTimeout(this.#timer);
    const now = this.#clock.now();
    if (now < this.#heardAt) this.#heardAt = now; // somebody set the clock back
    if (now < this.#spokeAt) this.#spokeAt = now;
    const deadline = Math.min(this.#heardAt + this.#pingMs + PING_GRACE_MS, this.#probeUntil);
    if (now >= deadline) {
      this.#lost(1006, "silence");
      return;
    }
    if (now - this.#spokeAt >= this.#pingMs) this.send({ type: "ping" });
    const next = Math.min(deadline, this.#spokeAt + this.#pingMs);
    this.#timer = this.#clock.setTimeout(() => this.#watch(), next - now);
  }

  // The page's life

  #wake() {
    if (this.#state === "waiting" || this.#state === "asleep") this.#connect();
    if (this.#state !== "open") return;
    // Timers stand still in a sleeping tab. Ask, and believe the socket dead if it does not answer soon.
    this.send({ type: "ping" });
    this.#probeUntil = this.#clock.now() + PROBE_TIMEOUT_MS;
    this.#watch();
  }

  #sleep() {
    if (this.#state === "stopped" || this.#state === "ended") return;
    this.#drop();
    this.#state = "asleep";
    this.#emit("lost", { code: 1000, reason: "asleep", retryIn: Infinity });
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** A frame, or null for whatever is not one: a newer server may say things we do not know. */
function parse(data) {
  try {
    const frame = JSON.parse(data);
    return typeof frame?.type === "string" ? frame : null;
  } catch {
    return null;
  }
}
