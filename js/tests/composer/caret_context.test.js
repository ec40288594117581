import assert from "node:assert/strict";
import { test } from "node:test";
import { completeEmojiAt, emojiAt, mentionAt } from "../../src/composer/caret_context.js";

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
  "＠an|": { start: 0, text: "an" },
  "안녕 ﹫민ㅈ|": { start: 3, text: "민ㅈ" },
  "info＠ex|": null,
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
  "(:+1|": null,
  "🎉:tada|": { start: 2, text: "tada" },
  ":불|": { start: 0, text: "불" },
  "：笑|": { start: 0, text: "笑" },
  ":lolli|": { start: 0, text: "lolli" },
  ":-1|": null,
  ":100|": null,
  ":D|": null,
  ":-D|": null,
  ":-P|": null,
  ":-p|": null,
  ":-o|": null,
  ":-x|": null,
  "see :10|": null,
  ":lol|": null,
  ":LOL|": null,
  ":DDD|": null,
  ":xD|": null,
  ":3|": null,
  ":_|": null,
  "：-D|": null,
  ":д|": null,
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
  assert.deepEqual(at(completeEmojiAt, "💯 :100:|"), { start: 3, text: "100" });
  assert.deepEqual(at(completeEmojiAt, ":lol:|"), { start: 0, text: "lol" });
  for (const marked of [":-D:|", "at :10:|", ":tada|", "10:30:|", "a:tada:|", "::|"]) assert.equal(at(completeEmojiAt, marked), null);
});
