import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Outbox } from "../src/core/outbox.js";
import { Session } from "../src/core/session.js";
import { SafeStorage } from "../src/core/storage.js";
import { Transport } from "../src/core/transport.js";
import { FakeClock, FakeLocks, FakeStorage, fakeSockets, listen, message, settled } from "./stage.js";

const YOU = { key: "g:1", name: "Guest 1" };
const EVENTS = ["status", "messages", "reset", "pending", "sent", "dropped", "held", "problem"];

let clock, sockets, storage, locks, signals, heard, session;

beforeEach(() => {
  clock = new FakeClock();
  sockets = fakeSockets();
  storage = new FakeStorage();
  locks = new FakeLocks();
  signals = new EventTarget();
  session = open();
  heard = listen(session, ...EVENTS);
});

function open({ cursor = { epoch: "e1", head: 5 }, you = YOU } = {}) {
  const { WebSocket } = sockets;
  const url = () => `ws://test/?${opened.resumeQuery}`;
  const transport = new Transport({ url, WebSocket, clock, signals, random: () => 0 });
  const outbox = new Outbox({ storage: new SafeStorage(() => storage), locks, author: you.key, room: "lobby" });
  const opened = new Session({ room: "lobby", you, cursor, transport, outbox, clock, signals });
  return opened;
}

/** Connected, welcomed and joined at `head`. */
function connected(head = session.cursor.head) {
  if (!sockets.latest) session.start();
  const socket = sockets.latest;
  socket.opens();
  socket.says({ type: "welcome", you: YOU, limits: {}, ping_seconds: 25 });
  socket.says(joined(session.cursor.head, head));
  return socket;
}

/** The line breaks, and there is another one at once. */
function reconnected() {
  sockets.latest.closes();
  clock.advance(0);
  return connected();
}

const range = (prev, head) => Array.from({ length: head - prev }, (_, index) => message(prev + index + 1));
const joined = (prev, head, extra) => ({ type: "joined", room: "lobby", title: "Lobby", epoch: "e1", prev, head, events: range(prev, head), ...extra });
const events = (prev, head, extra) => ({ type: "events", room: "lobby", epoch: "e1", prev, head, events: range(prev, head), ...extra });
const ack = (id, seq, duplicate = false) => ({ type: "ack", room: "lobby", id, seq, duplicate });
const of = (type) => heard.filter(([name]) => name === type).map(([, detail]) => detail);
const shown = () => of("messages").flatMap(({ messages }) => messages.map(({ seq }) => seq));
const states = () => session.posts.map(({ body, state }) => `${body}: ${state}`);

// Catching up

test("It goes on from what the page shows", () => {
  connected(7);
  assert.equal(sockets.latest.url, "ws://test/?epoch=e1&since=5");
  assert.deepEqual(shown(), [6, 7]);
});

test("After a break it goes on from what it has", () => {
  connected(7);
  reconnected();
  assert.equal(sockets.latest.url, "ws://test/?epoch=e1&since=7");
});

test("A frame of another room is none of its business", () => {
  connected().says(events(5, 6, { room: "kitchen" }));
  assert.deepEqual(shown(), []);
});

test("At a hole it asks once for what is missing, and shows nothing before it has it", () => {
  const socket = connected();
  socket.says(events(6, 7));
  socket.says(events(7, 8));
  assert.deepEqual(socket.sentOf("join"), [{ type: "join", room: "lobby", epoch: "e1", since: 5 }]);
  assert.deepEqual(shown(), []);
  socket.says(joined(5, 8));
  assert.deepEqual(shown(), [6, 7, 8]);
});

test("A ping that stays ahead for 2 s shows a loss", () => {
  const socket = connected();
  socket.says({ type: "ping", heads: { lobby: 6 } });
  clock.advance(1_999);
  assert.deepEqual(socket.sentOf("join"), []);
  clock.advance(1);
  assert.equal(socket.sentOf("join").length, 1);
});

