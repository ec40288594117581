/**
 * Writes `static/django_roomchat/emoji/<language>.json`: which emoji there are, and what people call them.
 *
 *     cd js/emoji && npm ci && npm run build
 *
 * The names are those of Unicode's CLDR, the short names those of GitHub by way of emojibase. Its packages are large and
 * are needed for nothing else, so they are not among those of the client.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const TARGET = new URL("../../django_roomchat/static/django_roomchat/emoji/", import.meta.url);
const LANGUAGES = { en: "en", ko: "ko", ja: "ja", "zh-hans": "zh", es: "es", fr: "fr", de: "de", "pt-br": "pt", ar: "ar" };
const LARGEST_BYTES = 60_000;
const NEWEST = 16; // a newer one is an empty box on most people's screens
const GROUPS = { 0: "smileys", 1: "people", 3: "nature", 4: "food", 5: "travel", 6: "activities", 7: "objects", 8: "symbols", 9: "flags" };
const NOTE =
  "Names: Unicode CLDR 48.2, (c) Unicode, Inc., licence Unicode-3.0. Short names: emojibase 17, (c) Miles Johnson, licence MIT. In full: LICENSES.txt.";

const WORDS = { smileys: 2, people: 1, symbols: -9, flags: -9 }; // more or fewer than others have
const TOO_COMMON = 30; // a word that so many emoji share finds none of them

const JOINER = "\u200d";
/** Men and women of what is there for a person, and whoever walks to the right: a list to choose from is no shorter for them. */
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
  // Later versions have ten times as many words, most of them for what people may mean with an emoji.
  const keywords = read("cldr-keywords/annotations", cldr).annotations.annotations;
  const texts = Array.from({ length: 12 }, (_, words) => fileOf(language, names, keywords, words));
  const text = texts.findLast((text) => Buffer.byteLength(text) <= LARGEST_BYTES);
  writeFileSync(new URL(`${language}.json`, TARGET), text);
}

function fileOf(language, names, keywords, words) {
  const shared = new Map();
  for (const { default: some = [] } of Object.values(keywords)) for (const word of some) shared.set(word, (shared.get(word) ?? 0) + 1);
  const groups = Object.fromEntries(Object.values(GROUPS).map((name) => [name, {}]));
  for (const one of emoji) {
    const group = GROUPS[one.group];
    // “flag: South Korea” stands among flags.
    const name = names[bare(one.emoji)]?.tts?.[0].replace(group === "flags" ? /^[^:：]+[:：]\s*/u : "", "");
    if (!name) throw new Error(`${language} has no name for ${one.emoji} (${one.label})`);
    const short = language === "en" ? [shortNames[one.hexcode] ?? []].flat() : [];
    const others = keywords[bare(one.emoji)]?.default ?? names[bare(one.emoji)].default ?? [];
    const useful = others
      // What is the short name of one is no other word for another.
      .filter((word) => !word.includes("|") && !isShortName.has(word) && (shared.get(word) ?? 0) < TOO_COMMON)
      .sort((one, other) => (shared.get(other) ?? 0) - (shared.get(one) ?? 0));
    groups[group][shown(one)] = terms(name, short, useful, words + (WORDS[group] ?? 0)).join("|");
  }
  const lines = Object.entries(groups).map(([name, names]) => `${JSON.stringify(name)}:${JSON.stringify(names)}`);
  return `{"note":${JSON.stringify(NOTE)},\n"groups":{\n${lines.join(",\n")}\n}}\n`;
}

function read(folder, cldr) {
  return JSON.parse(readFileSync(require.resolve(`${folder}/${cldr}/annotations.json`)));
}

/** The name first, then other words for it that do not begin like one that is there already. */
function terms(name, short, keywords, words) {
  const found = [name.replaceAll("|", " ")];
  const known = () => found.join(" ").toLowerCase().split(/[\s_-]+/u);
  for (const term of short) {
    if (term.replaceAll("_", " ") !== name.toLowerCase()) found.push(term);
  }
  const most = found.length + Math.max(0, words);
  for (const word of keywords) {
    if (found.length >= most) break;
    const isKnown = found.some((term) => ` ${term}`.toLowerCase().includes(` ${word.toLowerCase()}`));
    if (!isKnown && !known().some((other) => other.startsWith(word.toLowerCase()))) found.push(word);
  }
  return found;
}

/** CLDR writes emoji without saying that they are to be shown in colour. */
function bare(text) {
  return text.replaceAll("\ufe0f", "");
}

/** With the sign that it is to be shown in colour only where it would not be without one. */
function shown({ emoji }) {
  return emoji.includes(JOINER) ? emoji : emoji.replace(/(?<=\p{Emoji_Presentation})\ufe0f$/u, "");
}
