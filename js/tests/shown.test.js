import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Calendar, grouping } from "../src/timeline/calendar.js";
import { generateId } from "../src/core/identifiers.js";
import { splitLinks } from "../src/timeline/links.js";
import { hue, initials } from "../src/people/avatars.js";

// The same cases test the server.
const LINKS = JSON.parse(readFileSync(new URL("../../tests/links.json", import.meta.url)));

for (const [text, expected] of LINKS) {
  test(`Links in ${JSON.stringify(text)}`, () => assert.deepEqual(splitLinks(text), expected));
}

test("Initials are the first characters of the first and the last word", () => {
  const names = { "Ana Silva": "AS", "Guest 4821": "G", 김민수: "김", "山田 由紀": "山由", "🎉 party": "🎉", "ana": "A", "": "" };
  for (const [name, expected] of Object.entries(names)) assert.equal(initials(name), expected);
});

test("The colour of a person does not change", () => {
  assert.deepEqual(["", "a", "u:12", "g:한국어"].map(hue), [1, 4, 9, 4]);
});

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

test("Ids are UUIDs, with and without a secure context", () => {
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  assert.match(generateId(), uuid);
  const { randomUUID } = crypto;
  crypto.randomUUID = undefined;
  try {
    assert.match(generateId(), uuid);
  } finally {
    crypto.randomUUID = randomUUID;
  }
});
