import { PersonRow } from "./person_row.js";

/** A list of people that can change while it is read. Rows keep their elements, so that the focus is not lost. */
export class PeopleList {
  #list;
  #template;
  #describe;
  #rows = new Map();

  /** @param describe `describe(person)` returns what a row shows beside the name, see {@link PersonRow} */
  constructor({ list, template, describe }) {
    this.#list = list;
    this.#template = template;
    this.#describe = describe;
  }

  get size() {
    return this.#rows.size;
  }

  /** Show these people in this order. */
  show(people) {
    const keys = new Set(people.map(({ key }) => key));
    for (const [key, { element }] of this.#rows) {
      if (keys.has(key)) continue;
      const hadFocus = element.contains(document.activeElement);
      element.remove();
      if (hadFocus) this.#list.closest("dialog")?.querySelector("[data-close]").focus();
      this.#rows.delete(key);
    }
    people.forEach((person, index) => {
      const row = this.#rows.get(person.key) ?? new PersonRow(this.#template);
      this.#rows.set(person.key, row);
      row.show(person, this.#describe(person));
      const current = this.#list.children[index];
      if (current !== row.element) this.#list.insertBefore(row.element, current ?? null);
    });
  }

  /** The person in the row that contains this element. */
  personAt(element) {
    return this.#rows.get(element.closest("li")?.dataset.key)?.person;
  }
}
