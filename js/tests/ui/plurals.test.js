import assert from "node:assert/strict";
import { test } from "node:test";

import { pluralize } from "../../src/ui/plurals.js";

test("A number has the plural form of its language, also above the listed numbers", () => {
  const of = Array.from({ length: 200 }, (_, number) => (number % 100 === 1 ? 1 : 0)).join("");
  const word = { forms: ["{count} nova", "{count} novo"], of };

  const texts = [0, 1, 2, 101, 199, 200, 201, 1001, 1100].map((count) => pluralize(word, count));

  assert.deepEqual(texts, ["0 nova", "1 novo", "2 nova", "101 novo", "199 nova", "200 nova", "201 novo", "1001 novo", "1100 nova"]);
});

test("A language with one form uses it for every number", () => {
  assert.equal(pluralize({ forms: ["새 메시지 {count}개"], of: "" }, 12), "새 메시지 12개");
});
