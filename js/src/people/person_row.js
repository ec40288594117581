import { hue, initials } from "./avatars.js";

/** Somebody in a list of people: the `<li>` of `_people.html`. */
export class PersonRow {
  #part = (name) => this.element.querySelector(`[data-part="${name}"]`);

  constructor(template) {
    this.element = template.content.querySelector("li").cloneNode(true);
  }

  get person() {
    return this.#person;
  }

  #person;

  /**
   * @param person `{key, name}`
   * @param note what is said of them below the name
   * @param isYou it is who looks
   * @param hasActions something may be done about them
   */
  show(person, { note = "", isYou = false, hasActions = true } = {}) {
    this.#person = person;
    this.element.dataset.key = person.key;
    // A guest whom the room never heard has a key and no name.
    const name = person.name || person.key;
    const avatar = this.#part("avatar");
    avatar.dataset.hue = hue(person.key);
    avatar.textContent = initials(name);
    this.#part("name").textContent = name;
    this.#part("whom").textContent = name;
    this.#part("you").hidden = !isYou;
    this.#part("note").textContent = note;
    this.#part("note").hidden = !note;
    this.#part("person-actions").hidden = !hasActions;
  }
}
