/** The text before the caret, as far as it can be completed. */

const NAME_LENGTH = 80; // the server does not recognise longer names either
const NAME_WORDS = 4;

// The same rule as on the server: a mention does not start inside a word or an e-mail address.
const MENTION = new RegExp(`(?<![\\p{L}\\p{N}_.+-])[@＠﹫]([^@＠﹫\\n]{0,${NAME_LENGTH}})$`, "u");
// A colon counts at the start, after a space, an opening bracket or another emoji; not in “10:30” or “https:”.
const BEFORE_COLON = "(?<=^|[\\s(\\[{（「『“‘\"'\\p{Extended_Pictographic}\\ufe0f])";
const SHORT_NAME = "[\\p{L}\\p{M}\\p{N}_+-]{1,40}";
const EMOJI = new RegExp(`${BEFORE_COLON}[:：](${SHORT_NAME})$`, "u");
const COMPLETE_EMOJI = new RegExp(`${BEFORE_COLON}[:：](${SHORT_NAME})[:：]$`, "u");

/** A name after an `@` of any width: `{start, text}`, or null. */
export function mentionAt(text, caret) {
  const context = matchBefore(MENTION, text, caret);
  if (!context || context.text !== context.text.trim() || context.text.split(/\s+/u).length > NAME_WORDS) return null;
  return context;
}

/**
 * The start of an emoji's short name after a colon, at least two characters in scripts with letter case: “:D” is an
 * emoticon.
 */
export function emojiAt(text, caret) {
  const context = matchBefore(EMOJI, text, caret);
  return context && (context.text.length > 1 || /\p{Lo}/u.test(context.text)) ? context : null;
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
