import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Outbox } from "../../src/core/outbox.js";
import { Session } from "../../src/core/session.js";
import { SafeStorage } from "../../src/core/storage.js";
import { Transport } from "../../src/core/transport.js";
import { FakeClock, FakeLocks, FakeStorage, fakeSockets, listen, message, flushPromises } from "../fakes.js";

const YOU = { key: "g:1", name: "Guest 1" };
const EVENTS = ["status", "messages", "reset", "pending", "sent", "dropped", "held", "problem"];

let clock, sockets, storage, locks, signals, received, session;

beforeEach(() => {
  clock = new FakeClock();
  sockets = fakeSockets();
  storage = new FakeStorage();
  locks = new FakeLocks();
  signals = new EventTarget();
  session = open();
  received = listen(session, ...EVENTS);
});

function open({ cursor = { epoch: "e1", head: 5 }, you = YOU } = {}) {
  const { WebSocket } = sockets;
  const url = () => `ws://test/?${opened.resumeQuery}`;
  const transport = new Transport({ url, WebSocket, clock, signals, random: () => 0 });
  const outbox = new Outbox({ storage: new SafeStorage(() => storage), locks, author: you.key, room: "lobby" });
  const opened = new Session({ room: "lobby", you, cursor, transport, outbox, clock, signals });
  return opened;
}

/** Connect, welcome and join at `head`. */
function connected(head = session.cursor.head) {
  if (!sockets.latest) session.start();
  const socket = sockets.latest;
  socket.emitOpen();
  socket.emitFrame({ type: "welcome", you: YOU, limits: {}, ping_seconds: 25 });
  socket.emitFrame(joined(session.cursor.head, head));
  return socket;
}

/** Lose the connection and reconnect immediately. */
function reconnected() {
  sockets.latest.emitClose();
  clock.advance(0);
  return connected();
}

const range = (prev, head) => Array.from({ length: head - prev }, (_, index) => message(prev + index + 1));
const joined = (prev, head, extra) => ({ type: "joined", room: "lobby", title: "Lobby", epoch: "e1", prev, head, events: range(prev, head), ...extra });
const events = (prev, head, extra) => ({ type: "events", room: "lobby", epoch: "e1", prev, head, events: range(prev, head), ...extra });
const ack = (id, seq, duplicate = false) => ({ type: "ack", room: "lobby", id, seq, duplicate });
const of = (type) => received.filter(([name]) => name === type).map(([, detail]) => detail);
const shown = () => of("messages").flatMap(({ messages }) => messages.map(({ seq }) => seq));
const states = () => session.posts.map(({ body, state }) => `${body}: ${state}`);

// Catching up

test("The session resumes from the cursor of the page", () => {
  connected(7);
  assert.equal(sockets.latest.url, "ws://test/?epoch=e1&since=5");
  assert.deepEqual(shown(), [6, 7]);
});

test("After a reconnect the session resumes from its own cursor", () => {
  connected(7);
  reconnected();
  assert.equal(sockets.latest.url, "ws://test/?epoch=e1&since=7");
});

test("Frames of other rooms are ignored", () => {
  connected().emitFrame(events(5, 6, { room: "kitchen" }));
  assert.deepEqual(shown(), []);
});

test("After a gap the session joins once, and shows no events before the missing ones", () => {
  const socket = connected();
  socket.emitFrame(events(6, 7));
  socket.emitFrame(events(7, 8));
  assert.deepEqual(socket.sentOf("join"), [{ type: "join", room: "lobby", epoch: "e1", since: 5 }]);
  assert.deepEqual(shown(), []);
  socket.emitFrame(joined(5, 8));
  assert.deepEqual(shown(), [6, 7, 8]);
});

test("A ping that is ahead for 2 s triggers a join", () => {
  const socket = connected();
  socket.emitFrame({ type: "ping", heads: { lobby: 6 } });
  clock.advance(1_999);
  assert.deepEqual(socket.sentOf("join"), []);
  clock.advance(1);
  assert.equal(socket.sentOf("join").length, 1);
});

test("A ping that only overtook events triggers no join", () => {
  const socket = connected();
  socket.emitFrame({ type: "ping", heads: { lobby: 6 } });
  socket.emitFrame(events(5, 6));
  clock.advance(2_000);
  assert.deepEqual(socket.sentOf("join"), []);
});

test("A reset replaces the cursor and the messages", () => {
  const socket = connected();
  socket.emitFrame(joined(0, 2, { epoch: "e2", reset: "epoch", more: true }));
  assert.equal(of("reset").length, 1);
  assert.equal(of("reset")[0].more, true);
  assert.deepEqual(session.cursor, { epoch: "e2", head: 2 });
});

