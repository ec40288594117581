/** Who is here: everybody by name, as long as they are not a crowd, and always how many. */
export class PresenceView extends EventTarget {
  #button;
  #shown;
  #people = new Map();
  #count = null;

  /** @param button shows the number; it is the way to the list */
  constructor({ button }) {
    super();
    this.#button = button;
    this.#shown = button.querySelector('[data-part="present-count"]');
  }

  /** How many; null as long as nobody has said it. */
  get count() {
    return this.#count;
  }

  /** Those whose names are known: `{key, name}`. */
  get people() {
    return [...this.#people.values()];
  }

  /**
   * `change` is dispatched when this is done.
   *
   * @param frame `presence`: `{count, here}` is everybody, `{count, joined, left}` a change, `{count}` a crowd
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
