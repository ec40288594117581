/** The reactions to a message: a button per emoji with its count, pressed if the user has reacted with it. */
export class ReactionsView {
  #element;

  /** @param element the part "reactions" of a message; a custom template may have none */
  constructor(element) {
    this.#element = element;
  }

  /** @param reactions `{emoji: {count, keys}}`, or nothing; `you` `{key}` */
  show(reactions, you) {
    if (!this.#element) return;
    const entries = Object.entries(reactions ?? {});
    this.#element.hidden = !entries.length;
    const existing = new Map(Array.from(this.#element.children, (button) => [button.dataset.emoji, button]));
    // Existing buttons are kept, so that the focus is not lost.
    const buttons = entries.map(([emoji, { count, keys }]) => {
      const button = existing.get(emoji) ?? this.#button(emoji);
      button.querySelector("span").textContent = count;
      button.setAttribute("aria-pressed", String(keys.includes(you?.key)));
      return button;
    });
    for (const [emoji, button] of existing) if (!reactions?.[emoji]) button.remove();
    buttons.forEach((button, index) => {
      if (this.#element.children[index] !== button) this.#element.insertBefore(button, this.#element.children[index] ?? null);
    });
  }

  #button(emoji) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "roomchat-reaction";
    button.dataset.emoji = emoji;
    button.append(emoji, " ", document.createElement("span"));
    return button;
  }
}
