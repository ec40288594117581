import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { splitMentions } from "../../src/timeline/mentions.js";

// The same cases test the server.
const MENTIONS = JSON.parse(readFileSync(new URL("../../../tests/shared/mentions.json", import.meta.url)));

for (const [text, names, expected] of MENTIONS) {
  test(`Mentions in ${JSON.stringify(text)}`, () => {
    assert.deepEqual(splitMentions(text, names.map((name, number) => ({ key: `u:${number}`, name }))), expected);
  });
}
