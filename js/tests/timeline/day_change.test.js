import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { DayChange, dayNames } from "../../src/timeline/day_change.js";
import { FakeClock } from "../fakes.js";

/** A clock that shows a local time. */
function clockAt(...local) {
  const clock = new FakeClock();
  clock.sleep(new Date(...local) - clock.now());
  return clock;
}

test("At midnight the day changes, once", () => {
  const clock = clockAt(2026, 10, 30, 23, 59, 58);
  let changes = 0;
  new DayChange({ clock, onChange: () => (changes += 1) });
  clock.advance(1_999);
  assert.equal(changes, 0);
  clock.advance(1);
  assert.equal(changes, 1);
  clock.advance(23 * 60 * 60 * 1000);
  assert.equal(changes, 1);
});

test("After a night in which no timer ran the day changes within a minute", () => {
  const clock = clockAt(2026, 11, 31, 22, 0, 0);
  let changes = 0;
  new DayChange({ clock, onChange: () => (changes += 1) });
  clock.sleep(10 * 60 * 60 * 1000);
  assert.equal(changes, 1);
});

test("A page that is visible again on another day is checked immediately", () => {
  const clock = clockAt(2026, 1, 28, 12, 0, 0);
  let changes = 0;
  const change = new DayChange({ clock, onChange: () => (changes += 1) });
  change.check();
  assert.equal(changes, 0);
  change.stop();
  clock.sleep(24 * 60 * 60 * 1000);
  change.check();
  assert.equal(changes, 1);
});

test("The days of a log are named again when its page becomes visible or comes back on another day", () => {
  Object.assign(globalThis, { document: {}, window: {} });
  mock.timers.enable({ apis: ["Date", "setTimeout"], now: new Date(2026, 10, 30, 12) });
  const page = new AbortController();
  const listeners = {};
  let updates = 0;
  const log = { updateDays: () => (updates += 1) };
  dayNames({ log, signal: page.signal, listen: (_target, type, listener) => (listeners[type] = listener) });

  for (const [day, event] of [[1, "visibilitychange"], [2, "pageshow"]]) {
    // Time passes without timers, as during the sleep of a computer.
    mock.timers.reset();
    mock.timers.enable({ apis: ["Date", "setTimeout"], now: new Date(2026, 11, day, 8) });
    listeners[event]();
    assert.equal(updates, day);
  }

  page.abort();
  mock.timers.tick(48 * 60 * 60 * 1000);
  assert.equal(updates, 2);
  mock.timers.reset();
});
