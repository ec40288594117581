import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { HttpSocket } from "../../src/core/http_socket.js";
import { FakeClock, flushPromises } from "../fakes.js";

let clock, requests, socket;

beforeEach(() => {
  clock = new FakeClock();
  requests = [];
});

const answer = (status, content, headers = {}) => ({
  ok: status < 300,
  status,
  statusText: `status ${status}`,
  headers: new Headers(headers),
  json: async () => (typeof content === "string" ? JSON.parse(content) : content),
  body: content?.getReader ? content : undefined,
});

/** A streaming response: `.emitFrame(frame)`, `.end()`. */
function stream() {
  let control;
  const body = new ReadableStream({ start: (controller) => (control = controller) });
  return {
    ...answer(200, body),
    cut: (text) => control.enqueue(new TextEncoder().encode(text)),
    emitFrame: (frame) => control.enqueue(new TextEncoder().encode(`id: x\ndata: ${JSON.stringify(frame)}\n\n`)),
    end: () => control.close(),
    fail: (reason) => control.error(reason),
  };
}

/** Open a socket whose requests get the responses `replies` in order; further requests stay pending. */
function open(replies, options = {}) {
  const received = [];
  const fetch = (url, { signal, ...rest }) => {
    requests.push({ url: String(url).replace("http://site", ""), ...rest });
    return new Promise((resolve, reject) => {
      const reply = (rest.method ? options.posted : replies)?.shift();
      signal?.addEventListener("abort", () => {
        reject(signal.reason);
        reply?.fail?.(signal.reason);
      });
      if (reply instanceof Error) reject(reply);
      else if (reply) resolve(reply);
    });
  };
  socket = new HttpSocket({
    events: "http://site/events/",
    frames: "http://site/frames/",
    token: () => "t0ken",
    position: options.position ?? {},
    support: options.support ?? { streams: true },
    fetch,
    clock,
  });
  socket.onopen = () => received.push("open");
  socket.onmessage = ({ data }) => received.push(JSON.parse(data));
  socket.onclose = ({ code }) => received.push(`closed ${code}`);
  return received;
}

const later = async () => {
  for (let turn = 0; turn < 20; turn++) await flushPromises();
};
const welcome = { type: "welcome", ping_seconds: 25 };
const joined = { type: "joined", room: "x", epoch: "e", prev: 0, head: 3, events: [] };
const events = { type: "events", room: "x", epoch: "e", prev: 3, head: 4, events: [{ seq: 4 }] };

test("The socket opens with the first frame, and parses a stream that arrives in any pieces", async () => {
  const response = stream();
  const received = open([response], { position: { epoch: "e", since: 2 } });
  response.cut("retry: 1000\n\nda");
  await later();
  assert.deepEqual(received, []);
  response.cut(`ta: ${JSON.stringify(welcome)}\n`);
  response.cut("\n");
  response.emitFrame(joined);
  await later();
  assert.deepEqual(received, ["open", welcome, joined]);
  assert.equal(requests[0].url, "/events/?epoch=e&since=2");
});

test("After the end of a response the next request resumes at the position, without an event", async () => {
  const [first, second] = [stream(), stream()];
  const received = open([first, second]);
  first.emitFrame(welcome);
  first.emitFrame(joined);
  first.end();
  await later();
  second.emitFrame(welcome);
  second.emitFrame(events);
  await later();
  assert.deepEqual(received, ["open", welcome, joined, events]);
  assert.deepEqual(requests.map(({ url }) => url), ["/events/", "/events/?epoch=e&since=3"]);
});

test("A response that ends with bye closes the socket", async () => {
  const response = stream();
  const received = open([response]);
  const bye = { type: "bye", code: 4003, reason: "not allowed" };
  response.emitFrame(bye);
  response.end();
  await later();
  assert.deepEqual(received, ["open", bye, "closed 4003"]);
});

test("An empty response and a network error close the socket", async () => {
  const empty = stream();
  empty.end();
  for (const reply of [empty, new TypeError("network")]) {
    const received = open([reply]);
    await later();
    assert.deepEqual(received, ["closed 1006"]);
  }
});

test("A stream without data is replaced by polling", async () => {
  const received = open([stream(), answer(200, { frames: [welcome, joined] }), answer(200, { frames: [welcome, events] })]);
  await later();
  clock.advance(5_000);
  await later();
  assert.deepEqual(received, ["open", welcome, joined, events]);
  assert.deepEqual(requests.map(({ url }) => url), [
    "/events/",
    "/events/?wait=0",
    "/events/?epoch=e&since=3&wait=25",
    "/events/?epoch=e&since=4&wait=25",
  ]);
});

