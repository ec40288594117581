import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileKind, fileNames, formatFileSize, thumbnailSize } from "../../src/ui/file_size.js";
import { Formats } from "../../src/ui/formats.js";

// The same cases test the server.
const FILES = JSON.parse(readFileSync(new URL("../../../tests/shared/files.json", import.meta.url)));
const strings = { size_kb: "{count} KB", size_mb: "{count} MB" };
const shared = (decimal, thousand) => ({ strings, calendar: { formats: new Formats({ decimal, thousand, grouping: [3, 0] }) } });

for (const { kind, size, box, ...file } of FILES) {
  test(`Kind, size and thumbnail of ${file.type} with ${file.bytes} bytes`, () => {
    assert.deepEqual([fileKind(file), formatFileSize(file.bytes, shared(".", ","))], [kind, size]);
    if (box) assert.deepEqual(thumbnailSize(file), box);
  });
}

test("A file size uses the number format of the site", () => {
  assert.equal(formatFileSize(1_468_006, shared(",", ".")), "1,4 MB");
});

test("A message without text shows the names of its files", () => {
  assert.equal(fileNames([{ name: "a.txt" }, { name: "b.txt" }]), "a.txt, b.txt");
  assert.equal(fileNames(undefined), "");
});
