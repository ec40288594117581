/**
 * Generates `static/django_roomchat/emoji/<language>.json`: the emoji and their names.
 *
 *     cd js/emoji && npm ci && npm run build
 *
 * The names are from Unicode CLDR, the short names from GitHub by way of emojibase. The packages are large and used
 * only here, so the client does not depend on them.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const TARGET = new URL("../../django_roomchat/static/django_roomchat/emoji/", import.meta.url);
const LANGUAGES = { en: "en", ko: "ko", ja: "ja", "zh-hans": "zh", es: "es", fr: "fr", de: "de", "pt-br": "pt", ar: "ar" };
const LARGEST_BYTES = 60_000;
const NEWEST = 16; // newer versions are missing in the fonts of most devices
const GROUPS = { 0: "smileys", 1: "people", 3: "nature", 4: "food", 5: "travel", 6: "activities", 7: "objects", 8: "symbols", 9: "flags" };
const NOTE =
  "Names: Unicode CLDR 48.2, (c) Unicode, Inc., licence Unicode-3.0. Short names: emojibase 17, (c) Miles Johnson, licence MIT. In full: LICENSES.txt.";

const EXTRA_TERMS = { smileys: 2, people: 1, symbols: -9, flags: -9 }; // more or fewer terms than in other groups
const TOO_COMMON = 30; // a term that so many emoji share is not useful for searching

const JOINER = "\u200d";
/** Gender variants and people facing right, which would only make the picker longer. */
const IS_VARIANT = /\u200d[♀♂➡]|^(?:👨|👩|👬|👭|👫)\ufe0f?\u200d|^(?:👬|👭|👫)/u;

const emoji = require("emojibase-data/en/data.json")
  .filter(({ group, version, emoji }) => group in GROUPS && version <= NEWEST && !IS_VARIANT.test(emoji))
  .sort((one, other) => one.order - other.order);
const shortNames = require("emojibase-data/en/shortcodes/github.json");
const isShortName = new Set(Object.values(shortNames).flat());

mkdirSync(TARGET, { recursive: true });
for (const [language, cldr] of Object.entries(LANGUAGES)) {
  const names = {
    ...read("cldr-annotations-derived-full/annotationsDerived", cldr).annotationsDerived.annotations,
    ...read("cldr-annotations-full/annotations", cldr).annotations.annotations,
  };
  // Keywords are from CLDR 44: later versions have ten times as many, most of them for figurative meanings.
  const keywords = read("cldr-keywords/annotations", cldr).annotations.annotations;
  const texts = Array.from({ length: 12 }, (_, count) => generate(language, names, keywords, count));
  const text = texts.findLast((text) => Buffer.byteLength(text) <= LARGEST_BYTES);
  writeFileSync(new URL(`${language}.json`, TARGET), text);
}

function generate(language, names, keywords, count) {
  const shared = new Map();
  for (const { default: some = [] } of Object.values(keywords)) for (const word of some) shared.set(word, (shared.get(word) ?? 0) + 1);
  const groups = Object.fromEntries(Object.values(GROUPS).map((name) => [name, {}]));
  for (const one of emoji) {
    const group = GROUPS[one.group];
    // In the group of flags, “flag: South Korea” needs no prefix.
    const name = names[withoutSelectors(one.emoji)]?.tts?.[0].replace(group === "flags" ? /^[^:：]+[:：]\s*/u : "", "");
    if (!name) throw new Error(`${language} has no name for ${one.emoji} (${one.label})`);
    const short = language === "en" ? [shortNames[one.hexcode] ?? []].flat() : [];
    const others = keywords[withoutSelectors(one.emoji)]?.default ?? names[withoutSelectors(one.emoji)].default ?? [];
    const useful = others
      // The short name of an emoji is not a term of another one.
      .filter((word) => !word.includes("|") && !isShortName.has(word) && (shared.get(word) ?? 0) < TOO_COMMON)
      .sort((one, other) => (shared.get(other) ?? 0) - (shared.get(one) ?? 0));
    groups[group][withNeededSelectors(one)] = terms(name, short, useful, count + (EXTRA_TERMS[group] ?? 0)).join("|");
  }
  const lines = Object.entries(groups).map(([name, names]) => `${JSON.stringify(name)}:${JSON.stringify(names)}`);
  return `{"note":${JSON.stringify(NOTE)},\n"groups":{\n${lines.join(",\n")}\n}}\n`;
}

function read(folder, cldr) {
  return JSON.parse(readFileSync(require.resolve(`${folder}/${cldr}/annotations.json`)));
}

/** The name, then other terms, without those with which an included word already begins. */
function terms(name, short, keywords, count) {
  const found = [name.replaceAll("|", " ")];
  const known = () => found.join(" ").toLowerCase().split(/[\s_-]+/u);
  for (const term of short) {
    if (term.replaceAll("_", " ") !== name.toLowerCase()) found.push(term);
  }
  const most = found.length + Math.max(0, count);
  for (const word of keywords) {
    if (found.length >= most) break;
    const isKnown = found.some((term) => ` ${term}`.toLowerCase().includes(` ${word.toLowerCase()}`));
    if (!isKnown && !known().some((other) => other.startsWith(word.toLowerCase()))) found.push(word);
  }
  return found;
}

/** Remove variation selectors, which CLDR omits. */
function withoutSelectors(text) {
  return text.replaceAll("\ufe0f", "");
}

/** Keep the emoji presentation selector only where the emoji needs it. */
function withNeededSelectors({ emoji }) {
  return emoji.includes(JOINER) ? emoji : emoji.replace(/(?<=\p{Emoji_Presentation})\ufe0f$/u, "");
}
