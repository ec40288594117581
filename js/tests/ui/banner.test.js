import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Banner } from "../../src/ui/banner.js";

let element, banner;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  element = { hidden: true, text: "", replaceChildren: (text) => (element.text = text) };
  banner = new Banner({ element, strings: { offline: "Not connected." }, signal: new AbortController().signal });
});

const shown = () => [element.hidden, element.text];

test("A lost connection is shown after three seconds", () => {
  banner.show({ state: "offline", code: 1006, reason: "" });
  const first = shown();
  mock.timers.tick(3_000);
  assert.deepEqual([first, shown()], [[true, ""], [false, "Not connected."]]);
});

test("The reason of a refused connection is shown at once, until the page is connected", () => {
  banner.show({ state: "offline", code: 1006, reason: "" });
  banner.show({ state: "offline", code: 4029, reason: "Close other tabs." });
  mock.timers.tick(3_000);
  const refused = shown();
  banner.show({ state: "connected" });
  assert.deepEqual([refused, shown()], [[false, "Close other tabs."], [true, ""]]);
});

test("A connection that is lost while the system is offline is shown at once", (t) => {
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  t.after(() => (before ? Object.defineProperty(globalThis, "navigator", before) : delete globalThis.navigator));
  Object.defineProperty(globalThis, "navigator", { value: { onLine: false }, configurable: true });
  banner.show({ state: "offline", code: 1006, reason: "silence" });
  assert.deepEqual(shown(), [false, "Not connected."]);
});