test("A ping that only overtook its messages does not", () => {
  const socket = connected();
  socket.says({ type: "ping", heads: { lobby: 6 } });
  socket.says(events(5, 6));
  clock.advance(2_000);
  assert.deepEqual(socket.sentOf("join"), []);
});

test("Told to start over, it throws away and shows what it is given", () => {
  const socket = connected();
  socket.says(joined(0, 2, { epoch: "e2", reset: "epoch", more: true }));
  assert.equal(of("reset").length, 1);
  assert.equal(of("reset")[0].more, true);
  assert.deepEqual(session.cursor, { epoch: "e2", head: 2 });
});

test("A frame of another log makes it ask with its own position", () => {
  const socket = connected();
  socket.says(events(5, 6, { epoch: "e2" }));
  assert.deepEqual(socket.sentOf("join"), [{ type: "join", room: "lobby", epoch: "e1", since: 5 }]);
});

test("Answered from another log once more, it begins with nothing", () => {
  const socket = connected();
  socket.says(joined(5, 6, { epoch: "e2" }));
  assert.deepEqual(socket.sentOf("join"), [{ type: "join", room: "lobby", epoch: "" }]);
});

test("A room that begins while we are in it is shown from its first message", () => {
  session = open({ cursor: { epoch: "", head: 0 } });
  heard = listen(session, ...EVENTS);
  session.start();
  assert.equal(sockets.latest.url, "ws://test/?");
  sockets.latest.opens();
  sockets.latest.says(joined(0, 0, { epoch: "", reset: "new" }));
  sockets.latest.says(events(0, 1));
  assert.deepEqual(shown(), [1]);
  assert.deepEqual(session.cursor, { epoch: "e1", head: 1 });
});

test("It says how far it is, at most every 2 s", () => {
  const socket = connected(6);
  socket.says(events(6, 7));
  socket.says(events(7, 8));
  assert.deepEqual(socket.sentOf("seen"), []);
  clock.advance(2_000);
  assert.deepEqual(socket.sentOf("seen"), [{ type: "seen", heads: { lobby: 8 } }]);
  clock.advance(20_000);
  assert.equal(socket.sentOf("seen").length, 1);
});

test("After 64 KiB it says so at once", () => {
  const socket = connected();
  socket.says(events(5, 6, { events: [message(6, { body: "x".repeat(64 * 1024) })] }));
  assert.deepEqual(socket.sentOf("seen"), [{ type: "seen", heads: { lobby: 6 } }]);
});

// Posting

test("A post is shown as pending at once, and sent to the room", () => {
  const socket = connected();
  const id = session.post("hi");
  assert.deepEqual(states(), ["hi: pending"]);
  assert.deepEqual(socket.sentOf("post"), [{ type: "post", room: "lobby", id, body: "hi" }]);
});

test("An acknowledged post is sent and no longer ours", () => {
  const socket = connected();
  const id = session.post("hi");
  socket.says(ack(id, 6));
  assert.deepEqual(of("sent").map(({ seq }) => seq), [6]);
  assert.deepEqual(session.posts, []);
  assert.equal(storage.length, 0);
});

test("Our own message come back is as good as an acknowledgement", () => {
  const socket = connected();
  const id = session.post("hi");
  socket.says(events(5, 6, { events: [message(6, { id, author: YOU.key })] }));
  socket.says(ack(id, 6));
  assert.equal(of("sent").length, 1);
  assert.deepEqual(session.posts, []);
});

test("Somebody else's message with the same id is not ours", () => {
  const socket = connected();
  const id = session.post("hi");
  socket.says(events(5, 6, { events: [message(6, { id, author: "g:2" })] }));
  assert.deepEqual(states(), ["hi: pending"]);
});

test("Posts go one at a time, in the order of writing", () => {
  const socket = connected();
  const ids = ["one", "two", "three"].map((body) => session.post(body));
  assert.equal(socket.sentOf("post").length, 1);
  socket.says(ack(ids[0], 6));
  assert.equal(socket.sentOf("post").length, 2);
  socket.says(ack(ids[1], 7));
  socket.says(ack(ids[2], 8));
  assert.deepEqual(socket.sentOf("post").map(({ body }) => body), ["one", "two", "three"]);
});

