import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageWindow } from "../../src/timeline/message_window.js";
import { message } from "../fakes.js";

/**
 * A room on the server: messages have the numbers 1, 2, 3 and so on; `page()` returns what the view `messages/`
 * returns.
 */
class Room {
  messages = [];
  epoch = "e";
  size = 10;

  constructor(count) {
    while (this.messages.length < count) this.post();
  }

  get head() {
    return this.messages.length;
  }

  post() {
    this.messages.push(message(this.messages.length + 1));
    return this.messages.at(-1);
  }

  page({ before = Infinity, after, around }) {
    const half = this.size / 2;
    const newer = (from, count) => this.messages.filter(({ seq }) => seq > from).slice(0, count);
    const older = (to, count) => this.messages.filter(({ seq }) => seq < to).slice(-count);
    const messages =
      after !== undefined ? newer(after, this.size)
      : around !== undefined ? [...older(around + 1, half), ...newer(around, half)]
      : older(before, this.size);
    const [first, last] = [messages[0]?.seq, messages.at(-1)?.seq];
    return {
      epoch: this.epoch,
      head: this.head,
      messages: messages.reverse(),
      before: first > 1 ? first : null,
      after: before === Infinity && last < this.head ? last : null,
    };
  }
}

/** The page as `log_view.js` shows it: a window, and the messages that it has accepted. */
class Reader {
  shown = new Map();

  constructor(room, seq) {
    this.room = room;
    this.head = room.head;
    this.messageWindow = new MessageWindow({ isAtStart: room.head === 0, isLive: room.head === 0 });
    this.load(seq ? "around" : "newest", seq);
  }

  get position() {
    return { epoch: this.room.epoch, head: this.head };
  }

  get seqs() {
    return [...this.shown.keys()].sort((one, other) => one - other);
  }

  receive(...messages) {
    this.head = Math.max(this.head, ...messages.map(({ rev }) => rev));
    this.#show(this.messageWindow.add(messages));
  }

  request(what, seq) {
    return this.messageWindow.request(what, this.position, seq);
  }

  load(what, seq) {
    const request = this.request(what, seq);
    return this.accept(request, this.room.page(request.query));
  }

  accept(request, page) {
    const shown = this.messageWindow.accept(request, page);
    if (shown?.replaces) this.shown.clear();
    this.#show(shown?.messages ?? []);
    return Boolean(shown);
  }

  trim(numbers) {
    this.messageWindow.trim(numbers);
    for (const seq of this.shown.keys()) if (!this.messageWindow.covers(seq)) this.shown.delete(seq);
  }

  #show(messages) {
    for (const one of messages) if (!(this.shown.get(one.seq)?.rev > one.rev)) this.shown.set(one.seq, one);
  }
}

const from = (first, last) => Array.from({ length: last - first + 1 }, (_, index) => first + index);

test("New messages belong to the window at the live end", () => {
  const room = new Room(30);
  const reader = new Reader(room);
  reader.receive(room.post(), room.post());

  assert.deepEqual(reader.seqs, from(21, 32));
});

test("A change to a message outside of the window is ignored", () => {
  const reader = new Reader(new Room(30));
  reader.receive(message(20, { rev: 31 }), message(21, { rev: 32 }));

  assert.deepEqual([reader.seqs, reader.shown.get(21).rev], [from(21, 30), 32]);
});

test("In an empty room the window is at the start and live", () => {
  const reader = new Reader(new Room(0));
  reader.receive(message(1));

  assert.deepEqual([reader.seqs, reader.messageWindow.isAtStart], [[1], true]);
});

test("New messages do not belong to a window around an old message", () => {
  const room = new Room(100);
  const reader = new Reader(room, 50);
  reader.receive(room.post());

  assert.deepEqual([reader.seqs, reader.messageWindow.isLive, reader.messageWindow.isAtStart], [from(46, 55), false, false]);
});

test("Older pages reach the start and newer pages the live end, without a gap", () => {
  const room = new Room(100);
  const reader = new Reader(room, 50);
  while (!reader.messageWindow.isAtStart) reader.load("older");
  assert.deepEqual(reader.seqs, from(1, 55));
  while (!reader.messageWindow.isLive) reader.load("newer");
  reader.receive(room.post());

  assert.deepEqual(reader.seqs, from(1, 101));
});

test("A message that arrives during the request of the last page is included", () => {
  const room = new Room(60);
  const reader = new Reader(room, 50);
  const request = reader.request("newer");
  const page = room.page(request.query);
  reader.receive(room.post());
  assert.deepEqual(reader.seqs, from(46, 55));
  reader.accept(request, page);

  assert.deepEqual([reader.seqs, reader.messageWindow.isLive], [from(46, 61), true]);
});

