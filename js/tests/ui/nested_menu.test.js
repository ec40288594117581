import assert from "node:assert/strict";
import { test } from "node:test";

import { keepOpenBelowMenus } from "../../src/ui/nested_menu.js";

function openDialog() {
  const dialog = Object.assign(new EventTarget(), { menu: null, querySelector: () => dialog.menu });
  keepOpenBelowMenus(dialog, { signal: new AbortController().signal });
  const emit = (type, more) => dialog.dispatchEvent(Object.assign(new Event(type, { cancelable: true }), more));
  return { dialog, press: (key) => emit("keydown", { key }), mayClose: () => emit("cancel") };
}

test("the Esc that closes a menu does not close the dialog, and the next one does", () => {
  const { dialog, press, mayClose } = openDialog();
  dialog.menu = {};
  press("Escape");
  dialog.menu = null;
  assert.equal(mayClose(), false);

  press("Escape");

  assert.equal(mayClose(), true);
});

test("a dialog that is closed without a key is not kept open by an earlier menu", () => {
  const { dialog, press, mayClose } = openDialog();
  dialog.menu = {};
  press("Escape");
  press("Tab");

  assert.equal(mayClose(), true);
});
