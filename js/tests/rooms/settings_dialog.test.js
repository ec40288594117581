import assert from "node:assert/strict";
import { test } from "node:test";
import { changes } from "../../src/rooms/settings_dialog.js";

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
