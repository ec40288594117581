/**
 * Fakes of the browser: a clock that tests advance, sockets that tests control, storage and locks that several tabs
 * share.
 */

export class FakeClock {
  #now = 1_000_000;
  #timers = new Map();
  #last = 0;

  now = () => this.#now;

  setTimeout = (callback, ms) => {
    this.#timers.set(++this.#last, { due: this.#now + ms, callback });
    return this.#last;
  };

  clearTimeout = (timer) => this.#timers.delete(timer);

  /** Advance the time and run the timers that are due. */
  advance(ms) {
    const until = this.#now + ms;
    for (;;) {
      const next = [...this.#timers].filter(([, { due }]) => due <= until).sort(([, a], [, b]) => a.due - b.due)[0];
      if (!next) break;
      const [timer, { due, callback }] = next;
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, due);
      callback();
    }
    this.#now = until;
  }

  /** Suspend: the time passes, and the timers that were due run at the end. */
  sleep(ms) {
    this.#now += ms;
    this.advance(0);
  }
}

/** A WebSocket class and its instances: `sockets.latest.emitOpen()`, `.emitFrame(frame)`, `.emitClose(code)`. */
export function fakeSockets() {
  const made = [];
  class FakeWebSocket {
    sent = [];
    closed = false;

    constructor(url, protocol) {
      Object.assign(this, { url, protocol });
      made.push(this);
    }

    send(text) {
      this.sent.push(JSON.parse(text));
    }

    close() {
      this.closed = true;
    }

    emitOpen() {
      this.onopen();
    }

    emitFrame(frame) {
      this.onmessage({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
    }

    emitClose(code = 1006, reason = "") {
      this.onclose({ code, reason });
    }

    sentOf(type) {
      return this.sent.filter((frame) => frame.type === type);
    }
  }
  return {
    made,
    WebSocket: FakeWebSocket,
    get latest() {
      return made.at(-1);
    },
  };
}

/** A Web Storage object. */
export class FakeStorage {
  #entries = new Map();

  get length() {
    return this.#entries.size;
  }

  key(index) {
    return [...this.#entries.keys()][index];
  }

  getItem(key) {
    return this.#entries.get(key) ?? null;
  }

  setItem(key, value) {
    this.#entries.set(key, String(value));
  }

  removeItem(key) {
    this.#entries.delete(key);
  }
}

/** `navigator.locks` as far as the outbox uses it: locks are granted in order, and requests can be aborted. */
export class FakeLocks {
  #queues = new Map();

  request(name, { signal }, callback) {
    return new Promise((resolve, reject) => {
      const queue = this.#queues.get(name) ?? [];
      this.#queues.set(name, queue);
      const request = { granted: false };
      request.run = async () => {
        request.granted = true;
        try {
          resolve(await callback({ name }));
        } finally {
          queue.splice(queue.indexOf(request), 1);
          queue[0]?.run();
        }
      };
      signal?.addEventListener("abort", () => {
        if (request.granted) return;
        queue.splice(queue.indexOf(request), 1);
        reject(new DOMException("aborted", "AbortError"));
      });
      queue.push(request);
      if (queue.length === 1) request.run();
    });
  }
}

/** Resolves after all pending promise callbacks have run. */
export const flushPromises = () => new Promise((resolve) => setImmediate(resolve));

/** Collect events of a target as `[type, detail]`. */
export function listen(target, ...types) {
  const received = [];
  for (const type of types) target.addEventListener(type, ({ detail }) => received.push([type, detail]));
  return received;
}

export function message(seq, { rev = seq, id = `id-${seq}`, author = "g:2", body = `text ${seq}`, ...rest } = {}) {
  return { seq, rev, id, kind: "user", author: { key: author, name: author }, body, at: "2026-11-21T10:00:00.000Z", ...rest };
}
