import { hue, initials } from "./avatars.js";

/** A person in a list: the `<li>` of `_people.html`. */
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
   * @param person `{key, name, guest}`
   * @param note text below the name
   * @param isYou whether it is the user
   * @param hasActions whether there are actions on this person
   */
  show(person, { note = "", isYou = false, hasActions = true } = {}) {
    this.#person = person;
    this.element.dataset.key = person.key;
    this.element.toggleAttribute("data-guest", Boolean(person.guest));
    // A guest who never joined has a key but no name.
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
