/**
 * Normalise a text for searching: case, accents and equivalent code points are ignored.
 *
 * NFKD decomposes Korean syllables into letters, so that a partly typed syllable is a prefix of the complete one:
 * “ㅁ”, “미” and “민” are all prefixes of “민준”.
 */
export function normalizeForSearch(text) {
  return text
    .normalize("NFKD")
    .replace(/\p{Mn}/gu, "")
    .toLowerCase()
    .replace(/[\s_-]+/gu, " ");
}

/** Whether the text or a word in it begins with the prefix. Both are normalised. */
export function hasWordPrefix(text, prefix) {
  return ` ${text}`.includes(` ${prefix}`);
}
