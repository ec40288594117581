import { SUBPROTOCOL, TERMINAL_CLOSE_CODES } from "./codes.js";
import { emit } from "./emit.js";

const BACKOFF_FIRST_MS = 500;
const BACKOFF_LIMIT_MS = 30_000;
const STABLE_AFTER_MS = 5_000; // a socket that stayed open this long resets the back-off
const CONNECT_TIMEOUT_MS = 10_000;
const PING_DEFAULT_SECONDS = 25; // until the frame `welcome` sends the value
const PING_GRACE_MS = 10_000;
const PROBE_TIMEOUT_MS = 5_000; // after a wake: time within which the server has to send a frame
const DOUBT_TIMEOUT_MS = 1_500; // the same after the system has reported that it is offline
const FALL_BACK_AFTER = 3; // failed attempts in a row before the fallback is used
const WEBSOCKET_PROBE_MS = 5 * 60_000; // while the fallback is used: interval of attempts to open a WebSocket

export const REAL_CLOCK = {
  now: () => Date.now(),
  setTimeout: (callback, ms) => globalThis.setTimeout(callback, ms),
  clearTimeout: (timer) => globalThis.clearTimeout(timer),
};

/**
 * A connection that reconnects: it detects a dead socket, waits and connects again.
 *
 * The transport sends and receives frames, but interprets only those about the connection (`welcome`, `ping`, `bye`);
 * the session handles the others. If WebSockets repeatedly fail to open, it uses the fallback, if one is given.
 * Events:
 *
 * - `open`: a new socket is open
 * - `frame`: `detail = {frame, size}`, size in characters
 * - `lost`: `detail = {code, reason, retryIn}`: the socket is closed and the next attempt starts in `retryIn` ms
 * - `ended`: `detail = {code, reason}`: the server has closed the connection for a reason that a new attempt would
 *   not change
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
   * @param url function that returns the URL; called before each attempt
   * @param fallback function that creates a replacement for a socket ({@link HttpSocket}), if there is one
   * @param signals an EventTarget with `wake`, `sleep` and `doubt` events ({@link pageSignals}), if the host has one
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
    signals?.addEventListener("doubt", () => this.#probe(DOUBT_TIMEOUT_MS));
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

  /** Close the socket and connect immediately. */
  restart() {
    this.#closeSocket();
    this.#connect();
  }

  /** Send a frame. Returns false if no socket is open. */
  send(frame) {
    if (!this.#open) return false;
    this.#socket.send(JSON.stringify(frame));
    this.#lastSentAt = this.#clock.now();
    return true;
  }

  // Connection

  #connect() {
    this.#clock.clearTimeout(this.#timer);
    this.#state = "connecting";
    this.#bye = null;
    const socket = this.#usesFallback ? this.#fallback() : new this.#WebSocket(this.#url(), SUBPROTOCOL);
    this.#socket = socket;
    // Each handler checks that its socket is the current one: an abandoned socket may emit events for minutes.
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
    // Some servers lose the close code. The `bye` frame before it carries the same code.
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

  /** After a failed attempt, choose between WebSocket and fallback for the next one. */
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

  /** Full jitter: a random delay below a limit that doubles, so that many clients do not reconnect at the same time. */
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

  // Heartbeat in both directions: the client sends pings, and expects frames from the server

  #checkHeartbeat() {
    this.#clock.clearTimeout(this.#timer);
    const now = this.#clock.now();
    if (now < this.#lastReceivedAt) this.#lastReceivedAt = now; // the system clock was set back
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

  // Page lifecycle

  #wake() {
    if (this.#state === "waiting" || this.#state === "asleep") this.#connect();
    this.#probe(PROBE_TIMEOUT_MS);
  }

  /** Send a ping, and close the socket if no frame arrives soon. Timers do not run in a suspended tab. */
  #probe(timeout) {
    if (!this.send({ type: "ping" })) return;
    this.#probeUntil = Math.min(this.#probeUntil, this.#clock.now() + timeout);
    this.#checkHeartbeat();
  }

  #sleep() {
    if (this.#state === "stopped" || this.#state === "ended") return;
    this.#closeSocket();
    this.#state = "asleep";
    emit(this, "lost", { code: 1000, reason: "asleep", retryIn: Infinity });
  }
}

/** Parse a frame. Returns null for anything else: a newer server may send messages that this client does not know. */
function parse(data) {
  try {
    const frame = JSON.parse(data);
    return typeof frame?.type === "string" ? frame : null;
  } catch {
    return null;
  }
}
