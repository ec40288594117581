import assert from "node:assert/strict";
import { test } from "node:test";
import { Outbox } from "../../src/core/outbox.js";
import { SafeStorage } from "../../src/core/storage.js";
import { FakeStorage } from "../fakes.js";

const outbox = (storage) => new Outbox({ storage: new SafeStorage(() => storage), author: "g:1", room: "방: 1" });

test("Without Web Locks the outbox adopts the posts of the tab after a reload", () => {
  const storage = new FakeStorage();
  outbox(storage).save({ id: "a", body: "hi", at: 1, state: "pending" });
  const reloaded = outbox(storage);
  reloaded.open();
  let found;
  reloaded.adopt((posts) => (found = posts));
  assert.deepEqual(found, [{ id: "a", body: "hi", at: 1, state: "pending" }]);
});

test("Unreadable entries are ignored", () => {
  const storage = new FakeStorage();
  outbox(storage).save({ id: "a", body: "hi", at: 1 });
  const [key] = [storage.key(0)];
  storage.setItem(key.replace(/a$/, "b"), "{");
  storage.setItem(key.replace(/a$/, "c"), "5");
  const reloaded = outbox(storage);
  reloaded.open();
  let found = [];
  reloaded.adopt((posts) => (found = posts));
  assert.deepEqual(found.map(({ id }) => id), ["a"]);
});
