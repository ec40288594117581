import assert from "node:assert/strict";
import { test } from "node:test";

import { amount, countdown, duration } from "../src/ui/durations.js";
import { hasNamePrefix } from "../src/people/people_dialog.js";
import { changes } from "../src/rooms/settings_dialog.js";

test("A duration uses the largest unit of which it is a whole number", () => {
  const texts = [5, 60, 90, 900, 3600, 7200, 86_400].map((seconds) => duration(seconds, "en"));

  assert.deepEqual(texts, ["5 seconds", "1 minute", "90 seconds", "15 minutes", "1 hour", "2 hours", "1 day"]);
  assert.equal(amount(30, "day", "de"), "30 Tage");
});

test("A remaining time is formatted like a clock", () => {
  assert.deepEqual([0, 9, 75, 3600, 3661].map(countdown), ["0:00", "0:09", "1:15", "1:00:00", "1:01:01"]);
});

test("A name is found by the beginning of any of its words", () => {
  const found = (prefix) => ["Min Su", "Susanne", "김 민수"].filter((name) => hasNamePrefix(name, prefix));

  assert.deepEqual(found("su"), ["Min Su", "Susanne"]);
  assert.deepEqual(found("민"), ["김 민수"]);
  assert.deepEqual(found("usan"), []);
  assert.deepEqual(found(""), ["Min Su", "Susanne", "김 민수"]);
});

test("Only changed settings are sent", () => {
  // Values that are missing in a frame are empty, 0 or false.
  const known = { title: "Board", listed: true, slow_seconds: 5 };
  const same = { title: "Board", listed: true, announcement: false, slow_seconds: 5, retention_days: 0 };

  assert.deepEqual(changes(known, same), {});
  assert.deepEqual(changes(known, { ...same, title: "Council", listed: false, retention_days: 30 }), {
    title: "Council",
    listed: false,
    retention_days: 30,
  });
});
