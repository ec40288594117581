import assert from "node:assert/strict";
import { test } from "node:test";
import { RecentEmoji } from "../../src/composer/recent_emoji.js";
import { SafeStorage } from "../../src/core/storage.js";

test("Recent emoji are unique, latest first", () => {
  const recent = new RecentEmoji(new SafeStorage(() => undefined));
  for (const emoji of ["👍", "🎉", "👍"]) recent.add(emoji);
  assert.deepEqual(recent.list(), ["👍", "🎉"]);
  for (let number = 0; number < 40; number++) recent.add(String(number));
  assert.equal(recent.list().length, 18);
});
