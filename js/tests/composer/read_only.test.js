import assert from "node:assert/strict";
import { test } from "node:test";
import { banNotice, sanctionText } from "../../src/composer/read_only.js";

const strings = { you_muted: "You are muted.", you_muted_until: "You are muted until {time}. Then you can post.", reason: "Reason: {reason}" };
const room = (time) => ({ strings, calendar: { moment: () => time } });

test("A muted user sees until when, and why", () => {
  const text = sanctionText(room("Nov. 30, 2026, 7:03 p.m."), { code: "muted", until: "2026-11-30T19:03:00Z", reason: "be kind.. $& {time}" });

  assert.equal(text, "You are muted until Nov. 30, 2026, 7:03 p.m. Then you can post. Reason: be kind.. $& {time}");
});

test("The end of a mute is a sentence in formats without a full stop, too", () => {
  assert.equal(sanctionText(room("30. November 2026 19:03"), { code: "muted", until: "2026-11-30T19:03:00Z" }), "You are muted until 30. November 2026 19:03. Then you can post.");
});

test("Without an end or with another code there is no time", () => {
  assert.equal(sanctionText(room(""), { code: "muted" }), "You are muted.");
  assert.equal(sanctionText(room(""), { code: "announcement", reason: "x" }), undefined);
});

test("A user who is banned sees until when in place of the text field", () => {
  const [form, closed] = [{ hidden: false }, { textContent: "" }];
  const parts = { composer: form, closed };
  const { signal } = new AbortController();
  const you_banned_until = "You are banned until {time}. Then you can enter.";
  const listeners = {};
  banNotice({
    ...room("30. November 2026 19:03"),
    strings: { ...strings, you_banned_until },
    signal,
    part: (name) => parts[name],
    on: (event, listener) => (listeners[event] = listener),
  });

  listeners.problem({ frame: "join", code: "rate_limited", detail: "Too fast.", retry_after: 2 });
  listeners.problem({ frame: "post", code: "banned", detail: "Banned." });
  assert.deepEqual([form.hidden, closed.textContent], [false, ""]);

  listeners.problem({ frame: "join", code: "banned", until: "2026-11-30T19:03:00Z", reason: "spam", detail: "in the time zone of the server" });
  assert.deepEqual([form.hidden, closed.textContent], [true, "You are banned until 30. November 2026 19:03. Then you can enter. Reason: spam"]);

  listeners.problem({ frame: "join", code: "members_only", detail: "Members only." });
  assert.equal(closed.textContent, "Members only.");
});
