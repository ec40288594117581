import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageWindow } from "../src/timeline/message_window.js";
import { message } from "./stage.js";

/** A room on a server: what was said has the numbers 1, 2, 3, …; pages as the address `messages/` answers them. */
class Room {
  said = [];
  epoch = "e";
  size = 10;

  constructor(count) {
    while (this.said.length < count) this.say();
  }

  get head() {
    return this.said.length;
  }

  say() {
    this.said.push(message(this.said.length + 1));
    return this.said.at(-1);
  }

  page({ before = Infinity, after, around }) {
    const half = this.size / 2;
    const newer = (from, many) => this.said.filter(({ seq }) => seq > from).slice(0, many);
    const older = (to, many) => this.said.filter(({ seq }) => seq < to).slice(-many);
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

/** What a page shows of it, as `log_view.js` would: a stretch, and what it has let in. */
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

  hear(...messages) {
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

test("At the live end, what is said belongs to it", () => {
  const room = new Room(30);
  const reader = new Reader(room);
  reader.hear(room.say(), room.say());

  assert.deepEqual(reader.seqs, from(21, 32));
});

test("A change to what is not shown is left out", () => {
  const reader = new Reader(new Room(30));
  reader.hear(message(20, { rev: 31 }), message(21, { rev: 32 }));

  assert.deepEqual([reader.seqs, reader.shown.get(21).rev], [from(21, 30), 32]);
});

test("In a room that begins where the page does, nothing is too old", () => {
  const reader = new Reader(new Room(0));
  reader.hear(message(1));

  assert.deepEqual([reader.seqs, reader.messageWindow.isAtStart], [[1], true]);
});

test("Around an old message, what is said now is left out", () => {
  const room = new Room(100);
  const reader = new Reader(room, 50);
  reader.hear(room.say());

  assert.deepEqual([reader.seqs, reader.messageWindow.isLive, reader.messageWindow.isAtStart], [from(46, 55), false, false]);
});

test("Older pages lead to the beginning, newer ones to the live end, without a hole", () => {
  const room = new Room(100);
  const reader = new Reader(room, 50);
  while (!reader.messageWindow.isAtStart) reader.load("older");
  assert.deepEqual(reader.seqs, from(1, 55));
  while (!reader.messageWindow.isLive) reader.load("newer");
  reader.hear(room.say());

  assert.deepEqual(reader.seqs, from(1, 101));
});

test("What is said while the last page is on its way is there when it has come", () => {
  const room = new Room(60);
  const reader = new Reader(room, 50);
  const request = reader.request("newer");
  const page = room.page(request.query);
  reader.hear(room.say());
  assert.deepEqual(reader.seqs, from(46, 55));
  reader.accept(request, page);

  assert.deepEqual([reader.seqs, reader.messageWindow.isLive], [from(46, 61), true]);
});

test("A last page that knows less than the socket did is not the live end", () => {
  const room = new Room(60);
  const reader = new Reader(room, 50);
  const stale = room.page({ after: 55 });
  reader.hear(room.say());
  reader.accept(reader.request("newer"), stale);
  assert.deepEqual([reader.seqs, reader.messageWindow.isLive], [from(46, 60), false]);
  reader.load("newer");

  assert.deepEqual([reader.seqs, reader.messageWindow.isLive], [from(46, 61), true]);
});

test("A change that came while its page was on its way is not lost", () => {
  const room = new Room(60);
  const reader = new Reader(room);
  const request = reader.request("older");
  const page = room.page(request.query);
  reader.hear(message(45, { rev: 61, body: "better" }));
  reader.accept(request, page);

  assert.equal(reader.shown.get(45).body, "better");
});

test("The newest page takes the place of an old one, with what was said meanwhile", () => {
  const room = new Room(100);
  const reader = new Reader(room, 20);
  const request = reader.request("newest");
  const page = room.page(request.query);
  reader.hear(room.say());
  reader.accept(request, page);

  assert.deepEqual([reader.seqs, reader.messageWindow.isLive], [from(91, 101), true]);
});

test("What was taken out at either end comes back with its page", () => {
  const room = new Room(60);
  const reader = new Reader(room);
  while (!reader.messageWindow.isAtStart) reader.load("older");
  reader.trim({ oldest: 21, newest: 40 });
  reader.hear(room.say());
  assert.deepEqual([reader.seqs, reader.messageWindow.isAtStart, reader.messageWindow.isLive], [from(21, 40), false, false]);
  while (!reader.messageWindow.isAtStart) reader.load("older");
  while (!reader.messageWindow.isLive) reader.load("newer");

  assert.deepEqual(reader.seqs, from(1, 61));
});

test("A page that does not border on what is shown any more is thrown away", () => {
  const room = new Room(60);
  const reader = new Reader(room);
  const request = reader.request("older");
  reader.trim({ oldest: 55 });

  assert.equal(reader.accept(request, room.page(request.query)), false);
  assert.deepEqual(reader.seqs, from(55, 60));
});

test("Whoever asks for two pages gets the second", () => {
  const room = new Room(100);
  const reader = new Reader(room);
  const first = reader.request("around", 20);
  reader.load("around", 70);

  assert.equal(reader.accept(first, room.page(first.query)), false);
  assert.deepEqual(reader.seqs, from(66, 75));
});

test("A page of another log is thrown away, and so is one that was asked for before a new beginning", () => {
  const room = new Room(60);
  const reader = new Reader(room);
  const request = reader.request("older");
  assert.equal(reader.accept(request, { ...room.page(request.query), epoch: "another" }), false);
  const late = reader.request("older");
  reader.messageWindow.reset([message(3)], { more: false });

  assert.equal(reader.accept(late, room.page(late.query)), false);
  assert.deepEqual([reader.messageWindow.oldest, reader.messageWindow.newest, reader.messageWindow.isAtStart], [3, 3, true]);
});

test("Whatever is read, cut and said in whatever order: there is never a hole or a stranger", () => {
  let seed = 7;
  const chance = (many) => (seed = (seed * 48271) % 2147483647) % many;
  for (let run = 0; run < 200; run++) {
    const room = new Room(chance(80));
    const reader = new Reader(room);
    const undelivered = [];
    let request = null;
    let page = null;
    for (let step = 0; step < 60; step++) {
      const { oldest, newest, isAtStart, isLive } = reader.messageWindow;
      const what = ["say", "say", "hear", "ask", "read", "answer", "answer", "cut"][chance(8)];
      if (what === "say") undelivered.push(room.say());
      if (what === "hear") reader.hear(...undelivered.splice(0, 1 + chance(4)));
      if (what === "cut" && newest - oldest > 20) reader.trim(chance(2) ? { oldest: oldest + 8 } : { newest: newest - 8 });
      if (what === "ask" && room.head) {
        const wanted = [...(isAtStart ? [] : ["older"]), ...(isLive ? [] : ["newer"]), "around", "newest"];
        [request, page] = [reader.request(wanted[chance(wanted.length)], 1 + chance(room.head)), null];
      }
      if (what === "read" && request) page ??= room.page(request.query);
      if (what === "answer" && request && page) {
        reader.accept(request, page);
        [request, page] = [null, null];
      }
      const { seqs } = reader;
      assert.deepEqual(seqs, seqs.length ? from(seqs[0], seqs.at(-1)) : [], `run ${run}, step ${step}: ${what}`);
      if (reader.messageWindow.isLive) assert.ok((seqs.at(-1) ?? 0) >= reader.head, `run ${run}, step ${step}: behind`);
    }
  }
});
