import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { splitLinks } from "../../src/timeline/links.js";

// The same cases test the server.
const LINKS = JSON.parse(readFileSync(new URL("../../../tests/shared/links.json", import.meta.url)));

for (const [text, expected] of LINKS) {
  test(`Links in ${JSON.stringify(text)}`, () => assert.deepEqual(splitLinks(text), expected));
}
