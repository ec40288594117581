const TELL_EVERY_MS = 3_000; // the server forgets a typist after 6 s

/** Who types, in a line that keeps its place; and telling the others that we do, now and then. */
export class Typing {
  #element;
  #words;
  #tell;
  #told = -Infinity;

  /** @param element the line; @param tell `tell(on)` */
  constructor({ element, input, words, tell, signal }) {
    this.#element = element;
    this.#words = words;
    this.#tell = tell;
    input?.addEventListener("input", () => this.#typed(input.value), { signal });
    input?.form.addEventListener("submit", () => (this.#told = -Infinity), { signal });
  }

  /** @param frame `typing`: `{people, count}`; @param you `{key}` */
  show({ people, count }, you) {
    if (!this.#element) return;
    const others = people.filter(({ key }) => key !== you.key);
    const number = count - (people.length - others.length);
    const [one, other] = others.map(({ name }) => name);
    const wording = number < 1 || !one ? "" : this.#words[["typing_one", "typing_two"][number - 1] ?? "typing_many"];
    const text = wording.replace("{name}", () => one).replace("{other}", () => other);
    if (this.#element.textContent !== text) this.#element.textContent = text;
  }

  #typed(text) {
    const now = performance.now();
    if (!text.trim()) {
      if (this.#told > -Infinity) this.#tell(false);
      this.#told = -Infinity;
    } else if (now - this.#told >= TELL_EVERY_MS) {
      this.#tell(true);
      this.#told = now;
    }
  }
}
