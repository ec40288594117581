import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { MentionCandidates } from "../src/composer/mention_candidates.js";
import { EmojiIndex } from "../src/composer/emoji.js";
import { hasWordPrefix, normalizeForSearch } from "../src/ui/normalize.js";
import { splitMentions } from "../src/timeline/mentions.js";
import { RecentEmoji } from "../src/composer/recent_emoji.js";
import { SafeStorage } from "../src/core/storage.js";
import { mentionAt, emojiAt, completeEmojiAt } from "../src/composer/caret_context.js";
import { FakeClock } from "./stage.js";

// The same cases test the server.
const MENTIONS = JSON.parse(readFileSync(new URL("../../tests/mentions.json", import.meta.url)));

for (const [text, names, expected] of MENTIONS) {
  test(`Mentions in ${JSON.stringify(text)}`, () => {
    assert.deepEqual(splitMentions(text, names.map((name, number) => ({ key: `u:${number}`, name }))), expected);
  });
}

/** The caret is at the `|`. */
function at(read, marked) {
  const caret = marked.indexOf("|");
  return read(marked.replace("|", ""), caret);
}

const CALLS = {
  "@|": { start: 0, text: "" },
  "@an|": { start: 0, text: "an" },
  "@an|d so": { start: 0, text: "an" },
  "Hi (@an|": { start: 4, text: "an" },
  "one\n@an|": { start: 4, text: "an" },
  "@Ana Sil|": { start: 0, text: "Ana Sil" },
  "@민ㅈ|": { start: 0, text: "민ㅈ" },
  "안녕 @민|": { start: 3, text: "민" },
  "@Bo @an|": { start: 4, text: "an" },
  "me@an|": null,
  "안녕@민|": null,
  "me.@an|": null,
  "@an\n|": null,
  "@ an|": null,
  "@Ana |": null,
  "@Ana hello how are you|": null,
  "no|": null,
};

for (const [marked, expected] of Object.entries(CALLS)) {
  test(`Mention before the caret in ${JSON.stringify(marked)}: ${JSON.stringify(expected)}`, () => assert.deepEqual(at(mentionAt, marked), expected));
}

const EMOJI = {
  ":th|": { start: 0, text: "th" },
  "yes :thu|": { start: 4, text: "thu" },
  "(:+1|": { start: 1, text: "+1" },
  "🎉:tada|": { start: 2, text: "tada" },
  ":불|": { start: 0, text: "불" },
  "：笑|": { start: 0, text: "笑" },
  ":D|": null,
  ":)|": null,
  "10:30|": null,
  "https:ex|": null,
  "회의:오후|": null,
  ": th|": null,
  ":tada:|": null,
};

for (const [marked, expected] of Object.entries(EMOJI)) {
  test(`Emoji before the caret in ${JSON.stringify(marked)}: ${JSON.stringify(expected)}`, () => assert.deepEqual(at(emojiAt, marked), expected));
}

test("A short name between two colons is complete", () => {
  assert.deepEqual(at(completeEmojiAt, "so :tada:|"), { start: 3, text: "tada" });
  assert.deepEqual(at(completeEmojiAt, ":+1:|"), { start: 0, text: "+1" });
  for (const marked of [":tada|", "10:30:|", "a:tada:|", "::|"]) assert.equal(at(completeEmojiAt, marked), null);
});

test("Searching ignores case and accents, and finds partly typed syllables", () => {
  const found = { José: "jos", "Ana Silva": "SIL", "Jean-Luc": "luc", がく: "か" };
  for (const [name, prefix] of Object.entries(found)) assert.ok(hasWordPrefix(normalizeForSearch(name), normalizeForSearch(prefix)), `${prefix} in ${name}`);
  for (const prefix of ["ㅁ", "미", "민", "민ㅈ", "민주", "민준"]) assert.ok(hasWordPrefix(normalizeForSearch("민준"), normalizeForSearch(prefix)), prefix);
  for (const [name, prefix] of [["Anatol", "nat"], ["민준", "인"]]) assert.ok(!hasWordPrefix(normalizeForSearch(name), normalizeForSearch(prefix)));
});

// Mention candidates

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

// Emoji

const names = (file) => JSON.parse(readFileSync(new URL(`../../django_roomchat/static/django_roomchat/emoji/${file}.json`, import.meta.url)));
const found = (book, typed) => book.find(typed, 5).map(({ emoji }) => emoji);

test("Emoji are found by the beginning of a name, a short name or a word", () => {
  const book = new EmojiIndex(names("en"));
  assert.equal(found(book, "thu")[0], "👍");
  assert.equal(found(book, "tada")[0], "🎉");
  assert.equal(found(book, "+1")[0], "👍");
  assert.equal(found(book, "heart")[0], "❤️");
  assert.ok(found(book, "tears_of").includes("😂"));
  assert.deepEqual(found(book, "hums"), []);
  assert.deepEqual(found(book, " "), []);
});

test("Emoji are found in the language of the page and in English", () => {
  const book = new EmojiIndex(names("en"), names("ko"));
  assert.equal(book.nameOf("🎉"), "파티");
  assert.equal(found(book, "파티")[0], "🎉");
  assert.equal(found(book, "tada")[0], "🎉");
  assert.equal(book.find("tada")[0].term, "tada");
});

test("A short name matches one emoji exactly", () => {
  const book = new EmojiIndex(names("en"));
  assert.equal(book.byName("tada"), "🎉");
  assert.equal(book.byName("thumbs_up"), "👍");
  assert.equal(book.byName("tad"), undefined);
});

for (const file of ["ar", "de", "en", "es", "fr", "ja", "ko", "pt-br", "zh-hans"]) {
  test(`${file}.json has the same emoji as the other languages, and is small`, () => {
    const emoji = ({ groups }) => Object.values(groups).flatMap(Object.keys);
    const [one, english] = [names(file), names("en")];
    assert.deepEqual(emoji(one), emoji(english));
    assert.ok(emoji(one).length > 1500);
    assert.ok(Object.values(one.groups).every((group) => Object.values(group).every((terms) => terms.split("|")[0])));
    assert.ok(Buffer.byteLength(JSON.stringify(one)) <= 60 * 1024);
  });
}

test("Recent emoji are unique, latest first", () => {
  const recent = new RecentEmoji(new SafeStorage(() => undefined));
  for (const emoji of ["👍", "🎉", "👍"]) recent.add(emoji);
  assert.deepEqual(recent.list(), ["👍", "🎉"]);
  for (let number = 0; number < 40; number++) recent.add(String(number));
  assert.equal(recent.list().length, 18);
});
