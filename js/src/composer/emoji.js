import { begins, fold } from "../ui/normalize.js";

const loading = new Map(); // by address, for all rooms of a page

/**
 * The emoji that there are, and what they are called: in the page's language and, always, in English.
 *
 * They are data (`static/django_roomchat/emoji/*.json`), fetched when they are first needed.
 */
export class EmojiNames {
  #urls;
  #book = null;

  /** @param urls of the English names and, if there are such, of those in the page's language */
  constructor(urls) {
    this.#urls = urls;
  }

  /** Resolves with an {@link EmojiBook}; rejects if the names cannot be had, and may be tried again. */
  async load() {
    if (this.#book) return this.#book;
    const [english, ...others] = this.#urls;
    if (!english) throw new Error("no names of emoji");
    const [all, own] = await Promise.all([fetched(english), others[0] && fetched(others[0]).catch(() => undefined)]);
    return (this.#book = new EmojiBook(all, own));
  }
}

export class EmojiBook {
  /** By the name of the group: its emoji, in order. */
  groups;
  #names = new Map();
  #terms = [];

  /** @param english, own files of names: `{groups: {group: {emoji: "name|other name"}}}` */
  constructor(english, own) {
    this.groups = new Map(Object.entries(english.groups).map(([group, names]) => [group, Object.keys(names)]));
    const translated = Object.assign({}, ...Object.values(own?.groups ?? {}));
    for (const [emoji, called] of Object.values(english.groups).flatMap(Object.entries)) {
      const terms = [...(translated[emoji]?.split("|") ?? []), ...called.split("|")];
      this.#names.set(emoji, terms[0]);
      this.#terms.push({ emoji, terms: terms.map((term) => ({ term, folded: fold(term) })) });
    }
  }

  nameOf(emoji) {
    return this.#names.get(emoji) ?? emoji;
  }

  /**
   * Emoji of which a name begins so: `[{emoji, name, term}]`, whose `term` is the name that does. First those that are
   * called exactly so, then by name, by another word for it, and by a word in the middle.
   */
  find(typed, limit = Infinity) {
    const wanted = fold(typed).trim();
    if (!wanted) return [];
    const found = [];
    for (const { emoji, terms } of this.#terms) {
      const ranks = terms.map(({ folded }, place) => rank(folded, wanted, place));
      const best = Math.min(...ranks);
      if (best < Infinity) found.push({ emoji, best, name: this.nameOf(emoji), term: terms[ranks.indexOf(best)].term });
    }
    // Sorting is stable: what ranks alike stays in the order that Unicode gives.
    return found.sort((one, other) => one.best - other.best).slice(0, limit);
  }

  /** The emoji that is called exactly so. */
  called(name) {
    const wanted = fold(name).trim();
    return this.#terms.find(({ terms }) => terms.some(({ folded }) => folded === wanted))?.emoji;
  }
}

function rank(term, wanted, place) {
  if (term === wanted) return 0;
  if (term.startsWith(wanted)) return place ? 2 : 1;
  return begins(term, wanted) ? 3 : Infinity;
}

function fetched(url) {
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