test("After a frame of another epoch the session joins with its own position", () => {
  const socket = connected();
  socket.emitFrame(events(5, 6, { epoch: "e2" }));
  assert.deepEqual(socket.sentOf("join"), [{ type: "join", room: "lobby", epoch: "e1", since: 5 }]);
});

test("If a join is answered from another epoch, the session joins without a position", () => {
  const socket = connected();
  socket.emitFrame(joined(5, 6, { epoch: "e2" }));
  assert.deepEqual(socket.sentOf("join"), [{ type: "join", room: "lobby", epoch: "" }]);
});

test("In a new room the first message is shown", () => {
  session = open({ cursor: { epoch: "", head: 0 } });
  received = listen(session, ...EVENTS);
  session.start();
  assert.equal(sockets.latest.url, "ws://test/?");
  sockets.latest.emitOpen();
  sockets.latest.emitFrame(joined(0, 0, { epoch: "", reset: "new" }));
  sockets.latest.emitFrame(events(0, 1));
  assert.deepEqual(shown(), [1]);
  assert.deepEqual(session.cursor, { epoch: "e1", head: 1 });
});

test("The frame seen is sent at most every 2 s", () => {
  const socket = connected(6);
  socket.emitFrame(events(6, 7));
  socket.emitFrame(events(7, 8));
  assert.deepEqual(socket.sentOf("seen"), []);
  clock.advance(2_000);
  assert.deepEqual(socket.sentOf("seen"), [{ type: "seen", heads: { lobby: 8 } }]);
  clock.advance(20_000);
  assert.equal(socket.sentOf("seen").length, 1);
});

test("After 64 KiB the frame seen is sent immediately", () => {
  const socket = connected();
  socket.emitFrame(events(5, 6, { events: [message(6, { body: "x".repeat(64 * 1024) })] }));
  assert.deepEqual(socket.sentOf("seen"), [{ type: "seen", heads: { lobby: 6 } }]);
});

// Posting

test("A post is pending immediately, and sent to the room", () => {
  const socket = connected();
  const id = session.post("hi");
  assert.deepEqual(states(), ["hi: pending"]);
  assert.deepEqual(socket.sentOf("post"), [{ type: "post", room: "lobby", id, body: "hi" }]);
});

test("An acknowledged post is sent and removed", () => {
  const socket = connected();
  const id = session.post("hi");
  socket.emitFrame(ack(id, 6));
  assert.deepEqual(of("sent").map(({ seq }) => seq), [6]);
  assert.deepEqual(session.posts, []);
  assert.equal(storage.length, 0);
});

test("Receiving the message of a post acknowledges it", () => {
  const socket = connected();
  const id = session.post("hi");
  socket.emitFrame(events(5, 6, { events: [message(6, { id, author: YOU.key })] }));
  socket.emitFrame(ack(id, 6));
  assert.equal(of("sent").length, 1);
  assert.deepEqual(session.posts, []);
});

test("A message of another author with the same id acknowledges nothing", () => {
  const socket = connected();
  const id = session.post("hi");
  socket.emitFrame(events(5, 6, { events: [message(6, { id, author: "g:2" })] }));
  assert.deepEqual(states(), ["hi: pending"]);
});

test("Posts are sent one at a time, in order", () => {
  const socket = connected();
  const ids = ["one", "two", "three"].map((body) => session.post(body));
  assert.equal(socket.sentOf("post").length, 1);
  socket.emitFrame(ack(ids[0], 6));
  assert.equal(socket.sentOf("post").length, 2);
  socket.emitFrame(ack(ids[1], 7));
  socket.emitFrame(ack(ids[2], 8));
  assert.deepEqual(socket.sentOf("post").map(({ body }) => body), ["one", "two", "three"]);
});

test("Posts that were written offline are sent after the reconnect", () => {
  connected();
  sockets.latest.emitClose();
  session.post("one");
  session.post("two");
  clock.advance(0);
  const socket = connected();
  assert.deepEqual(socket.sentOf("post").map(({ body }) => body), ["one"]);
});

test("A post that was not acknowledged is sent again with the same id", () => {
  const first = connected();
  const id = session.post("hi");
  const second = reconnected();
  assert.deepEqual([first, second].map((socket) => socket.sentOf("post")[0].id), [id, id]);
});

test("A post whose message was received while catching up is not sent again", () => {
  connected();
  const id = session.post("hi");
  sockets.latest.emitClose();
  clock.advance(0);
  sockets.latest.emitOpen();
  sockets.latest.emitFrame(joined(5, 6, { events: [message(6, { id, author: YOU.key })] }));
  assert.deepEqual(sockets.latest.sentOf("post"), []);
  assert.deepEqual(session.posts, []);
});

