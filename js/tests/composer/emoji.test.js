import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { EmojiIndex } from "../../src/composer/emoji.js";

const names = (file) => JSON.parse(readFileSync(new URL(`../../../django_roomchat/static/django_roomchat/emoji/${file}.json`, import.meta.url)));
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
