/**
 * A text as one looks for it: without case, accents and the ways in which the same is written.
 *
 * Korean syllables come apart into their letters, so that what stands there halfway through a syllable begins the name that
 * it will become: “ㅁ”, “미” and “민” all begin “민준”.
 */
export function normalizeForSearch(text) {
  return text
    .normalize("NFKD")
    .replace(/\p{Mn}/gu, "")
    .toLowerCase()
    .replace(/[\s_-]+/gu, " ");
}

/** Does the text, or a word in it, begin so? Both folded. */
export function hasWordPrefix(text, prefix) {
  return ` ${text}`.includes(` ${prefix}`);
}
