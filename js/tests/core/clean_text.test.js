import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { cleanText } from "../../src/core/clean_text.js";

// The same cases test the server.
const TEXTS = JSON.parse(readFileSync(new URL("../../../tests/shared/cleaning.json", import.meta.url)));

for (const [typed, cleaned] of TEXTS) {
  test(`The text ${JSON.stringify(typed)} is cleaned`, () => assert.equal(cleanText(typed), cleaned));
}

test("NUL is removed before the server can reject it", () => {
  assert.equal(cleanText("a\0b"), "ab");
});
