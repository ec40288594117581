import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Formats } from "../../src/ui/formats.js";

// The same cases test the server.
const { names, dates, numbers } = JSON.parse(readFileSync(new URL("../../../tests/shared/formats.json", import.meta.url)));

/** Split a format as the server does: texts and, at the odd indexes, letters. */
function pieces(pattern) {
  const letters = /(?<!\\)([aAbcdDeEfFgGhHiIjlLmMnNoOPrsStTUuwWyYzZ])/;
  return pattern.split(letters).map((piece, index) => (index % 2 ? piece : piece.replace(/\\(.)/gs, "$1")));
}

for (const language of new Set(dates.map(([language]) => language))) {
  test(`Dates have Django's formats and names in ${language}`, () => {
    const rows = dates.filter((row) => row[0] === language);
    const shown = rows.map(([, pattern, at]) => new Formats({ names: names[language] ?? {}, date: pieces(pattern) }).format("date", new Date(at)));

    assert.deepEqual(shown, rows.map((row) => row[3]));
  });
}

test("A number has Django's separators and groups", () => {
  const shown = numbers.map(([decimal, thousand, grouping, number]) => new Formats({ decimal, thousand, grouping }).tenths(number));

  assert.deepEqual(shown, numbers.map((row) => row[4]));
});

test("A format with a letter that only the server knows shows the rest", () => {
  assert.equal(new Formats({ names: {}, date: pieces("Y W") }).format("date", new Date("2026-11-30T12:00:00")), "2026 ");
});
