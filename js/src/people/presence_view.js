/** The people who are present: their number, and their names unless there are too many. */
export class PresenceView extends EventTarget {
  #button;
  #shown;
  #people = new Map();
  #count = null;

  /** @param button shows the number and opens the list */
  constructor({ button }) {
    super();
    this.#button = button;
    this.#shown = button.querySelector('[data-part="present-count"]');
  }

  /** The number of people; null before the first frame `presence`. */
  get count() {
    return this.#count;
  }

  /** The people whose names are known: `{key, name}`. */
  get people() {
    return [...this.#people.values()];
  }

  /**
   * Handle the frame `presence`, then dispatch `change`.
   *
   * @param frame `{count, here}` is the complete list, `{count, joined, left}` a change, `{count}` only the number
   */
  show({ count, here, joined, left }) {
    if (here || !(joined || left)) this.#people.clear();
    for (const person of [...(here ?? []), ...(joined ?? [])]) this.#people.set(person.key, person);
    for (const key of left ?? []) this.#people.delete(key);
    this.#count = count;
    this.#button.hidden = false;
    if (this.#shown.textContent !== String(count)) this.#shown.textContent = count;
    this.dispatchEvent(new CustomEvent("change"));
  }
}
