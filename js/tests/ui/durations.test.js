import assert from "node:assert/strict";
import { test } from "node:test";
import { amount, countdown, duration } from "../../src/ui/durations.js";

test("A duration uses the largest unit of which it is a whole number", () => {
  const texts = [5, 60, 90, 900, 3600, 7200, 86_400].map((seconds) => duration(seconds, "en"));

  assert.deepEqual(texts, ["5 seconds", "1 minute", "90 seconds", "15 minutes", "1 hour", "2 hours", "1 day"]);
  assert.equal(amount(30, "day", "de"), "30 Tage");
  assert.equal(amount(15, "second", "fa"), "15 ثانیه");
  assert.equal(amount(30, "day", "en_US"), "30 days");
});

test("A remaining time is formatted like a clock", () => {
  assert.deepEqual([0, 9, 75, 3600, 3661].map(countdown), ["0:00", "0:09", "1:15", "1:00:00", "1:01:01"]);
});
