import assert from "node:assert/strict";
import { test } from "node:test";
import { Calendar, grouping } from "../../src/timeline/calendar.js";

test("A message follows one of the same author within five minutes on the same day", () => {
  const sent = (at, author = "a", kind = "user") => ({ at: new Date(at), author, kind });
  const above = sent("2026-11-21T10:00:00");
  assert.deepEqual(grouping(above, sent("2026-11-21T10:04:59")), { startsDay: false, follows: true });
  assert.deepEqual(grouping(above, sent("2026-11-21T10:05:00")), { startsDay: false, follows: false });
  assert.deepEqual(grouping(above, sent("2026-11-21T10:00:01", "b")), { startsDay: false, follows: false });
  assert.deepEqual(grouping(above, sent("2026-11-21T10:00:01", "a", "system")), { startsDay: false, follows: false });
  assert.deepEqual(grouping(sent("2026-11-21T23:59:59"), sent("2026-11-22T00:00:00")), { startsDay: true, follows: false });
  assert.deepEqual(grouping(undefined, above), { startsDay: true, follows: false });
});

test("Today and yesterday have names", () => {
  const calendar = new Calendar({ language: "en", strings: { today: "Today", yesterday: "Yesterday" } });
  const now = new Date("2026-03-01T12:00:00");
  assert.equal(calendar.day(new Date("2026-03-01T00:00:00"), now), "Today");
  assert.equal(calendar.day(new Date("2026-02-28T23:59:59"), now), "Yesterday");
  assert.equal(calendar.day(new Date("2026-02-27T10:00:00"), now), "Friday, February 27, 2026");
});

test("An unknown language does not break the formats", () => {
  const calendar = new Calendar({ language: "not a language", strings: {} });
  assert.match(calendar.time(new Date()), /\d/);
});
