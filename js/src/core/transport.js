import { SUBPROTOCOL, TERMINAL_CLOSE_CODES } from "./codes.js";
import { emit } from "./emit.js";

const BACKOFF_FIRST_MS = 500;
const BACKOFF_LIMIT_MS = 30_000;
const STABLE_AFTER_MS = 5_000; // a socket that lived this long was a success: back-off starts anew
const CONNECT_TIMEOUT_MS = 10_000;
const PING_DEFAULT_SECONDS = 25; // until the welcome says better
const PING_GRACE_MS = 10_000;
const PROBE_TIMEOUT_MS = 5_000; // after a sleep: how long a socket has to prove that it is alive
const FALL_BACK_AFTER = 3; // sockets in a row that did not open
const WEBSOCKET_PROBE_MS = 5 * 60_000; // how often it is tried whether sockets pass by now

export const REAL_CLOCK = {
  now: () => Date.now(),
  setTimeout: (callback, ms) => globalThis.setTimeout(callback, ms),
  clearTimeout: (timer) => globalThis.clearTimeout(timer),
};

/**
 * One socket that is always there: it connects, notices when the line is dead, and connects again.
 *
 * It knows frames, and of frames only what concerns the line (`welcome`, `ping`, `bye`); what they mean is the
 * session's business. Where sockets do not open, something else takes their place, if there is something. Events:
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
  #lastReceivedAt = 0;
  #lastSentAt = 0;
  #probeUntil = Infinity;
  #pingMs = PING_DEFAULT_SECONDS * 1000;
  #timer;
  #bye = null;
  #fallback;
  #usesFallback = false;
  #failedOpens = 0;
  #probeTimer;

  /**
   * @param url function that returns the address; it is asked before each attempt
   * @param fallback function that makes what stands in for a socket ({@link HttpSocket}), if there is such
   * @param signals an EventTarget with `wake` and `sleep` events ({@link pageSignals}), if the host has such
   */
  constructor({ url, fallback, WebSocket = globalThis.WebSocket, clock = REAL_CLOCK, random = Math.random, signals }) {
    super();
    this.#url = url;
    this.#fallback = fallback;
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
    this.#closeSocket();
    this.#state = "stopped";
  }

  /** Begin again with a fresh socket, at once. */
  restart() {
    this.#closeSocket();
    this.#connect();
  }

  /** Send a frame now, or say that it cannot be done now. */
  send(frame) {
    if (!this.#open) return false;
    this.#socket.send(JSON.stringify(frame));
    this.#lastSentAt = this.#clock.now();
    return true;
  }

  // The socket's life

  #connect() {
    this.#clock.clearTimeout(this.#timer);
    this.#state = "connecting";
    this.#bye = null;
    const socket = this.#usesFallback ? this.#fallback() : new this.#WebSocket(this.#url(), SUBPROTOCOL);
    this.#socket = socket;
    // Every handler asks whether its socket is still the one: an abandoned socket may speak for minutes.
    socket.onopen = () => socket === this.#socket && this.#opened();
    socket.onmessage = ({ data }) => socket === this.#socket && this.#received(data);
    socket.onclose = ({ code, reason }) => socket === this.#socket && this.#disconnected(code, reason);
    this.#timer = this.#clock.setTimeout(() => this.#disconnected(1006, "connect timeout"), CONNECT_TIMEOUT_MS);
  }

  #opened() {
    this.#open = true;
    this.#state = "open";
    this.#openedAt = this.#lastReceivedAt = this.#lastSentAt = this.#clock.now();
    this.#checkHeartbeat();
    this.#failedOpens = 0;
    if (this.#usesFallback) this.#scheduleWebSocketProbe();
    emit(this, "open");
  }

  #received(data) {
    this.#lastReceivedAt = this.#clock.now();
    this.#probeUntil = Infinity;
    const frame = parse(data);
    if (!frame) return;
    if (frame.type === "welcome" && frame.ping_seconds > 0) {
      this.#pingMs = frame.ping_seconds * 1000;
      this.#checkHeartbeat();
    }
    if (frame.type === "bye") this.#bye = frame;
    emit(this, "frame", { frame, size: data.length });
  }

  #disconnected(code, reason) {
    const openMs = this.#open ? this.#clock.now() - this.#openedAt : 0;
    // Some servers drop the close code on the way; the bye frame before it says the same.
    const bye = this.#bye ?? {};
    if (!this.#open) this.#chooseConnection();
    this.#closeSocket();
    const detail = { code: bye.code ?? code, reason: bye.reason ?? reason };
    if (TERMINAL_CLOSE_CODES.has(detail.code)) {
      this.#state = "ended";
      emit(this, "ended", detail);
      return;
    }
    if (openMs >= STABLE_AFTER_MS) this.#attempts = 0;
    const retryIn = bye.retry_after >= 0 ? bye.retry_after * 1000 : this.#backoff();
    this.#attempts += 1;
    this.#state = "waiting";
    this.#timer = this.#clock.setTimeout(() => this.#connect(), retryIn);
    emit(this, "lost", { ...detail, retryIn });
  }

  /** What did not open: the other way may. */
  #chooseConnection() {
    if (!this.#fallback) return;
    this.#failedOpens = this.#usesFallback ? FALL_BACK_AFTER - 1 : this.#failedOpens + 1;
    this.#usesFallback = this.#failedOpens >= FALL_BACK_AFTER;
  }

  #scheduleWebSocketProbe() {
    this.#clock.clearTimeout(this.#probeTimer);
    this.#probeTimer = this.#clock.setTimeout(() => {
      const socket = new this.#WebSocket(this.#url(), SUBPROTOCOL);
      socket.onopen = () => {
        socket.close(1000);
        if (this.#usesFallback && this.#open) this.#returnToWebSocket();
      };
      socket.onclose = () => this.#usesFallback && this.#open && this.#scheduleWebSocketProbe();
    }, WEBSOCKET_PROBE_MS);
  }

  #returnToWebSocket() {
    this.#usesFallback = false;
    this.#closeSocket();
    emit(this, "lost", { code: 1000, reason: "sockets pass again", retryIn: 0 });
    this.#connect();
  }

  /** Full jitter: anywhere between now and a limit that doubles, so that a thousand clients spread out. */
  #backoff() {
    return this.#random() * Math.min(BACKOFF_LIMIT_MS, BACKOFF_FIRST_MS * 2 ** this.#attempts);
  }

  #closeSocket() {
    this.#clock.clearTimeout(this.#timer);
    this.#clock.clearTimeout(this.#probeTimer);
    const socket = this.#socket;
    this.#socket = null;
    this.#open = false;
    this.#probeUntil = Infinity;
    socket?.close(1000);
  }

  // The heartbeat, both ways: the server must hear us, and we it

  #checkHeartbeat() {
    this.#clock.clearTimeout(this.#timer);
    const now = this.#clock.now();
    if (now < this.#lastReceivedAt) this.#lastReceivedAt = now; // somebody set the clock back
    if (now < this.#lastSentAt) this.#lastSentAt = now;
    const deadline = Math.min(this.#lastReceivedAt + this.#pingMs + PING_GRACE_MS, this.#probeUntil);
    if (now >= deadline) {
      this.#disconnected(1006, "silence");
      return;
    }
    if (now - this.#lastSentAt >= this.#pingMs) this.send({ type: "ping" });
    const next = Math.min(deadline, this.#lastSentAt + this.#pingMs);
    this.#timer = this.#clock.setTimeout(() => this.#checkHeartbeat(), next - now);
  }

  // The page's life

  #wake() {
    if (this.#state === "waiting" || this.#state === "asleep") this.#connect();
    if (this.#state !== "open") return;
    // Timers stand still in a sleeping tab. Ask, and believe the socket dead if it does not answer soon.
    this.send({ type: "ping" });
    this.#probeUntil = this.#clock.now() + PROBE_TIMEOUT_MS;
    this.#checkHeartbeat();
  }

  #sleep() {
    if (this.#state === "stopped" || this.#state === "ended") return;
    this.#closeSocket();
    this.#state = "asleep";
    emit(this, "lost", { code: 1000, reason: "asleep", retryIn: Infinity });
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