test("A last page whose head is behind the session is not the live end", () => {
  const room = new Room(60);
  const reader = new Reader(room, 50);
  const stale = room.page({ after: 55 });
  reader.receive(room.post());
  reader.accept(reader.request("newer"), stale);
  assert.deepEqual([reader.seqs, reader.messageWindow.isLive], [from(46, 60), false]);
  reader.load("newer");

  assert.deepEqual([reader.seqs, reader.messageWindow.isLive], [from(46, 61), true]);
});

test("A change that arrives during the request of its page is kept", () => {
  const room = new Room(60);
  const reader = new Reader(room);
  const request = reader.request("older");
  const page = room.page(request.query);
  reader.receive(message(45, { rev: 61, body: "better" }));
  reader.accept(request, page);

  assert.equal(reader.shown.get(45).body, "better");
});

test("The newest page replaces an old one and includes messages that arrived meanwhile", () => {
  const room = new Room(100);
  const reader = new Reader(room, 20);
  const request = reader.request("newest");
  const page = room.page(request.query);
  reader.receive(room.post());
  reader.accept(request, page);

  assert.deepEqual([reader.seqs, reader.messageWindow.isLive], [from(91, 101), true]);
});

test("Removed messages at either end come back with their pages", () => {
  const room = new Room(60);
  const reader = new Reader(room);
  while (!reader.messageWindow.isAtStart) reader.load("older");
  reader.trim({ oldest: 21, newest: 40 });
  reader.receive(room.post());
  assert.deepEqual([reader.seqs, reader.messageWindow.isAtStart, reader.messageWindow.isLive], [from(21, 40), false, false]);
  while (!reader.messageWindow.isAtStart) reader.load("older");
  while (!reader.messageWindow.isLive) reader.load("newer");

  assert.deepEqual(reader.seqs, from(1, 61));
});

test("A page that no longer borders on the window is rejected", () => {
  const room = new Room(60);
  const reader = new Reader(room);
  const request = reader.request("older");
  reader.trim({ oldest: 55 });

  assert.equal(reader.accept(request, room.page(request.query)), false);
  assert.deepEqual(reader.seqs, from(55, 60));
});

test("The second of two requests cancels the first", () => {
  const room = new Room(100);
  const reader = new Reader(room);
  const first = reader.request("around", 20);
  reader.load("around", 70);

  assert.equal(reader.accept(first, room.page(first.query)), false);
  assert.deepEqual(reader.seqs, from(66, 75));
});

test("A page of another epoch, or requested before a reset, is rejected", () => {
  const room = new Room(60);
  const reader = new Reader(room);
  const request = reader.request("older");
  assert.equal(reader.accept(request, { ...room.page(request.query), epoch: "another" }), false);
  const late = reader.request("older");
  reader.messageWindow.reset([message(3)], { more: false });

  assert.equal(reader.accept(late, room.page(late.query)), false);
  assert.deepEqual([reader.messageWindow.oldest, reader.messageWindow.newest, reader.messageWindow.isAtStart], [3, 3, true]);
});

test("Random operations in any order leave no gap and no message outside of the window", () => {
  let seed = 7;
  const randomBelow = (count) => (seed = (seed * 48271) % 2147483647) % count;
  for (let run = 0; run < 200; run++) {
    const room = new Room(randomBelow(80));
    const reader = new Reader(room);
    const undelivered = [];
    let request = null;
    let page = null;
    for (let step = 0; step < 60; step++) {
      const { oldest, newest, isAtStart, isLive } = reader.messageWindow;
      const what = ["post", "post", "receive", "request", "load", "accept", "accept", "trim"][randomBelow(8)];
      if (what === "post") undelivered.push(room.post());
      if (what === "receive") reader.receive(...undelivered.splice(0, 1 + randomBelow(4)));
      if (what === "trim" && newest - oldest > 20) reader.trim(randomBelow(2) ? { oldest: oldest + 8 } : { newest: newest - 8 });
      if (what === "request" && room.head) {
        const wanted = [...(isAtStart ? [] : ["older"]), ...(isLive ? [] : ["newer"]), "around", "newest"];
        [request, page] = [reader.request(wanted[randomBelow(wanted.length)], 1 + randomBelow(room.head)), null];
      }
      if (what === "load" && request) page ??= room.page(request.query);
      if (what === "accept" && request && page) {
        reader.accept(request, page);
        [request, page] = [null, null];
      }
      const { seqs } = reader;
      assert.deepEqual(seqs, seqs.length ? from(seqs[0], seqs.at(-1)) : [], `run ${run}, step ${step}: ${what}`);
      if (reader.messageWindow.isLive) assert.ok((seqs.at(-1) ?? 0) >= reader.head, `run ${run}, step ${step}: behind`);
    }
  }
});
