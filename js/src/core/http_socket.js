import { CLOSE_FORBIDDEN, CLOSE_NO_SUCH_ROOM, CLOSE_TOO_MANY } from "./codes.js";

const FIRST_FRAME_MS = 5_000; // a stream without data after this time is buffered by a proxy: use polling instead
const WAIT_SECONDS = 25;
const RETRY_SECONDS = 2;

const SUPPORT = { streams: true };

const WEBSOCKET_ONLY = new Set(["hello", "leave", "seen", "ping", "typing"]);
const CLOSE_CODES = { 403: CLOSE_FORBIDDEN, 404: CLOSE_NO_SUCH_ROOM, 429: CLOSE_TOO_MANY };

/**
 * Replacement for the WebSocket of one room, over HTTP, for networks that block WebSockets.
 *
 * It receives frames from `<room>/events/`, as a stream where streams work, and posts frames to `<room>/frames/`.
 * Answers to posts are delivered like received frames. It keeps its own position in the log, so nothing is lost when
 * a response ends.
 */
export class HttpSocket {
  onopen = () => {};
  onmessage = () => {};
  onclose = () => {};
  #events;
  #frames;
  #token;
  #fetch;
  #clock;
  #position;
  #support;
  #open = false;
  #closed = false;
  #bye = null;
  #request = null;
  #lastFrames = {};
  #sending = Promise.resolve();

  /**
   * @param events, frames URLs
   * @param token function that returns Django's CSRF token
   * @param position `{epoch, since}` from which to resume, or nothing
   * @param support `{streams}`: whether streams work, remembered for the next instance
   */
  constructor({ events, frames, token, position, support = SUPPORT, fetch = globalThis.fetch.bind(globalThis), clock }) {
    this.#events = events;
    this.#frames = frames;
    this.#token = token;
    this.#position = position;
    this.#support = support;
    this.#fetch = fetch;
    this.#clock = clock;
    this.#listen();
  }

  send(text) {
    const frame = JSON.parse(text);
    if (frame.type === "join") this.#resumeFrom(frame.epoch && frame.since >= 0 ? frame : {});
    else if (!WEBSOCKET_ONLY.has(frame.type)) this.#sending = this.#sending.then(() => this.#post(frame, text));
  }

  close() {
    this.#closed = true;
    this.#request?.abort();
  }

  // Receiving

  async #listen() {
    while (!this.#closed) {
      const request = (this.#request = new AbortController());
      try {
        await (this.#support.streams ? this.#stream(request) : this.#poll(request));
      } catch {
        // An aborted request restarts from another position or as polling. Any other error closes the socket.
        if (!request.signal.aborted) this.#end(1006);
      }
      if (this.#bye) this.#end(this.#bye.code);
    }
  }

  #resumeFrom({ epoch, since }) {
    this.#position = { epoch, since };
    this.#request.abort();
  }

  async #stream(request) {
    let received = 0;
    const timer = this.#clock.setTimeout(() => {
      this.#support.streams = false;
      request.abort();
    }, FIRST_FRAME_MS);
    try {
      const response = await this.#get(request, {});
      if (!response) return;
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let buffer = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        const events = (buffer + value).split("\n\n");
        buffer = events.pop();
        for (const event of events) {
          const data = /^data: (.*)$/m.exec(event)?.[1];
          if (data === undefined) continue;
          this.#clock.clearTimeout(timer);
          received += 1;
          if (!request.signal.aborted) this.#deliver(data);
        }
      }
    } finally {
      this.#clock.clearTimeout(timer);
    }
    if (!received) throw new Error("nothing arrived");
  }

  async #poll(request) {
    const response = await this.#get(request, { wait: this.#open ? WAIT_SECONDS : 0 });
    if (!response) return;
    const { frames } = await response.json();
    for (const frame of frames) if (!request.signal.aborted) this.#deliver(JSON.stringify(frame));
  }

  async #get({ signal }, query) {
    const url = new URL(this.#events, globalThis.location?.href);
    for (const [name, value] of Object.entries({ ...this.#position, ...query })) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    const response = await this.#fetch(url, { signal, cache: "no-store", credentials: "same-origin" });
    if (response.ok) return response;
    const { code, detail } = await errorOf(response);
    if (code === "no_streams") {
      this.#support.streams = false;
      return null;
    }
    this.#bye = { type: "bye", code: CLOSE_CODES[response.status] ?? 1006, reason: detail ?? "", ...retryAfter(response) };
    this.onmessage({ data: JSON.stringify(this.#bye) });
    return null;
  }

  #deliver(data) {
    const frame = JSON.parse(data);
    if (!this.#open) {
      this.#open = true;
      this.onopen();
    }
    if (frame.type === "joined" || frame.type === "events") this.#position = { epoch: frame.epoch, since: frame.head };
    if (frame.type === "bye") this.#bye = frame;
    // Every response begins with these frames.
    if (frame.type === "welcome" || frame.type === "rights") {
      if (this.#lastFrames[frame.type] === data) return;
      this.#lastFrames[frame.type] = data;
    }
    this.onmessage({ data });
  }

  #end(code) {
    if (this.#closed) return;
    this.close();
    this.onclose({ code, reason: this.#bye?.reason ?? "" });
  }

  // Sending

  async #post(frame, body) {
    let answer;
    try {
      const headers = { "Content-Type": "application/json", "X-CSRFToken": this.#token() };
      const response = await this.#fetch(this.#frames, { method: "POST", body, headers, credentials: "same-origin" });
      answer = response.ok ? await response.json() : await errorFrame(response);
    } catch {
      answer = { type: "error", code: "unavailable", detail: "", retry_after: RETRY_SECONDS };
    }
    if (answer.type === "error") Object.assign(answer, { frame: frame.type, id: frame.id, room: frame.room });
    if (!this.#closed) this.onmessage({ data: JSON.stringify(answer) });
  }
}

async function errorFrame(response) {
  const { code, detail } = await errorOf(response);
  return { type: "error", code, detail, ...retryAfter(response) };
}

function retryAfter({ headers }) {
  const seconds = Number(headers.get("Retry-After"));
  return seconds > 0 && { retry_after: seconds };
}

/** The error of a response, or an equivalent one if the body is not JSON, such as the HTML page of a proxy. */
async function errorOf(response) {
  try {
    return (await response.json()).error;
  } catch {
    if (response.status < 500) return { code: "forbidden", detail: response.statusText };
    return { code: "unavailable", detail: response.statusText };
  }
}
