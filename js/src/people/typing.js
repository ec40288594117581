const SEND_EVERY_MS = 3_000; // the server forgets a typing user after 6 s

/** Show who is typing, and notify the server when the user types. */
export function typingFeature(room) {
  const { session, strings, signal } = room;
  const [element, input] = [room.part("typing"), room.part("composer")?.elements.body];
  const send = (on) => session.send({ type: "typing", on });
  const view = new TypingIndicator({ element, input, strings, send, signal });
  room.on("typing", (frame) => view.show(frame, session.you));
}

/** Shows who is typing, in a line whose space is reserved, and repeatedly notifies the server while the user types. */
export class TypingIndicator {
  #element;
  #strings;
  #send;
  #sentAt = -Infinity;

  /** @param element the line; @param send `send(on)` */
  constructor({ element, input, strings, send, signal }) {
    this.#element = element;
    this.#strings = strings;
    this.#send = send;
    input?.addEventListener("input", () => this.#onInput(input.value), { signal });
    input?.form.addEventListener("submit", () => (this.#sentAt = -Infinity), { signal });
  }

  /** @param frame `typing`: `{people, count}`; @param you `{key}` */
  show({ people, count }, you) {
    if (!this.#element) return;
    const others = people.filter(({ key }) => key !== you.key);
    const number = count - (people.length - others.length);
    const [one, other] = others.map(({ name }) => name);
    const wording = number < 1 || !one ? "" : this.#strings[["typing_one", "typing_two"][number - 1] ?? "typing_many"];
    const text = wording.replace("{name}", () => one).replace("{other}", () => other);
    if (this.#element.textContent !== text) this.#element.textContent = text;
  }

  #onInput(text) {
    const now = performance.now();
    if (!text.trim()) {
      if (this.#sentAt > -Infinity) this.#send(false);
      this.#sentAt = -Infinity;
    } else if (now - this.#sentAt >= SEND_EVERY_MS) {
      this.#send(true);
      this.#sentAt = now;
    }
  }
}
