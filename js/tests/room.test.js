import assert from "node:assert/strict";
import { test } from "node:test";

import { Room } from "../src/room.js";

test("slow mode holds until its time", () => {
  const room = new Room({ session: new EventTarget(), signal: new AbortController().signal });
  const states = [0, Date.now() - 1, Date.now() + 60_000].map((until) => Object.assign(room, { slowUntil: until }).isSlowed);

  assert.deepEqual(states, [false, false, true]);
});