test("What is written while the line is down is sent when it is back", () => {
  connected();
  sockets.latest.closes();
  session.post("one");
  session.post("two");
  clock.advance(0);
  const socket = connected();
  assert.deepEqual(socket.sentOf("post").map(({ body }) => body), ["one"]);
});

test("What was not acknowledged is sent again with the same id", () => {
  const first = connected();
  const id = session.post("hi");
  const second = reconnected();
  assert.deepEqual([first, second].map((socket) => socket.sentOf("post")[0].id), [id, id]);
});

test("A message that catching up brings is not sent again", () => {
  connected();
  const id = session.post("hi");
  sockets.latest.closes();
  clock.advance(0);
  sockets.latest.opens();
  sockets.latest.says(joined(5, 6, { events: [message(6, { id, author: YOU.key })] }));
  assert.deepEqual(sockets.latest.sentOf("post"), []);
  assert.deepEqual(session.posts, []);
});

test("A post that nobody answers is sent again after 20 s", () => {
  const socket = connected();
  const id = session.post("hi");
  clock.advance(20_000);
  assert.deepEqual(socket.sentOf("post").map((frame) => frame.id), [id, id]);
});

test("Not now means later, in the same order", () => {
  const socket = connected();
  const ids = [session.post("one"), session.post("two")];
  socket.says({ type: "error", code: "busy", detail: "…", frame: "post", id: ids[0], retry_after: 2 });
  assert.deepEqual(states(), ["one: pending", "two: pending"]);
  assert.deepEqual(of("held").map(({ post, code, seconds }) => [post.body, code, seconds]), [["one", "busy", 2]]);
  clock.advance(1_999);
  assert.equal(socket.sentOf("post").length, 1);
  clock.advance(1);
  assert.deepEqual(socket.sentOf("post").map(({ id }) => id), [ids[0], ids[0]]);
});

test("A refused post has failed, and the next one goes", () => {
  const socket = connected();
  const ids = [session.post("one"), session.post("two")];
  socket.says({ type: "error", code: "forbidden", detail: "Not here.", frame: "post", id: ids[0] });
  assert.deepEqual(states(), ["one: failed", "two: pending"]);
  assert.deepEqual(session.posts[0].error, { code: "forbidden", detail: "Not here." });
  assert.equal(socket.sentOf("post").at(-1).id, ids[1]);
});

test("A frame the server could not even read was the post it waits for", () => {
  const socket = connected();
  session.post("half a surrogate");
  socket.says({ type: "error", code: "bad_text", detail: "…" });
  assert.deepEqual(states(), ["half a surrogate: failed"]);
});

test("A failed post waits for a hand: sent again on retry, gone on delete", () => {
  const socket = connected();
  const ids = [session.post("one"), session.post("two")];
  for (const id of ids) socket.says({ type: "error", code: "forbidden", detail: "…", id });
  clock.advance(20_000);
  assert.equal(socket.sentOf("post").length, 2);
  session.retry(ids[0]);
  assert.equal(socket.sentOf("post").at(-1).id, ids[0]);
  session.discard(ids[1]);
  assert.deepEqual(states(), ["one: pending"]);
});

test("What was written under another name is not sent under this one", () => {
  session.start();
  session.post("hi");
  sockets.latest.opens();
  sockets.latest.says({ type: "welcome", you: { key: "u:1", name: "Ana" }, limits: {}, ping_seconds: 25 });
  sockets.latest.says(joined(5, 5));
  assert.deepEqual(states(), ["hi: failed"]);
  assert.deepEqual(sockets.latest.sentOf("post"), []);
});

test("A join that must wait is made again", () => {
  const socket = connected();
  socket.says(events(6, 7));
  socket.says({ type: "error", code: "busy", detail: "…", frame: "join", room: "lobby", retry_after: 1 });
  clock.advance(1_000);
  assert.equal(socket.sentOf("join").length, 2);
});

