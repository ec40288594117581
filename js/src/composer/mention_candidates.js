import { hasWordPrefix, normalizeForSearch } from "../ui/normalize.js";

const DEBOUNCE_MS = 150;
const PEOPLE_MAX = 20; // as many as the server tells at once
const PREFIX_MAX = 100;
const NAME_LENGTH = 80;

/**
 * Whom one can call in a room, by the beginning of a name or of a word in it: those who have said something in the page at
 * once, and everybody else when the server has answered.
 */
export class MentionCandidates {
  #getAuthors;
  #request;
  #clock;
  #timer;
  #results = new Map(); // by what was asked for, folded

  /**
   * @param seen `seen()`: `{key, name}` of those in the page, the latest first
   * @param ask `ask(prefix)`: resolves with `[{key, name}]`, or rejects
   */
  constructor({ getAuthors, request, clock }) {
    this.#getAuthors = getAuthors;
    this.#request = request;
    this.#clock = clock;
  }

  /**
   * @param text what has been typed of a name
   * @param settled what of it is not being composed by an input method: the server does not know half a syllable
   * @param goesOn the same name as before
   * @param show `show(people)`, called with everybody who is known now, and again when there are more
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
      // Those in the page are still there.
    }
  }

  /** Was so much told of a shorter beginning that nobody can be missing? */
  #isComplete(prefix) {
    return [...this.#results].some(([query, { length }]) => query === prefix || (length < PEOPLE_MAX && prefix.startsWith(query)));
  }

  #matching(prefix) {
    const results = [...this.#results.values()].flat();
    const isOtherUser = ({ key, name }) => results.some((other) => other.key !== key && normalizeForSearch(other.name) === normalizeForSearch(name));
    const people = new Map();
    // Of two with one name, the server calls the one that it tells of.
    for (const person of [...this.#getAuthors().filter((person) => !isOtherUser(person)), ...results]) {
      if (!people.has(person.key) && isMentionable(person.name)) people.set(person.key, person);
    }
    // Scripts without capitals have no space between the names of a person: “민준” is 김민준, too.
    const fits = /^\p{Lo}/u.test(prefix) ? (name) => name.includes(prefix) : (name) => hasWordPrefix(name, prefix);
    return [...people.values()].filter(({ name }) => fits(normalizeForSearch(name)));
  }
}

/** A name that the server would find behind an `@`. */
function isMentionable(name) {
  return /^[\p{L}\p{N}_]/u.test(name) && [...name].length <= NAME_LENGTH;
}
