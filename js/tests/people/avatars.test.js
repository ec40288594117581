import assert from "node:assert/strict";
import { test } from "node:test";
import { hue, initials } from "../../src/people/avatars.js";

test("Initials are the first characters of the first and the last word", () => {
  const names = { "Ana Silva": "AS", "Guest 4821": "G", 김민수: "김", "山田 由紀": "山由", "🎉 party": "🎉", "ana": "A", "": "" };
  for (const [name, expected] of Object.entries(names)) assert.equal(initials(name), expected);
});

test("The colour of a person does not change", () => {
  assert.deepEqual(["", "a", "u:12", "g:한국어"].map(hue), [1, 4, 9, 4]);
});