test("An error about nothing of ours is passed on", () => {
  connected().says({ type: "error", code: "unknown_type", detail: "…" });
  assert.deepEqual(of("problem").map(({ code }) => code), ["unknown_type"]);
});

test("A frame of tomorrow is no trouble", () => {
  const socket = connected();
  heard.length = 0;
  socket.says({ type: "hologram", room: "lobby", events: "?", head: 99 });
  socket.says({ type: "hologram" });
  assert.deepEqual(heard, []);
  socket.says(events(5, 6));
  assert.deepEqual(shown(), [6]);
});

// Posts with files

/** A file on its way: `lands(id)` brings it there, `fails(error)` ends it. */
function fileUnderWay(name) {
  const file = { name, alt: "", toJSON: () => ({ id: file.id, name, alt: file.alt }) };
  file.uploaded = () => {
    file.tries = (file.tries ?? 0) + 1;
    return new Promise((resolve, reject) => Object.assign(file, { lands: (id) => resolve((file.id = id)), fails: reject }));
  };
  return file;
}

const stored = (name) => ({ id: `f-${name}`, name, alt: `a ${name}`, bytes: 5 });

test("A post takes its files along, as their ids and what they show", () => {
  const socket = connected();
  session.post("", { files: [stored("cat")] });
  assert.deepEqual(socket.sentOf("post").map(({ body, files }) => [body, files]), [["", [{ id: "f-cat", alt: "a cat" }]]]);
});

test("A post without files says nothing of files", () => {
  const socket = connected();
  session.post("hi", { files: [] });
  assert.equal("files" in socket.sentOf("post")[0], false);
});

test("A post waits for its files, and those behind it wait with it", async () => {
  const socket = connected();
  const file = fileUnderWay("cat");
  session.post("look", { files: [file] });
  session.post("and?");
  await settled();
  assert.deepEqual(socket.sentOf("post"), []);
  file.lands("f1");
  await settled();
  assert.deepEqual(socket.sentOf("post").map(({ body, files }) => [body, files]), [["look", [{ id: "f1", alt: "" }]]]);
  socket.says(ack(socket.sentOf("post")[0].id, 6));
  assert.deepEqual(socket.sentOf("post").map(({ body }) => body), ["look", "and?"]);
});

test("Where a file cannot come the post has failed, and the next one goes; Retry waits for the file again", async () => {
  const socket = connected();
  const file = fileUnderWay("cat");
  const id = session.post("look", { files: [file] });
  session.post("next");
  file.fails({ code: "too_big", detail: "Too big." });
  await settled();
  assert.deepEqual(session.posts[0].error, { code: "too_big", detail: "Too big." });
  assert.deepEqual(socket.sentOf("post").map(({ body }) => body), ["next"]);
  socket.says(ack(socket.sentOf("post")[0].id, 6));
  session.retry(id);
  assert.equal(file.tries, 2);
  file.lands("f1");
  await settled();
  assert.deepEqual(socket.sentOf("post").map(({ body }) => body), ["next", "look"]);
});

test("A post that was taken back is not sent when its file comes", async () => {
  const socket = connected();
  const file = fileUnderWay("cat");
  const id = session.post("look", { files: [file] });
  session.discard(id);
  assert.deepEqual(of("dropped").map(({ post, discarded }) => [post.id, discarded]), [[id, true]]);
  file.lands("f1");
  await settled();
  assert.deepEqual(socket.sentOf("post"), []);
  assert.equal(storage.length, 0);
});

test("A post whose files are there survives a reload with them", async () => {
  session.start();
  const file = fileUnderWay("cat");
  session.post("look", { files: [file] });
  file.lands("f1");
  await settled();
  session.stop();
  session = open();
  session.start();
  await settled();
  assert.deepEqual(session.posts.map(({ state, files }) => [state, files]), [["pending", [{ id: "f1", name: "cat", alt: "" }]]]);
  assert.deepEqual(connected().sentOf("post").map(({ files }) => files), [[{ id: "f1", alt: "" }]]);
});

