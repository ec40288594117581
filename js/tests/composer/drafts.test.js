import assert from "node:assert/strict";
import { test } from "node:test";
import { Draft } from "../../src/composer/drafts.js";
import { SafeStorage } from "../../src/core/storage.js";
import { FakeClock, FakeStorage } from "../fakes.js";

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