test("A post without an answer is sent again after 20 s", () => {
  const socket = connected();
  const id = session.post("hi");
  clock.advance(20_000);
  assert.deepEqual(socket.sentOf("post").map((frame) => frame.id), [id, id]);
});

test("An error with retry_after delays the posts and keeps their order", () => {
  const socket = connected();
  const ids = [session.post("one"), session.post("two")];
  socket.emitFrame({ type: "error", code: "busy", detail: "…", frame: "post", id: ids[0], retry_after: 2 });
  assert.deepEqual(states(), ["one: pending", "two: pending"]);
  assert.deepEqual(of("held").map(({ post, code, seconds }) => [post.body, code, seconds]), [["one", "busy", 2]]);
  clock.advance(1_999);
  assert.equal(socket.sentOf("post").length, 1);
  clock.advance(1);
  assert.deepEqual(socket.sentOf("post").map(({ id }) => id), [ids[0], ids[0]]);
});

test("A rejected post fails, and the next one is sent", () => {
  const socket = connected();
  const ids = [session.post("one"), session.post("two")];
  socket.emitFrame({ type: "error", code: "forbidden", detail: "Not here.", frame: "post", id: ids[0] });
  assert.deepEqual(states(), ["one: failed", "two: pending"]);
  assert.deepEqual(session.posts[0].error, { code: "forbidden", detail: "Not here.", isFinal: true });
  assert.equal(socket.sentOf("post").at(-1).id, ids[1]);
});

test("A failed post is marked if no later attempt can succeed", () => {
  const socket = connected();
  const codes = ["bad_text", "filtered", "too_many", "muted", "archived", "error_of_the_site"];
  const ids = codes.map((code) => session.post(code));
  codes.forEach((code, index) => socket.emitFrame({ type: "error", code, detail: "…", frame: "post", id: ids[index] }));
  assert.deepEqual(session.posts.map(({ error }) => error.isFinal), [true, true, true, false, false, false]);
});

test("An error about an unreadable frame fails the post in flight", () => {
  const socket = connected();
  session.post("half a surrogate");
  socket.emitFrame({ type: "error", code: "bad_text", detail: "…" });
  assert.deepEqual(states(), ["half a surrogate: failed"]);
});

test("A failed post is sent again by retry, and removed by discard", () => {
  const socket = connected();
  const ids = [session.post("one"), session.post("two")];
  for (const id of ids) socket.emitFrame({ type: "error", code: "forbidden", detail: "…", id });
  clock.advance(20_000);
  assert.equal(socket.sentOf("post").length, 2);
  session.retry(ids[0]);
  assert.equal(socket.sentOf("post").at(-1).id, ids[0]);
  session.discard(ids[1]);
  assert.deepEqual(states(), ["one: pending"]);
});

test("A failed post that is taken back has its text, its target and its files", () => {
  const socket = connected();
  const replyTo = { seq: 3, name: "Bo", body: "When?" };
  const files = [{ id: "f1", name: "a.png", alt: "" }];
  const id = session.post("see", { replyTo, files });
  socket.emitFrame({ type: "error", frame: "post", id, code: "bad_file", detail: "No." });
  const { body, quote, files: kept } = session.takeBack(id);
  assert.deepEqual({ body, quote, kept }, { body: "see", quote: replyTo, kept: files });
  assert.deepEqual(session.posts, []);
  assert.equal(storage.length, 0);
  assert.deepEqual(of("dropped").map(({ discarded }) => discarded), [undefined]);
});

for (const [typed, sent] of [
  ["one\x0btwo", "one\ntwo"],
  ["\x1b[31mERROR\x1b[0m", "ERROR"],
  ["\n\tJan\tFeb\nTea\t1\t2\n", "\tJan\tFeb\nTea\t1\t2"],
]) {
  test(`The post ${JSON.stringify(typed)} is cleaned before it is shown and sent`, () => {
    const socket = connected();
    session.post(typed);
    assert.equal(of("pending")[0].post.body, sent);
    assert.equal(socket.sentOf("post")[0].body, sent);
  });
}

test("Posts of one user are not sent as another user", () => {
  session.start();
  session.post("hi");
  sockets.latest.emitOpen();
  sockets.latest.emitFrame({ type: "welcome", you: { key: "u:1", name: "Ana" }, limits: {}, ping_seconds: 25 });
  sockets.latest.emitFrame(joined(5, 5));
  assert.deepEqual(states(), ["hi: failed"]);
  assert.deepEqual(sockets.latest.sentOf("post"), []);
});

