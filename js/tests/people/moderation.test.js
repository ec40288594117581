import assert from "node:assert/strict";
import { test } from "node:test";

import { undo } from "../../src/people/moderation.js";
import { Room } from "../../src/room.js";

function roomWith(request) {
  const session = Object.assign(new EventTarget(), { request });
  const shown = [];
  const toast = { show: (text, options = {}) => shown.push({ text, ...options }) };
  const room = new Room({ session, toast, strings: { refused: "No." }, signal: new AbortController().signal });
  return { room, session, shown };
}

test("a request that can be undone offers that, and reports it when it is done", async () => {
  const frames = [];
  const { room, session, shown } = roomWith(async (frame) => (frames.push(frame), { type: "ok" }));
  const unmute = { type: "mute", key: "u:2", on: false };
  const undone = [];
  session.addEventListener("undone", ({ detail }) => undone.push(detail));
  await room.request({ type: "mute", key: "u:2" }, "Bo is muted.", undo(room, unmute));
  assert.deepEqual([shown[0].text, frames.length, undone], ["Bo is muted.", 1, []]);

  await shown[0].onUndo();

  assert.deepEqual(frames[1], unmute);
  assert.deepEqual(undone, [unmute]);
});

test("a request without an undo offers none, and an undo that is refused is not reported", async () => {
  const answers = [{}, {}];
  const { room, session, shown } = roomWith(async () => answers.shift() ?? Promise.reject({ code: "forbidden", detail: "Not you." }));
  session.addEventListener("undone", () => assert.fail());
  await room.request({ type: "pin", seq: 1 }, "Pinned.");
  assert.equal(shown[0].onUndo, undefined);
  await room.request({ type: "ban", key: "u:2" }, "Bo is banned.", undo(room, { type: "ban", key: "u:2", on: false }));

  await shown[1].onUndo();

  assert.equal(shown[2].text, "Not you.");
});
