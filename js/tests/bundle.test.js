import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const esbuild = await import("esbuild").catch(() => undefined);
const LIMIT_BYTES = 35 * 1024;
const PANELS_LIMIT_BYTES = 15 * 1024; // loaded on the first user interaction
const SCRIPTS = ["roomchat.js", "client.js", "files.js", "panels.js"];
const shipped = (name) => readFileSync(new URL(`../../django_roomchat/static/django_roomchat/${name}`, import.meta.url), "utf8");

for (const name of SCRIPTS) {
  test(`${name} is self-contained`, () => {
    // With hashed static files, imports and source maps would not be found.
    const text = shipped(name);
    assert.doesNotMatch(text, /\bimport\s*["'{*]|\bimport\s*\(\s*["'`]|\bfrom\s*["']/);
    assert.doesNotMatch(text, /sourceMappingURL/);
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/);
  });
}

test("The bundles were built from these sources", { skip: !esbuild && "esbuild is missing: npm ci" }, async () => {
  const { scripts } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  for (const option of ["--bundle", "--minify", "--format=esm", "--target=es2022", "--charset=utf8"]) {
    assert.ok(scripts.build.includes(option));
  }
  for (const name of SCRIPTS) {
    const { outputFiles } = await esbuild.build({
      entryPoints: [fileURLToPath(new URL(`../src/${name}`, import.meta.url))],
      bundle: true,
      minify: true,
      format: "esm",
      target: "es2022",
      charset: "utf8",
      legalComments: "none",
      write: false,
    });
    assert.equal(shipped(name), outputFiles[0].text, `${name} is older than its sources: npm run build`);
  }
});

const weight = (name) => gzipSync(shipped(name)).length;

test("The scripts of the page are small", () => {
  assert.ok(weight("roomchat.js") + weight("files.js") < LIMIT_BYTES);
});

test("The script with the panels is small", () => {
  assert.ok(weight("panels.js") < PANELS_LIMIT_BYTES);
});

test("The client bundle does not use the DOM", () => {
  assert.doesNotMatch(shipped("client.js"), /HTMLElement|querySelector|customElements|createElement/);
});

test("The client bundle can be imported without a DOM", async () => {
  const { Session, Transport, openSession } = await import("../../django_roomchat/static/django_roomchat/client.js");
  for (const exported of [Session, Transport, openSession]) assert.equal(typeof exported, "function");
});