test("Missing support for streams is remembered", async () => {
  const support = { streams: true };
  open([answer(400, { error: { code: "no_streams" } })], { support });
  await later();
  open([], { support });
  await later();
  assert.deepEqual(requests.map(({ url }) => url), ["/events/", "/events/?wait=0", "/events/?wait=0"]);
});

test("A stream that has started may be silent for a long time", async () => {
  const response = stream();
  open([response]);
  response.emitFrame(welcome);
  await later();
  clock.advance(600_000);
  await later();
  assert.equal(requests.length, 1);
});

test("A server that cannot stream is polled", async () => {
  const refused = answer(400, { error: { code: "no_streams", detail: "WSGI" } });
  const received = open([refused, answer(200, { frames: [welcome] })]);
  await later();
  assert.deepEqual(received, ["open", welcome]);
});

for (const [status, code] of [[403, 4003], [404, 4004], [429, 4029], [500, 1006]]) {
  test(`Status ${status} closes the socket with ${code}`, async () => {
    const received = open([answer(status, { error: { code: "x", detail: "No." } })]);
    await later();
    assert.deepEqual(received, [{ type: "bye", code, reason: "No." }, `closed ${code}`]);
  });
}

test("Retry-After is delivered as retry_after", async () => {
  const [bye] = open([answer(503, "<html>", { "Retry-After": "7" })]);
  await later();
  assert.equal(bye, undefined);
  const received = open([answer(503, "<html>", { "Retry-After": "7" })]);
  await later();
  assert.deepEqual(received[0], { type: "bye", code: 1006, reason: "status 503", retry_after: 7 });
});

test("Frames are posted one after the other, and the answers are delivered", async () => {
  const response = stream();
  const ack = { type: "ack", id: "a", room: "x", seq: 1, duplicate: false };
  const received = open([response], { posted: [answer(200, ack), answer(429, { error: { code: "rate_limited", detail: "Slowly." } }, { "Retry-After": "3" })] });
  socket.send(JSON.stringify({ type: "post", id: "a", room: "x", body: "hi" }));
  socket.send(JSON.stringify({ type: "post", id: "b", room: "x", body: "ho" }));
  await later();
  assert.deepEqual(received, [
    ack,
    { type: "error", code: "rate_limited", detail: "Slowly.", retry_after: 3, frame: "post", id: "b", room: "x" },
  ]);
  const posts = requests.filter(({ method }) => method === "POST");
  assert.deepEqual(posts.map(({ url, body, headers }) => [url, JSON.parse(body).id, headers["X-CSRFToken"]]), [
    ["/frames/", "a", "t0ken"],
    ["/frames/", "b", "t0ken"],
  ]);
});

test("A post is retried after a network error, but not after an HTML error page", async () => {
  const received = open([stream()], { posted: [new TypeError("network"), answer(403, "<html>")] });
  for (const id of ["a", "b"]) socket.send(JSON.stringify({ type: "post", id, room: "x", body: "hi" }));
  await later();
  assert.deepEqual(received.map(({ id, code, retry_after }) => [id, code, retry_after]), [
    ["a", "unavailable", 2],
    ["b", "forbidden", undefined],
  ]);
});

test("Frames that only a WebSocket needs are not sent", async () => {
  open([stream()]);
  for (const type of ["seen", "ping", "typing", "hello", "leave"]) socket.send(JSON.stringify({ type }));
  await later();
  assert.equal(requests.length, 1);
});

test("A join restarts from its position", async () => {
  const [first, second] = [stream(), stream()];
  const received = open([first, second, stream()]);
  first.emitFrame(joined);
  await later();
  socket.send(JSON.stringify({ type: "join", room: "x", epoch: "e", since: 1 }));
  await later();
  second.emitFrame(events);
  await later();
  socket.send(JSON.stringify({ type: "join", room: "x" }));
  await later();
  assert.deepEqual(received, ["open", joined, events]);
  assert.deepEqual(requests.map(({ url }) => url), ["/events/", "/events/?epoch=e&since=1", "/events/"]);
});

test("A closed socket delivers no frames", async () => {
  const response = stream();
  const received = open([response]);
  response.emitFrame(welcome);
  socket.close();
  await later();
  assert.deepEqual(received, []);
});
