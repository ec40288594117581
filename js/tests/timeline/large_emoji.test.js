import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { isLarge } from "../../src/timeline/large_emoji.js";

// The same cases test the server.
const TEXTS = JSON.parse(readFileSync(new URL("../../../tests/shared/large_emoji.json", import.meta.url)));

for (const [text, expected] of TEXTS) {
  test(`The text ${JSON.stringify(text)} is ${expected ? "large" : "not large"}`, () => assert.equal(isLarge(text), expected));
}
