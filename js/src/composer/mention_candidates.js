import { hasWordPrefix, normalizeForSearch } from "../ui/normalize.js";

const DEBOUNCE_MS = 150;
const PEOPLE_MAX = 20; // page size of the server
const PREFIX_MAX = 100;
const NAME_LENGTH = 80;

/**
 * People who can be mentioned, by the beginning of a name or of a word in it: authors of messages in the page
 * immediately, all others when the server has answered.
 */
export class MentionCandidates {
  #getAuthors;
  #request;
  #clock;
  #timer;
  #results = new Map(); // by normalised prefix

  /**
   * @param getAuthors `getAuthors()` returns `{key, name}` of authors in the page, latest first
   * @param request `request(prefix)` resolves to `[{key, name}]`, or rejects
   */
  constructor({ getAuthors, request, clock }) {
    this.#getAuthors = getAuthors;
    this.#request = request;
    this.#clock = clock;
  }

  /**
   * @param text the typed part of a name
   * @param committed the part of it that no input method is composing: the server cannot search for half a syllable
   * @param isContinuation whether it continues the previous name
   * @param show `show(people)`, called immediately, and again when the server has answered
   */
  search({ text, committed = text, isContinuation }, show) {
    if (!isContinuation) this.#results.clear();
    const update = () => show(this.#matching(normalizeForSearch(text)));
    update();
    this.#clock.clearTimeout(this.#timer);
    const prefix = committed.slice(0, PREFIX_MAX);
    if (!this.#isComplete(normalizeForSearch(prefix))) this.#timer = this.#clock.setTimeout(() => this.#fetch(prefix, update), DEBOUNCE_MS);
  }

  async #fetch(prefix, update) {
    try {
      this.#results.set(normalizeForSearch(prefix), await this.#request(prefix));
      update();
    } catch {
      // The authors in the page are still shown.
    }
  }

  /** Whether the result for a shorter prefix was below the page size, so that it includes everything. */
  #isComplete(prefix) {
    return [...this.#results].some(([query, { length }]) => query === prefix || (length < PEOPLE_MAX && prefix.startsWith(query)));
  }

  #matching(prefix) {
    const results = [...this.#results.values()].flat();
    const isOtherUser = ({ key, name }) => results.some((other) => other.key !== key && normalizeForSearch(other.name) === normalizeForSearch(name));
    const people = new Map();
    // Of two people with the same name, the server mentions the one that it returns.
    for (const person of [...this.#getAuthors().filter((person) => !isOtherUser(person)), ...results]) {
      if (!people.has(person.key) && isMentionable(person.name)) people.set(person.key, person);
    }
    // Scripts without letter case have no spaces in personal names: “민준” also finds 김민준.
    const fits = /^\p{Lo}/u.test(prefix) ? (name) => name.includes(prefix) : (name) => hasWordPrefix(name, prefix);
    return [...people.values()].filter(({ name }) => fits(normalizeForSearch(name)));
  }
}

/** Whether the server would recognise the name after an `@`. */
function isMentionable(name) {
  return /^[\p{L}\p{N}_]/u.test(name) && [...name].length <= NAME_LENGTH;
}
