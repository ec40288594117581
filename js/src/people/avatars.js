/** Colour and initials of a person without a picture. `templatetags/roomchat.py` is the equivalent on the server. */

const HUES = 12;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** The permanent colour number of a person: FNV-1a of the key, modulo the number of colours. */
export function hue(key) {
  let number = FNV_OFFSET;
  for (const byte of new TextEncoder().encode(key)) number = Math.imul(number ^ byte, FNV_PRIME) >>> 0;
  return number % HUES;
}

/** One or two characters: the first ones of the first and the last word if both are letters, otherwise the first one. */
export function initials(name) {
  const words = name.trim().split(/\s+/u);
  const [first, last] = [words[0], words.at(-1)].map((word) => String.fromCodePoint(word.codePointAt(0) ?? 0x20));
  const letter = /\p{L}/u;
  return (words.length > 1 && letter.test(first) && letter.test(last) ? first + last : first).trim().toUpperCase();
}
