import { hasWordPrefix, normalizeForSearch } from "../ui/normalize.js";

const loading = new Map(); // by URL, for all rooms of a page

/**
 * Loads the emoji and their names in English and in the page's language.
 *
 * The data is in `static/django_roomchat/emoji/*.json`, and is fetched when it is first needed.
 */
export class EmojiNames {
  #urls;
  #index = null;

  /** @param urls URL of the English names and, if available, of those in the page's language */
  constructor(urls) {
    this.#urls = urls;
  }

  /** Resolves to an {@link EmojiIndex}; rejects if the English names cannot be loaded, and may then be called again. */
  async load() {
    if (this.#index) return this.#index;
    const [english, ...others] = this.#urls;
    if (!english) throw new Error("no names of emoji");
    const [all, local] = await Promise.all([fetchJson(english), others[0] && fetchJson(others[0]).catch(() => undefined)]);
    return (this.#index = new EmojiIndex(all, local));
  }
}

export class EmojiIndex {
  /** By the name of the group: its emoji, in order. */
  groups;
  #names = new Map();
  #terms = [];

  /** @param english, local data files: `{groups: {group: {emoji: "name|other name"}}}` */
  constructor(english, local) {
    this.groups = new Map(Object.entries(english.groups).map(([group, names]) => [group, Object.keys(names)]));
    const translated = Object.assign({}, ...Object.values(local?.groups ?? {}));
    for (const [emoji, names] of Object.values(english.groups).flatMap(Object.entries)) {
      const terms = [...(translated[emoji]?.split("|") ?? []), ...names.split("|")];
      this.#names.set(emoji, terms[0]);
      this.#terms.push({ emoji, terms: terms.map((term) => ({ term, normalized: normalizeForSearch(term) })) });
    }
  }

  nameOf(emoji) {
    return this.#names.get(emoji) ?? emoji;
  }

  /**
   * Find emoji by the beginning of a name: `[{emoji, name, term}]`, whose `term` is the matching name. Exact matches
   * come first, then names, other terms, and words inside a term.
   */
  find(text, limit = Infinity) {
    const query = normalizeForSearch(text).trim();
    if (!query) return [];
    const found = [];
    for (const { emoji, terms } of this.#terms) {
      const ranks = terms.map(({ normalized }, index) => rank(normalized, query, index));
      const best = Math.min(...ranks);
      if (best < Infinity) found.push({ emoji, best, name: this.nameOf(emoji), term: terms[ranks.indexOf(best)].term });
    }
    // Sorting is stable: equal ranks keep the order of Unicode.
    return found.sort((one, other) => one.best - other.best).slice(0, limit);
  }

  /** The emoji with exactly this name. */
  byName(name) {
    const query = normalizeForSearch(name).trim();
    return this.#terms.find(({ terms }) => terms.some(({ normalized }) => normalized === query))?.emoji;
  }
}

function rank(term, query, index) {
  if (term === query) return 0;
  if (term.startsWith(query)) return index ? 2 : 1;
  return hasWordPrefix(term, query) ? 3 : Infinity;
}

function fetchJson(url) {
  if (!loading.has(url)) {
    const answer = fetch(url).then((response) => {
      if (!response.ok) throw new Error(`${response.status} for ${url}`);
      return response.json();
    });
    loading.set(url, answer);
    answer.catch(() => loading.delete(url));
  }
  return loading.get(url);
}
