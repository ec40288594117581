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

const foreign = {
  get top() {
    throw new DOMException("Blocked a frame", "SecurityError");
  },
};

function inFrame(t, window) {
  globalThis.window = window;
  globalThis.location = { href: "https://chat.example/chat/lobby/" };
  globalThis.document = { createElement: () => ({ addEventListener() {} }) };
  t.after(() => ["window", "location", "document"].forEach((name) => delete globalThis[name]));
  element.replaceChildren = (text, _, link) => Object.assign(element, { text, link });
  const strings = { ended_4001: "Session ended.", no_cookies: "No cookies.", open_window: "Open", reload: "Reload" };
  return new Banner({ element, strings, signal: new AbortController().signal });
}

test("A page in a frame of another site, whose session is unknown at once, lacks cookies", (t) => {
  inFrame(t, foreign).show({ state: "ended", code: 4001 });

  assert.deepEqual(shown(), [false, "No cookies."]);
  const { href, target, rel, textContent } = element.link;
  assert.deepEqual({ href, target, rel, textContent }, { href: location.href, target: "_blank", rel: "noopener", textContent: "Open" });
});

test("A socket with another identity than the page lacks cookies in a frame of another site only", (t) => {
  const framed = inFrame(t, foreign);
  framed.onOtherIdentity();
  framed.show({ state: "connected" });
  const inForeign = shown();
  const own = inFrame(t, { top: { location: { href: "https://chat.example/" } } });
  own.onOtherIdentity();
  own.show({ state: "connected" });

  assert.deepEqual([inForeign, shown()], [[false, "No cookies."], [true, ""]]);
});

test("A session that ends after it was connected has ended, in a frame, too", (t) => {
  const framed = inFrame(t, foreign);
  framed.show({ state: "connected" });
  framed.show({ state: "ended", code: 4001 });

  assert.deepEqual(shown(), [false, "Session ended."]);
});

test("A page of its own, or in a frame of its own site, has an ended session", (t) => {
  inFrame(t, { top: { location: { href: "https://chat.example/" } } }).show({ state: "ended", code: 4001 });

  assert.deepEqual(shown(), [false, "Session ended."]);
});
