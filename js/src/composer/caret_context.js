/** What stands before the caret and may be completed. */

const NAME_LENGTH = 80; // longer names are not found by the server either
const NAME_WORDS = 4;

// As in `django_roomchat/mentions.py`: no mention begins inside a word, or inside an e-mail address.
const CALL = new RegExp(`(?<![\\p{L}\\p{N}_.+-])@([^@\\n]{0,${NAME_LENGTH}})$`, "u");
// At the beginning, after a space, an opening bracket or another emoji: neither in “10:30” nor in “https:”.
const BEFORE_A_COLON = "(?<=^|[\\s(\\[{（「『“‘\"'\\p{Extended_Pictographic}\\ufe0f])";
const SHORT_NAME = "[\\p{L}\\p{M}\\p{N}_+-]{1,40}";
const EMOJI = new RegExp(`${BEFORE_A_COLON}[:：](${SHORT_NAME})$`, "u");
const WHOLE_EMOJI = new RegExp(`${BEFORE_A_COLON}[:：](${SHORT_NAME})[:：]$`, "u");

/** A name behind an `@`: `{start, text}`, or null. */
export function callAt(text, caret) {
  const typed = matched(CALL, text, caret);
  if (!typed || typed.text !== typed.text.trim() || typed.text.split(/\s+/u).length > NAME_WORDS) return null;
  return typed;
}

/** The beginning of an emoji's short name behind a colon, long enough to mean it: “:D” is a face already. */
export function emojiAt(text, caret) {
  const typed = matched(EMOJI, text, caret);
  return typed && (typed.text.length > 1 || /\p{Lo}/u.test(typed.text)) ? typed : null;
}

/** A short name between two colons. */
export function wholeEmojiAt(text, caret) {
  return matched(WHOLE_EMOJI, text, caret);
}

function matched(pattern, text, caret) {
  const from = Math.max(text.lastIndexOf("\n", caret - 1) + 1, caret - 2 * NAME_LENGTH);
  const found = pattern.exec(text.slice(from, caret));
  return found && { start: from + found.index, text: found[1] };
}
