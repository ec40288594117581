import assert from "node:assert/strict";
import { test } from "node:test";
import { hasWordPrefix, normalizeForSearch } from "../../src/ui/normalize.js";

test("Searching ignores case and accents, and finds partly typed syllables", () => {
  const found = { José: "jos", "Ana Silva": "SIL", "Jean-Luc": "luc", がく: "か" };
  for (const [name, prefix] of Object.entries(found)) assert.ok(hasWordPrefix(normalizeForSearch(name), normalizeForSearch(prefix)), `${prefix} in ${name}`);
  for (const prefix of ["ㅁ", "미", "민", "민ㅈ", "민주", "민준"]) assert.ok(hasWordPrefix(normalizeForSearch("민준"), normalizeForSearch(prefix)), prefix);
  for (const [name, prefix] of [["Anatol", "nat"], ["민준", "인"]]) assert.ok(!hasWordPrefix(normalizeForSearch(name), normalizeForSearch(prefix)));
});
