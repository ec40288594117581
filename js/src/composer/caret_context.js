/** The text before the caret, as far as it can be completed. */

const NAME_LENGTH = 80; // the server does not recognise longer names either
const NAME_WORDS = 4;

// The same rule as on the server: a mention does not start inside a word or an e-mail address.
const MENTION = new RegExp(`(?<![\\p{L}\\p{N}_.+-])[@＠﹫]([^@＠﹫\\n]{0,${NAME_LENGTH}})$`, "u");
// A colon counts at the start, after a space, an opening bracket or another emoji; not in “10:30” or “https:”.
const BEFORE_COLON = "(?<=^|[\\s(\\[{（「『“‘\"'\\p{Extended_Pictographic}\\ufe0f])";
// A short name begins with a letter; otherwise “:-P”, “:-x” and “:10” would be names.
const SHORT_NAME = "\\p{L}[\\p{L}\\p{M}\\p{N}_+-]{0,39}";
const COMPLETE_NAME = `[+-]1|100|${SHORT_NAME}`; // “:+1:”
// Texts that people send as they are, although emoji have names that begin in the same way: “:D”, “:ppp”, “:xD”, “:lol”.
const EMOTICON = /^(?:([a-z])\1*|x[dp]|[do]x|op|lol|rofl|lmao|orz)$/i;
const EMOJI = new RegExp(`${BEFORE_COLON}[:：](${SHORT_NAME})$`, "u");
const COMPLETE_EMOJI = new RegExp(`${BEFORE_COLON}[:：](${COMPLETE_NAME})[:：]$`, "u");

/** A name after an `@` of any width: `{start, text}`, or null. */
export function mentionAt(text, caret) {
  const context = matchBefore(MENTION, text, caret);
  if (!context || context.text !== context.text.trim() || context.text.split(/\s+/u).length > NAME_WORDS) return null;
  return context;
}

/** The start of an emoji's short name after a colon; null for an emoticon, which Enter sends as it is. */
export function emojiAt(text, caret) {
  const context = matchBefore(EMOJI, text, caret);
  const isEmoticon = context && (EMOTICON.test(context.text) || (context.text.length === 1 && !/\p{Lo}/u.test(context.text)));
  return isEmoticon ? null : context;
}

/** A short name between two colons. */
export function completeEmojiAt(text, caret) {
  return matchBefore(COMPLETE_EMOJI, text, caret);
}

function matchBefore(pattern, text, caret) {
  const from = Math.max(text.lastIndexOf("\n", caret - 1) + 1, caret - 2 * NAME_LENGTH);
  const match = pattern.exec(text.slice(from, caret));
  return match && { start: from + match.index, text: match[1] };
}
