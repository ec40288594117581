import assert from "node:assert/strict";
import { test } from "node:test";
import { SafeStorage } from "../../src/core/storage.js";
import { FakeStorage } from "../fakes.js";

test("Memory replaces storage that is forbidden or full", () => {
  const forbidden = new SafeStorage(() => {
    throw new DOMException("denied", "SecurityError");
  });
  const full = new FakeStorage();
  full.setItem = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  for (const storage of [forbidden, new SafeStorage(() => full)]) {
    storage.set("a:1", "one");
    assert.equal(storage.get("a:1"), "one");
    assert.deepEqual(storage.keys("a:"), ["a:1"]);
    storage.remove("a:1");
    assert.equal(storage.get("a:1"), null);
  }
});
