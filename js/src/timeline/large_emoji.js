// The same as in `text/emoji.py`; `tests/shared/large_emoji.json` holds the cases of both.
// Whole blocks, as on the server: pictographs such as “🗩” are no `\p{Emoji}`, and a browser may not know new emoji.
const BLOCKS =
  "\\u{1f300}-\\u{1f3fa}\\u{1f400}-\\u{1f64f}\\u{1f680}-\\u{1f6ff}\\u{1f7e0}-\\u{1f7f0}\\u{1f90c}-\\u{1f9ff}\\u{1fa70}-\\u{1faff}";
const ONE = `(?![0-9#*\\u{1f1e6}-\\u{1f1ff}\\u{1f3fb}-\\u{1f3ff}]|[©®™](?!\\ufe0f))[\\p{Emoji}${BLOCKS}][\\u{1f3fb}-\\u{1f3ff}\\ufe0f]?`;
const TAG_FLAG = "\\u{1f3f4}[\\u{e0030}-\\u{e0039}\\u{e0061}-\\u{e007a}]{3,6}\\u{e007f}";
const SPACES = "[^\\S\\ufeff]*"; // Python does not count U+FEFF as white space
const LARGE = new RegExp(`^${SPACES}(?:(?:${TAG_FLAG}|${ONE}(?:\\u200d${ONE}){0,3}|\\p{RI}{2}|[0-9#*]\\ufe0f?\\u20e3)${SPACES}){1,3}$`, "u");
const MAX_LENGTH = 256;

/** Whether a message is one to three emoji, which are shown large. */
export function isLarge(text) {
  return text.length <= MAX_LENGTH && LARGE.test(text);
}
