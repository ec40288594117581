import assert from "node:assert/strict";
import { test } from "node:test";

import { Dialog } from "../../src/ui/dialog.js";

const OUTSIDE = { clientX: 5, clientY: 5 };
const INSIDE = { clientX: 150, clientY: 150 };

class FakeDialog extends EventTarget {
  open = false;

  constructor(attributes, properties) {
    super();
    this.getAttribute = (name) => attributes[name] ?? null;
    Object.assign(this, properties);
  }

  closest = () => null;
  getBoundingClientRect = () => ({ left: 100, top: 100, right: 200, bottom: 200 });
  showModal = () => (this.open = true);
  close = () => (this.open = false);
}

function opened(attributes, properties) {
  const element = new FakeDialog(attributes, properties);
  const dialog = new Dialog({ element, signal: new AbortController().signal });
  dialog.open();
  const emit = (type, at) => element.dispatchEvent(Object.assign(new Event(type), at));
  const click = (from, to = from) => (emit("pointerdown", from), emit("click", to));
  return { dialog, click };
}

test("a click outside closes the dialog where the browser has no closedby", () => {
  const { dialog, click } = opened({ closedby: "any" });
  click(INSIDE);
  assert.equal(dialog.isOpen, true);

  click(OUTSIDE);

  assert.equal(dialog.isOpen, false);
});

test("a selection that is dragged out of the dialog does not close it", () => {
  const { dialog, click } = opened({ closedby: "any" });

  click(INSIDE, OUTSIDE);

  assert.equal(dialog.isOpen, true);
});

test("a dialog without closedby, and the browser's own closedby, are left alone", () => {
  const without = opened({});
  const native = opened({ closedby: "any" }, { closedBy: "any" });

  without.click(OUTSIDE);
  native.click(OUTSIDE);

  assert.deepEqual([without.dialog.isOpen, native.dialog.isOpen], [true, true]);
});
