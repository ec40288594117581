import assert from "node:assert/strict";
import { test } from "node:test";
import { APPLY, FOREIGN, HOLE, IGNORE, NOTHING, RESET, receive } from "../../src/core/cursor.js";
import { message } from "../fakes.js";

const at = (head) => ({ epoch: "e1", head });
const frame = (prev, head, extra) => ({
  epoch: "e1",
  prev,
  head,
  events: Array.from({ length: head - prev }, (_, index) => message(prev + index + 1)),
  ...extra,
});
const revisions = ({ events }) => events.map(({ rev }) => rev);

test("A frame that continues the log is applied completely", () => {
  const result = receive(at(5), frame(5, 7));
  assert.equal(result.verdict, APPLY);
  assert.deepEqual(result.cursor, at(7));
  assert.deepEqual(revisions(result), [6, 7]);
});

test("Only the new events of an overlapping frame are applied", () => {
  assert.deepEqual(revisions(receive(at(6), frame(3, 8))), [7, 8]);
});

test("A frame that was applied before changes nothing", () => {
  const result = receive(at(8), frame(3, 8));
  assert.equal(result.verdict, IGNORE);
  assert.deepEqual(result.cursor, at(8));
});

test("No event of a frame after a gap is applied", () => {
  const result = receive(at(5), frame(6, 7));
  assert.equal(result.verdict, HOLE);
  assert.deepEqual(result.cursor, at(5));
  assert.deepEqual(result.events, []);
});

test("A frame of another epoch is not applied", () => {
  assert.equal(receive(at(5), frame(5, 7, { epoch: "e2" })).verdict, FOREIGN);
});

test("A client without a position accepts any epoch", () => {
  const result = receive(NOTHING, frame(0, 1, { epoch: "e2" }));
  assert.equal(result.verdict, APPLY);
  assert.deepEqual(result.cursor, { epoch: "e2", head: 1 });
});

test("A reset is applied at any position, also backwards", () => {
  const result = receive(at(50), frame(0, 3, { epoch: "e2", reset: "ahead" }));
  assert.equal(result.verdict, RESET);
  assert.deepEqual(result.cursor, { epoch: "e2", head: 3 });
  assert.equal(result.events.length, 3);
});

test("In any order, with repetitions and losses, no event is applied twice or out of order", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = lcg(seed);
    let cursor = NOTHING;
    const applied = [];
    for (let step = 0; step < 60; step++) {
      const prev = Math.floor(random() * 30);
      const received = receive(cursor, frame(prev, prev + 1 + Math.floor(random() * 5)));
      if (received.verdict === APPLY) applied.push(...revisions(received));
      cursor = received.cursor;
    }
    assert.deepEqual(applied, Array.from({ length: cursor.head }, (_, index) => index + 1), `seed ${seed}`);
  }
});

function lcg(seed) {
  let state = seed;
  return () => (state = (state * 1103515245 + 12345) % 2 ** 31) / 2 ** 31;
}
