import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

// From the bottom to the top. A module imports modules of its own folder and of the folders before it.
const ORDER = ["core", "ui", "attention", "uploads", "people", "timeline", "composer", "rooms", "."];
const LINES_MAX = 400;

const SOURCES = fileURLToPath(new URL("../src", import.meta.url));
const modules = readdirSync(SOURCES, { recursive: true }).filter((path) => path.endsWith(".js"));

const folderOf = (path) => (path.includes(sep) ? path.split(sep)[0] : ".");
const source = (path) => readFileSync(join(SOURCES, path), "utf8");

function importsOf(path) {
  const specifiers = [...source(path).matchAll(/^(?:import|export) [^"]*"(\.[^"]+)";/gm)].map(([, specifier]) => specifier);
  return specifiers.map((specifier) => relative(SOURCES, join(SOURCES, dirname(path), specifier)));
}

test("Every folder has a position in the order", () => {
  assert.deepEqual([...new Set(modules.map(folderOf))].sort(), ORDER.toSorted());
});

test("Modules import only from their own folder and from lower ones", () => {
  const upward = modules.flatMap((path) =>
    importsOf(path)
      .filter((imported) => ORDER.indexOf(folderOf(imported)) > ORDER.indexOf(folderOf(path)))
      .map((imported) => `${path} -> ${imported}`),
  );
  assert.deepEqual(upward, []);
});

test("No two modules import each other, directly or through others", () => {
  const finished = new Set();
  const visit = (path, trail) => {
    assert.ok(!trail.includes(path), `Circular import: ${[...trail, path].join(" -> ")}`);
    if (finished.has(path)) return;
    for (const imported of importsOf(path)) visit(imported, [...trail, path]);
    finished.add(path);
  };
  for (const path of modules) visit(path, []);
});

test("core/ does not use the DOM", () => {
  const using = modules.filter((path) => folderOf(path) === "core" && /querySelector|createElement|HTMLElement/.test(source(path)));
  assert.deepEqual(using, []);
});

test(`No module is longer than ${LINES_MAX} lines`, () => {
  const long = modules.filter((path) => source(path).split("\n").length - 1 > LINES_MAX);
  assert.deepEqual(long, []);
});
