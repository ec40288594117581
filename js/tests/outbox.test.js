import assert from "node:assert/strict";
import { test } from "node:test";
import { Draft } from "../src/composer/drafts.js";
import { Outbox } from "../src/core/outbox.js";
import { SafeStorage } from "../src/core/storage.js";
import { FakeClock, FakeStorage } from "./stage.js";

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

test("Memory replaces storage that is forbidden or full", () => {
  const forbidden = new SafeStorage(() => {
    throw new DOMException("denied", "SecurityError");
  });
  const full = new FakeStorage();
  full.setItem = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  for (const storage of [forbidden, new SafeStorage(() => full)]) {
    storage.set("a:1", "one");
    assert.equal(storage.get("a:1"), "one");
    assert.deepEqual(storage.keys("a:"), ["a:1"]);
    storage.remove("a:1");
    assert.equal(storage.get("a:1"), null);
  }
});

test("A draft is stored after a delay, or immediately by flush", () => {
  const clock = new FakeClock();
  const storage = new SafeStorage(() => new FakeStorage());
  const draft = () => new Draft({ storage, author: "g:1", room: "lobby", clock });
  const writing = draft();
  writing.write("안녕");
  assert.equal(draft().read(), "");
  clock.advance(300);
  assert.equal(draft().read(), "안녕");
  writing.write("");
  writing.flush();
  assert.equal(draft().read(), "");
});

test("A draft belongs to its author and room", () => {
  const storage = new SafeStorage(() => new FakeStorage());
  const draft = (author, room) => new Draft({ storage, author, room, clock: new FakeClock() });
  const own = draft("g:1", "lobby");
  own.write("secret");
  own.flush();
  assert.equal(draft("g:2", "lobby").read(), "");
  assert.equal(draft("g:1", "kitchen").read(), "");
});
