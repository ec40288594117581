import assert from "node:assert/strict";
import { test } from "node:test";
import { Draft } from "../../src/composer/drafts.js";
import { Outbox } from "../../src/core/outbox.js";
import { SafeStorage } from "../../src/core/storage.js";
import { FakeClock, FakeLocks, FakeStorage, flushPromises } from "../fakes.js";

/** Tabs of one browser. */
function browser({ locks = new FakeLocks() } = {}) {
  const storage = new FakeStorage();
  const clock = new FakeClock();
  const outbox = (author, room, kind) => new Outbox({ storage: new SafeStorage(() => storage), locks, author, room, kind });
  async function open({ author = "g:1", room = "lobby", guests = [] } = {}) {
    const draft = new Draft({
      outbox: outbox(author, room, "draft"),
      guests: guests.flatMap((guest) => ["draft", "post"].map((kind) => outbox(guest, room, kind))),
      clock,
    });
    const tab = { draft, found: 0 };
    draft.open(() => (tab.found += 1));
    await flushPromises();
    return tab;
  }
  async function close({ draft }) {
    draft.close();
    await flushPromises();
  }
  return { clock, storage, outbox, open, close };
}

const shown = ({ text, replyTo, edit, below }) => JSON.parse(JSON.stringify({ text, replyTo, edit, below }));
const quoted = { seq: 3, name: "Bo", body: "When?" };

test("A draft is stored after a delay, with its target", async () => {
  const { clock, storage, open, close } = browser();
  const tab = await open();
  tab.draft.write({ text: "안녕", replyTo: quoted });
  assert.equal(storage.length, 0);
  clock.advance(300);
  assert.equal(storage.length, 1);
  await close(tab);
  const reloaded = await open();
  assert.deepEqual(shown(reloaded.draft.next()), { text: "안녕", replyTo: quoted });
});

for (const value of [
  { text: "see you at nine", replyTo: quoted },
  { text: "corrected", edit: { seq: 5, text: "corected" }, below: { text: "half a thought" } },
  { text: "", edit: { seq: 5, text: "to be emptied" } },
]) {
  test(`After a reload the draft is ${JSON.stringify(value)}`, async () => {
    const { open, close } = browser();
    const tab = await open();
    tab.draft.write(value);
    await close(tab);
    const reloaded = await open();
    assert.equal(reloaded.found, 1);
    assert.deepEqual(shown(reloaded.draft.next()), value);
  });
}

test("What one tab sends does not remove the draft of another", async () => {
  const { open, close } = browser();
  const [one, other] = [await open(), await open()];
  one.draft.write({ text: "for later" });
  one.draft.flush();
  other.draft.write({ text: "hi" });
  other.draft.flush();
  other.draft.clear();
  await close(one);
  const reloaded = await open();
  assert.equal(reloaded.draft.next().text, "for later");
  assert.equal(reloaded.draft.next(), undefined);
});

test("A draft of an open tab is not taken over", async () => {
  const { clock, open, close } = browser();
  const one = await open();
  one.draft.write({ text: "mine" });
  one.draft.flush();
  const other = await open();
  clock.advance(1_000);
  await close(one);
  assert.equal(other.draft.next(), undefined);
});

test("Without Web Locks a reloaded tab has its draft", async () => {
  const { open, close } = browser({ locks: null });
  const tab = await open();
  tab.draft.write({ text: "kept" });
  await close(tab);
  assert.equal((await open()).draft.next().text, "kept");
});

test("A draft that was sent is gone", async () => {
  const { storage, open } = browser();
  const { draft } = await open();
  draft.write({ text: "hi" });
  draft.flush();
  draft.clear();
  assert.equal(storage.length, 0);
});

test("A draft that was set aside returns when the composer is empty, also after a reload", async () => {
  const { open, close } = browser();
  const tab = await open();
  tab.draft.setAside({ text: "first" });
  tab.draft.write({ text: "second" });
  tab.draft.clear();
  assert.equal(tab.draft.next().text, "first");
  await close(tab);
  assert.equal((await open()).draft.next().text, "first");
});

test("An edit on its way to the server waits, and returns if it is rejected", async () => {
  const { open } = browser();
  const { draft } = await open();
  const [accepted, rejected] = [1, 2].map((seq) => draft.setAside({ text: `edit ${seq}`, edit: { seq, text: "old" } }, { isBusy: true }));
  assert.equal(draft.next(), undefined);
  draft.drop(accepted);
  draft.free(rejected);
  assert.equal(draft.next().text, "edit 2");
  assert.equal(draft.next(), undefined);
});

test("A composer that already shows a draft continues it", async () => {
  const { open, close } = browser();
  const tab = await open();
  tab.draft.setAside({ text: "other" });
  tab.draft.write({ text: "shown", replyTo: quoted });
  await close(tab);
  const { draft } = await open();
  assert.equal(draft.next("something else"), undefined);
  assert.deepEqual(shown(draft.next("shown")), { text: "shown", replyTo: quoted });
});

test("A draft belongs to its author and room", async () => {
  const { open, close } = browser();
  const own = await open();
  own.draft.write({ text: "secret" });
  await close(own);
  for (const other of [{ author: "g:2" }, { room: "kitchen" }]) assert.equal((await open(other)).draft.next(), undefined);
});

test("After signing in the user has the drafts and the unsent posts of the guest", async () => {
  const { open, close, outbox } = browser();
  const guest = await open();
  guest.draft.write({ text: "draft", replyTo: quoted });
  await close(guest);
  outbox("g:1", "lobby", "post").save({ id: "p", body: "unsent", at: 1, state: "failed", quote: quoted });
  await flushPromises();
  const { draft } = await open({ author: "u:7", guests: ["g:1"] });
  assert.deepEqual(shown(draft.next()), { text: "draft", replyTo: quoted });
  assert.deepEqual(shown(draft.next()), { text: "unsent", replyTo: quoted });
  assert.equal((await open()).draft.next(), undefined);
});
