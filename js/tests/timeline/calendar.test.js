import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Calendar, grouping } from "../../src/timeline/calendar.js";

// The same cases test the server.
const { names, days, shorts } = JSON.parse(readFileSync(new URL("../../../tests/shared/formats.json", import.meta.url)));
const FORMATS = {
  names: names.en,
  time: ["", "P", ""],
  weekday: ["", "D", ""],
  date: ["", "N", " ", "j", ", ", "Y", ""],
  shortDate: ["", "m", "/", "d", "/", "Y", ""],
};
const calendar = new Calendar({ strings: { today: "Today", yesterday: "Yesterday", formats: FORMATS } });

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

for (const [at, now, shown] of days) {
  test(`The day of ${at} is named ${shown} at ${now}`, () => {
    assert.equal(calendar.day(new Date(at), new Date(now)), shown);
  });
}

for (const [at, now, shown] of shorts) {
  test(`The shortest form of ${at} is ${shown} at ${now}`, () => {
    assert.equal(calendar.short(new Date(at), new Date(now)), shown);
  });
}
