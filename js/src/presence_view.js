/** Who is here: a number in the header, and a list behind it. */
export class PresenceView {
  #button;
  #count;
  #list;
  #people = new Map();

  /** @param button shows the number and opens the popover; @param list an empty list within it */
  constructor({ button, panel, signal }) {
    this.#button = button;
    this.#count = button.querySelector('[data-part="present-count"]');
    this.#list = panel.querySelector("ul");
    button.addEventListener("click", () => panel.togglePopover(), { signal });
    panel.addEventListener("toggle", ({ newState }) => button.setAttribute("aria-expanded", String(newState === "open")), {
      signal,
    });
  }

  /** @param frame `presence`: `{count, here}` is everybody, `{count, joined, left}` a change, `{count}` a crowd */
  show({ count, here, joined, left }) {
    if (here || !(joined || left)) this.#people.clear();
    for (const person of [...(here ?? []), ...(joined ?? [])]) this.#people.set(person.key, person);
    for (const key of left ?? []) this.#people.delete(key);
    this.#button.hidden = false;
    if (this.#count.textContent !== String(count)) this.#count.textContent = count;
    this.#button.disabled = !this.#people.size;
    const names = [...this.#people.values()].map(({ name }) => name).sort((one, other) => one.localeCompare(other));
    this.#list.replaceChildren(...names.map(item));
  }
}

function item(name) {
  const element = document.createElement("li");
  element.dir = "auto";
  element.textContent = name;
  return element;
}
