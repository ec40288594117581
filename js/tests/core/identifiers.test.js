import assert from "node:assert/strict";
import { test } from "node:test";
import { generateId } from "../../src/core/identifiers.js";

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