test("A join that was rejected with retry_after is sent again", () => {
  const socket = connected();
  socket.emitFrame(events(6, 7));
  socket.emitFrame({ type: "error", code: "busy", detail: "…", frame: "join", room: "lobby", retry_after: 1 });
  clock.advance(1_000);
  assert.equal(socket.sentOf("join").length, 2);
});

test("Other errors are dispatched as problem", () => {
  connected().emitFrame({ type: "error", code: "unknown_type", detail: "…" });
  assert.deepEqual(of("problem").map(({ code }) => code), ["unknown_type"]);
});

test("Unknown frames are ignored", () => {
  const socket = connected();
  received.length = 0;
  socket.emitFrame({ type: "hologram", room: "lobby", events: "?", head: 99 });
  socket.emitFrame({ type: "hologram" });
  assert.deepEqual(received, []);
  socket.emitFrame(events(5, 6));
  assert.deepEqual(shown(), [6]);
});

// Posts with files

/** A file that is being uploaded: `complete(id)` resolves the upload, `fail(error)` rejects it. */
function fileUnderWay(name) {
  const file = { name, alt: "", toJSON: () => ({ id: file.id, name, alt: file.alt }) };
  file.uploaded = () => {
    file.tries = (file.tries ?? 0) + 1;
    return new Promise((resolve, reject) => Object.assign(file, { complete: (id) => resolve((file.id = id)), fail: reject }));
  };
  return file;
}

const stored = (name) => ({ id: `f-${name}`, name, alt: `a ${name}`, bytes: 5 });

test("A post is sent with the ids and alt texts of its files", () => {
  const socket = connected();
  session.post("", { files: [stored("cat")] });
  assert.deepEqual(socket.sentOf("post").map(({ body, files }) => [body, files]), [["", [{ id: "f-cat", alt: "a cat" }]]]);
});

test("A post without files has no field for them", () => {
  const socket = connected();
  session.post("hi", { files: [] });
  assert.equal("files" in socket.sentOf("post")[0], false);
});

test("A post waits for its files, and the posts behind it wait as well", async () => {
  const socket = connected();
  const file = fileUnderWay("cat");
  session.post("look", { files: [file] });
  session.post("and?");
  await flushPromises();
  assert.deepEqual(socket.sentOf("post"), []);
  file.complete("f1");
  await flushPromises();
  assert.deepEqual(socket.sentOf("post").map(({ body, files }) => [body, files]), [["look", [{ id: "f1", alt: "" }]]]);
  socket.emitFrame(ack(socket.sentOf("post")[0].id, 6));
  assert.deepEqual(socket.sentOf("post").map(({ body }) => body), ["look", "and?"]);
});

test("A failed upload fails the post, and the next one is sent; a retry waits for the upload again", async () => {
  const socket = connected();
  const file = fileUnderWay("cat");
  const id = session.post("look", { files: [file] });
  session.post("next");
  file.fail({ code: "too_big", detail: "Too big." });
  await flushPromises();
  assert.deepEqual(session.posts[0].error, { code: "too_big", detail: "Too big.", isFinal: true });
  assert.deepEqual(socket.sentOf("post").map(({ body }) => body), ["next"]);
  socket.emitFrame(ack(socket.sentOf("post")[0].id, 6));
  session.retry(id);
  assert.equal(file.tries, 2);
  file.complete("f1");
  await flushPromises();
  assert.deepEqual(socket.sentOf("post").map(({ body }) => body), ["next", "look"]);
});

test("A discarded post is not sent when its upload completes", async () => {
  const socket = connected();
  const file = fileUnderWay("cat");
  const id = session.post("look", { files: [file] });
  session.discard(id);
  assert.deepEqual(of("dropped").map(({ post, discarded }) => [post.id, discarded]), [[id, true]]);
  file.complete("f1");
  await flushPromises();
  assert.deepEqual(socket.sentOf("post"), []);
  assert.equal(storage.length, 0);
});

test("A post with uploaded files survives a reload", async () => {
  session.start();
  const file = fileUnderWay("cat");
  session.post("look", { files: [file] });
  file.complete("f1");
  await flushPromises();
  session.stop();
  session = open();
  session.start();
  await flushPromises();
  assert.deepEqual(session.posts.map(({ state, files }) => [state, files]), [["pending", [{ id: "f1", name: "cat", alt: "" }]]]);
  assert.deepEqual(connected().sentOf("post").map(({ files }) => files), [[{ id: "f1", alt: "" }]]);
});

