import assert from "node:assert/strict";
import { test } from "node:test";
import { MentionCandidates } from "../../src/composer/mention_candidates.js";
import { FakeClock } from "../fakes.js";

function mentionCandidates(authors, answers) {
  const clock = new FakeClock();
  const requests = [];
  const request = async (prefix) => {
    requests.push(prefix);
    return answers[prefix] ?? [];
  };
  const shown = [];
  const people = new MentionCandidates({ getAuthors: () => authors, request, clock });
  const search = (text, { committed, isContinuation = true } = {}) => people.search({ text, committed, isContinuation }, (found) => shown.push(found.map(({ name }) => name)));
  /** Wait for the debounce delay and the answer of the server. */
  const pause = async () => {
    clock.advance(200);
    for (let turn = 0; turn < 4; turn++) await undefined;
  };
  return { pause, requests, shown, search };
}

const person = (name, key = `u:${name}`) => ({ key, name });

test("Authors in the page are shown immediately, all others when the server has answered", async () => {
  const { pause, requests, shown, search } = mentionCandidates([person("Anatol"), person("Bo")], { a: [person("Ada"), person("Anatol")] });
  search("a", { isContinuation: false });
  assert.deepEqual(shown, [["Anatol"]]);
  await pause();
  assert.deepEqual(requests, ["a"]);
  assert.deepEqual(shown.at(-1), ["Anatol", "Ada"]);
});

test("The server is asked after the debounce delay, and not for what a known result includes", async () => {
  const { pause, requests, shown, search } = mentionCandidates([], { an: [person("Ana"), person("Anatol")] });
  search("a", { isContinuation: false });
  search("an");
  await pause();
  search("ana");
  await pause();
  assert.deepEqual(requests, ["an"]);
  assert.deepEqual(shown.at(-1), ["Ana", "Anatol"]);
  search("anat");
  assert.deepEqual(shown.at(-1), ["Anatol"]);
});

test("After a full page the server is asked again", async () => {
  const { pause, requests, search } = mentionCandidates([], { "": Array.from({ length: 20 }, (_, number) => person(`A${number}`)) });
  search("", { isContinuation: false });
  await pause();
  search("z");
  await pause();
  assert.deepEqual(requests, ["", "z"]);
});

test("The server is asked for the part that no input method is composing", async () => {
  const { pause, requests, shown, search } = mentionCandidates([person("민준")], {});
  search("민ㅈ", { committed: "민", isContinuation: false });
  await pause();
  assert.deepEqual(requests, ["민"]);
  assert.deepEqual(shown.at(-1), ["민준"]);
});

test("Of two people with the same name, the one from the server is shown", async () => {
  const { pause, shown, search } = mentionCandidates([person("Ana", "g:1")], { an: [person("Ana", "u:1")] });
  search("an", { isContinuation: false });
  await pause();
  assert.deepEqual(shown, [["Ana"], ["Ana"]]);
});

test("Names that the server does not recognise are not shown", () => {
  const { shown, search } = mentionCandidates([person("🎉 party"), person("x".repeat(81)), person("Bo")], {});
  search("", { isContinuation: false });
  assert.deepEqual(shown, [["Bo"]]);
});
