import { begins, fold } from "../ui/normalize.js";

const ASK_AFTER_MS = 150;
const PEOPLE_MAX = 20; // as many as the server tells at once
const PREFIX_MAX = 100;
const NAME_LENGTH = 80;

/**
 * Whom one can call in a room, by the beginning of a name or of a word in it: those who have said something in the page at
 * once, and everybody else when the server has answered.
 */
export class Callable {
  #seen;
  #ask;
  #clock;
  #timer;
  #told = new Map(); // by what was asked for, folded

  /**
   * @param seen `seen()`: `{key, name}` of those in the page, the latest first
   * @param ask `ask(prefix)`: resolves with `[{key, name}]`, or rejects
   */
  constructor({ seen, ask, clock }) {
    this.#seen = seen;
    this.#ask = ask;
    this.#clock = clock;
  }

  /**
   * @param text what has been typed of a name
   * @param settled what of it is not being composed by an input method: the server does not know half a syllable
   * @param goesOn the same name as before
   * @param show `show(people)`, called with everybody who is known now, and again when there are more
   */
  search({ text, settled = text, goesOn }, show) {
    if (!goesOn) this.#told.clear();
    const tell = () => show(this.#known(fold(text)));
    tell();
    this.#clock.clearTimeout(this.#timer);
    const prefix = settled.slice(0, PREFIX_MAX);
    if (!this.#isKnown(fold(prefix))) this.#timer = this.#clock.setTimeout(() => this.#find(prefix, tell), ASK_AFTER_MS);
  }

  async #find(prefix, tell) {
    try {
      this.#told.set(fold(prefix), await this.#ask(prefix));
      tell();
    } catch {
      // Those in the page are still there.
    }
  }

  /** Was so much told of a shorter beginning that nobody can be missing? */
  #isKnown(prefix) {
    return [...this.#told].some(([asked, { length }]) => asked === prefix || (length < PEOPLE_MAX && prefix.startsWith(asked)));
  }

  #known(prefix) {
    const told = [...this.#told.values()].flat();
    const isSomebodyElse = ({ key, name }) => told.some((other) => other.key !== key && fold(other.name) === fold(name));
    const people = new Map();
    // Of two with one name, the server calls the one that it tells of.
    for (const person of [...this.#seen().filter((person) => !isSomebodyElse(person)), ...told]) {
      if (!people.has(person.key) && isCallable(person.name)) people.set(person.key, person);
    }
    // Scripts without capitals have no space between the names of a person: “민준” is 김민준, too.
    const fits = /^\p{Lo}/u.test(prefix) ? (name) => name.includes(prefix) : (name) => begins(name, prefix);
    return [...people.values()].filter(({ name }) => fits(fold(name)));
  }
}

/** A name that the server would find behind an `@`. */
function isCallable(name) {
  return /^[\p{L}\p{N}_]/u.test(name) && [...name].length <= NAME_LENGTH;
}
