import assert from "node:assert/strict";
import { test } from "node:test";
import { hasNamePrefix } from "../../src/people/people_dialog.js";

test("A name is found by the beginning of any of its words", () => {
  const found = (prefix) => ["Min Su", "Susanne", "김 민수"].filter((name) => hasNamePrefix(name, prefix));

  assert.deepEqual(found("su"), ["Min Su", "Susanne"]);
  assert.deepEqual(found("민"), ["김 민수"]);
  assert.deepEqual(found("usan"), []);
  assert.deepEqual(found(""), ["Min Su", "Susanne", "김 민수"]);
});
