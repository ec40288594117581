/**
 * What the client stands on, made of cardboard: a clock that a test moves, sockets that a test speaks through,
 * storage and locks that several "tabs" share.
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

  /** Let time pass, with everything that is due in it. */
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

  /** The laptop sleeps: time passes, and nothing that is due happens until it wakes. */
  sleep(ms) {
    this.#now += ms;
    this.advance(0);
  }
}

/** A WebSocket class, and the sockets made of it: `sockets.latest.opens()`, `.says(frame)`, `.closes(code)`. */
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

    opens() {
      this.onopen();
    }

    says(frame) {
      this.onmessage({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
    }

    closes(code = 1006, reason = "") {
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

/** `navigator.locks`, as far as the outbox needs it: first come, first served, and requests can be aborted. */
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

/** Everything that was promised by now has happened. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Collects events of a target as `[type, detail]`. */
export function listen(target, ...types) {
  const heard = [];
  for (const type of types) target.addEventListener(type, ({ detail }) => heard.push([type, detail]));
  return heard;
}

export function message(seq, { rev = seq, id = `id-${seq}`, author = "g:2", body = `text ${seq}`, ...rest } = {}) {
  return { seq, rev, id, kind: "user", author: { key: author, name: author }, body, at: "2026-11-21T10:00:00.000Z", ...rest };
}