test("A reload during an upload keeps the words, says so, and sends what is left when asked", async () => {
  session.start();
  session.post("look", { files: [stored("cat"), fileUnderWay("dog")] });
  session.stop();
  session = open();
  session.start();
  await settled();
  assert.deepEqual(session.posts.map(({ state, error }) => [state, error.code]), [["failed", "files_lost"]]);
  const socket = connected();
  session.retry(session.posts[0].id);
  assert.deepEqual(socket.sentOf("post").map(({ body, files }) => [body, files]), [["look", [{ id: "f-cat", alt: "a cat" }]]]);
});

// The state of the line

test("It tells how it is connected, each change once", () => {
  connected();
  sockets.latest.closes();
  clock.advance(0);
  sockets.latest.closes();
  clock.advance(500);
  connected();
  sockets.latest.closes(4001, "sign in");
  assert.deepEqual(of("status").map(({ state, code }) => [state, code]), [
    ["connected", undefined],
    ["offline", 1006],
    ["connected", undefined],
    ["ended", 4001],
  ]);
});

test("Put out of the room, it is over", () => {
  connected().says({ type: "left", room: "lobby" });
  assert.equal(session.state, "ended");
  assert.equal(of("status").at(-1).code, 4003);
});

// Surviving a reload

test("What was not sent survives a reload, in order and with the same ids", async () => {
  session.start();
  const ids = ["one", "two"].map((body) => {
    clock.advance(1);
    return session.post(body);
  });
  session.stop();
  const later = open();
  later.start();
  await settled();
  assert.deepEqual(later.posts.map(({ id, state }) => [id, state]), ids.map((id) => [id, "pending"]));
});

test("Another tab does not touch what its owner will send", async () => {
  session.start();
  session.post("mine");
  const other = open();
  other.start();
  await settled();
  assert.deepEqual(other.posts, []);
});

test("When the owner goes, another tab carries on", async () => {
  session.start();
  const id = session.post("mine");
  const other = open();
  other.start();
  session.stop();
  await settled();
  assert.deepEqual(other.posts.map((post) => post.id), [id]);
});

test("Only one of the tabs left carries on", async () => {
  session.start();
  session.post("mine");
  const others = [open(), open()];
  for (const other of others) other.start();
  session.stop();
  await settled();
  assert.equal(others.flatMap(({ posts }) => posts).length, 1);
});

test("A tab that wakes gives up what another has taken over meanwhile", async () => {
  session.start();
  session.post("mine");
  await settled();
  signals.dispatchEvent(new Event("sleep"));
  await settled();
  signals = new EventTarget();
  const other = open();
  other.start();
  await settled();
  assert.equal(other.posts.length, 1);
});

test("Nobody else at this browser sends it", async () => {
  session.start();
  session.post("mine");
  session.stop();
  const other = open({ you: { key: "u:2", name: "Bo" } });
  other.start();
  await settled();
  assert.deepEqual(other.posts, []);
});

test("What waited for more than a day is not sent unasked", async () => {
  session.start();
  session.post("yesterday's");
  session.stop();
  clock.advance(24 * 60 * 60 * 1000 + 1);
  session = open();
  session.start();
  await settled();
  assert.deepEqual(states(), ["yesterday's: failed"]);
  assert.equal(session.posts[0].error.code, "stale");
});

test("Who is called otherwise from now on is told so, and stays who they are", () => {
  const socket = connected();
  const heard = listen(session, "named");
  socket.says({ type: "named", name: "Zoë" });
  assert.deepEqual(heard, [["named", { name: "Zoë" }]]);
  assert.deepEqual(session.you, { ...YOU, name: "Zoë" });
});

test("What one may do can be asked for again, from where one stands", () => {
  const socket = connected(7);
  session.refresh();
  assert.deepEqual(socket.sentOf("join"), [{ type: "join", room: "lobby", epoch: "e1", since: 7 }]);
});