test("After a reload during an upload the post has failed, and a retry sends the remaining files", async () => {
  session.start();
  session.post("look", { files: [stored("cat"), fileUnderWay("dog")] });
  session.stop();
  session = open();
  session.start();
  await flushPromises();
  assert.deepEqual(session.posts.map(({ state, error }) => [state, error.code]), [["failed", "files_lost"]]);
  const socket = connected();
  session.retry(session.posts[0].id);
  assert.deepEqual(socket.sentOf("post").map(({ body, files }) => [body, files]), [["look", [{ id: "f-cat", alt: "a cat" }]]]);
});

// Connection state

test("Each change of the state is dispatched once", () => {
  connected();
  sockets.latest.emitClose();
  clock.advance(0);
  sockets.latest.emitClose();
  clock.advance(500);
  connected();
  sockets.latest.emitClose(4001, "sign in");
  assert.deepEqual(of("status").map(({ state, code }) => [state, code]), [
    ["connected", undefined],
    ["offline", 1006],
    ["connected", undefined],
    ["ended", 4001],
  ]);
});

test("A refused connection that was offline before is dispatched with its reason", () => {
  connected();
  sockets.latest.emitClose();
  clock.advance(0);
  sockets.latest.emitOpen();
  sockets.latest.emitFrame({ type: "bye", code: 4029, reason: "Close other tabs.", retry_after: 30 });
  sockets.latest.emitClose(4029, "too many requests");
  assert.deepEqual(of("status").map(({ state, code, reason }) => [state, code, reason]).slice(1), [
    ["offline", 1006, ""],
    ["offline", 4029, "Close other tabs."],
  ]);
});

test("Removal from the room ends the session", () => {
  connected().emitFrame({ type: "left", room: "lobby" });
  assert.equal(session.state, "ended");
  assert.equal(of("status").at(-1).code, 4003);
});

// Reloads and tabs

test("Pending posts survive a reload, in order and with their ids", async () => {
  session.start();
  const ids = ["one", "two"].map((body) => {
    clock.advance(1);
    return session.post(body);
  });
  session.stop();
  const later = open();
  later.start();
  await flushPromises();
  assert.deepEqual(later.posts.map(({ id, state }) => [id, state]), ids.map((id) => [id, "pending"]));
});

test("Another tab does not adopt the posts of an open tab", async () => {
  session.start();
  session.post("mine");
  const other = open();
  other.start();
  await flushPromises();
  assert.deepEqual(other.posts, []);
});

test("When a tab is closed, another one adopts its posts", async () => {
  session.start();
  const id = session.post("mine");
  const other = open();
  other.start();
  session.stop();
  await flushPromises();
  assert.deepEqual(other.posts.map((post) => post.id), [id]);
});

test("Only one of several tabs adopts the posts", async () => {
  session.start();
  session.post("mine");
  const others = [open(), open()];
  for (const other of others) other.start();
  session.stop();
  await flushPromises();
  assert.equal(others.flatMap(({ posts }) => posts).length, 1);
});

test("After the back-forward cache a tab drops the posts that another has adopted", async () => {
  session.start();
  session.post("mine");
  await flushPromises();
  signals.dispatchEvent(new Event("sleep"));
  await flushPromises();
  signals = new EventTarget();
  const other = open();
  other.start();
  await flushPromises();
  assert.equal(other.posts.length, 1);
});

test("Another user of the browser does not send the posts", async () => {
  session.start();
  session.post("mine");
  session.stop();
  const other = open({ you: { key: "u:2", name: "Bo" } });
  other.start();
  await flushPromises();
  assert.deepEqual(other.posts, []);
});

test("Posts older than a day are not sent automatically", async () => {
  session.start();
  session.post("yesterday's");
  session.stop();
  clock.advance(24 * 60 * 60 * 1000 + 1);
  session = open();
  session.start();
  await flushPromises();
  assert.deepEqual(states(), ["yesterday's: failed"]);
  assert.equal(session.posts[0].error.code, "stale");
});

test("A new display name is dispatched, and the key is kept", () => {
  const socket = connected();
  const received = listen(session, "named");
  socket.emitFrame({ type: "named", name: "Zoë" });
  assert.deepEqual(received, [["named", { name: "Zoë" }]]);
  assert.deepEqual(session.you, { ...YOU, name: "Zoë" });
});

test("A refresh joins at the current position", () => {
  const socket = connected(7);
  session.refresh();
  assert.deepEqual(socket.sentOf("join"), [{ type: "join", room: "lobby", epoch: "e1", since: 7 }]);
});
