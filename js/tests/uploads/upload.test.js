import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Upload } from "../../src/uploads/upload.js";
import { flushPromises } from "../fakes.js";

let requests;

class FakeRequest {
  upload = {};
  headers = {};

  constructor() {
    requests.push(this);
  }

  open(method, url) {
    Object.assign(this, { method, url });
  }

  setRequestHeader(name, value) {
    this.headers[name] = value;
  }

  send(form) {
    this.form = form;
  }

  abort() {
    this.respond(0);
  }

  getResponseHeader(name) {
    return this.responseHeaders[name] ?? null;
  }

  respond(status, body, headers = {}) {
    this.responseHeaders = headers;
    Object.assign(this, { status, responseText: body === undefined ? "<html>" : JSON.stringify(body) });
    this.onloadend();
  }
}

const STORED = { id: "f1", name: "notes.txt", type: "text/plain", bytes: 4, url: "/f1" };
const options = (more) => ({ url: "/files/", token: () => "t", maxBytes: 100, prepare: async (file) => ({ file }), isOnline: () => true, ...more });

beforeEach(() => {
  requests = [];
  globalThis.XMLHttpRequest = FakeRequest;
  mock.timers.enable({ apis: ["setTimeout"] });
});

afterEach(() => {
  mock.timers.reset();
  delete globalThis.XMLHttpRequest;
});

async function started(more, content = "milk") {
  const upload = new Upload(new File([content], "notes.txt", { type: "text/plain" }), options(more));
  await upload.start();
  return upload;
}

test("An upload reports its progress and takes over the response", async () => {
  const upload = await started();
  const seen = [];
  upload.addEventListener("change", () => seen.push([upload.state, upload.progress]));
  const arrived = upload.uploaded();
  requests[0].upload.onprogress({ loaded: 1, total: 4 });
  requests[0].respond(201, STORED);
  await arrived;
  assert.deepEqual(seen, [["sending", 0.25], ["done", 1]]);
  assert.deepEqual(JSON.parse(JSON.stringify(upload)), { ...STORED, alt: "" });
  assert.deepEqual([requests[0].method, requests[0].url, requests[0].headers["X-CSRFToken"]], ["POST", "/files/", "t"]);
});

test("A file that is too big after resizing is not sent", async () => {
  const upload = await started({ maxBytes: 3 });
  assert.deepEqual([upload.state, upload.error.code, requests.length], ["failed", "too_big", 0]);
});

test("An error is final if it is about the file", async () => {
  for (const [status, body, error] of [
    [415, { error: { code: "unsupported", detail: "No." } }, { code: "unsupported", detail: "No.", isFinal: true }],
    [429, { error: { code: "rate_limited", detail: "Later." } }, { code: "rate_limited", detail: "Later.", isFinal: false }],
    [413, undefined, { code: "too_big", detail: undefined, isFinal: true }],
    [502, undefined, { code: "upload_failed", detail: undefined, isFinal: false }],
  ]) {
    const upload = await started();
    requests.at(-1).respond(status, body);
    assert.deepEqual(upload.error, error);
  }
});

test("Waiting for a failed upload starts it again", async () => {
  const upload = await started();
  requests[0].respond(502);
  const arrived = upload.uploaded();
  await flushPromises();
  requests[1].respond(201, STORED);
  await arrived;
  assert.equal(upload.id, "f1");
});

test("Without a network an upload waits, and continues when the network is back", async () => {
  const upload = await started({ isOnline: () => false });
  for (const index of [0, 1, 2, 3, 4]) {
    requests[index].respond(0);
    assert.equal(upload.state, "waiting");
    upload.resume();
    await flushPromises();
  }
  requests[5].respond(201, STORED);
  assert.equal(upload.state, "done");
});

test("While the session is connected, an upload fails after four attempts", async () => {
  const upload = await started();
  for (const index of [0, 1, 2]) {
    requests[index].respond(0);
    mock.timers.tick(2000 * (index + 1));
    await flushPromises();
  }
  requests[3].respond(0);
  assert.deepEqual([upload.state, upload.error.code], ["failed", "upload_failed"]);
});

test("A cancelled upload is aborted, or deleted on the server", async () => {
  const calls = [];
  globalThis.fetch = async (...call) => calls.push(call);
  const [underWay, there] = [await started(), await started()];
  requests[1].respond(201, STORED);
  for (const upload of [underWay, there]) upload.cancel();
  assert.deepEqual([underWay.state, there.state], ["cancelled", "cancelled"]);
  assert.deepEqual(calls.map(([url, { method }]) => [method, url]), [["DELETE", "/files/f1/"]]);
});

test("An upload is sent again after the time that a busy server gives", async () => {
  const upload = await started();
  const busy = { error: { code: "busy", detail: "Many images." } };
  requests[0].respond(503, busy, { "Retry-After": "10" });
  const waiting = [upload.state, upload.isActive];
  mock.timers.tick(9_999);
  await flushPromises();
  const early = requests.length;
  mock.timers.tick(5_002);
  await flushPromises();
  requests[1].respond(201, STORED);
  assert.deepEqual([waiting, early, requests.length, upload.state], [["sending", true], 1, 2, "done"]);
});

test("An upload that a server stays too busy for fails, and can be sent again", async () => {
  const upload = await started();
  const busy = { error: { code: "busy", detail: "Many images." } };
  for (let index = 0; index < 10; index += 1) {
    requests[index].respond(503, busy, { "Retry-After": "1" });
    mock.timers.tick(1_501);
    await flushPromises();
  }
  assert.deepEqual([requests.length, upload.state, upload.error.detail, upload.error.isFinal], [10, "failed", "Many images.", false]);
});

test("A cancelled upload is not sent again to a busy server", async () => {
  const upload = await started();
  requests[0].respond(503, { error: { code: "busy", detail: "Many images." } }, { "Retry-After": "1" });
  upload.cancel();
  mock.timers.tick(5_000);
  await flushPromises();
  assert.deepEqual([requests.length, upload.state], [1, "cancelled"]);
});
