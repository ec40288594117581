/** Elements and texts that write themselves as HTML, for tests of the code that makes them. */

const ESCAPED = { "<": "&lt;", ">": "&gt;", "&": "&amp;", '"': "&quot;", "\u00a0": "&nbsp;" };
const VOID = new Set(["br"]);

class FakeText {
  constructor(data) {
    this.data = data;
  }

  get textContent() {
    return this.data;
  }

  get outerHTML() {
    return this.data.replace(/[<>&\u00a0]/g, (character) => ESCAPED[character]);
  }
}

class FakeElement {
  childNodes = [];
  #attributes = new Map();

  constructor(localName) {
    this.localName = localName;
    for (const name of ["href", "target", "rel"]) {
      Object.defineProperty(this, name, { set: (value) => this.setAttribute(name, value), get: () => this.getAttribute(name) });
    }
  }

  getAttribute(name) {
    return this.#attributes.get(name) ?? null;
  }

  setAttribute(name, value) {
    this.#attributes.set(name, String(value));
  }

  append(...nodes) {
    this.childNodes.push(...nodes);
  }

  get textContent() {
    return this.childNodes.map((node) => node.textContent).join("");
  }

  get outerHTML() {
    const attributes = [...this.#attributes].map(([name, value]) => ` ${name}="${value.replace(/[&"]/g, (character) => ESCAPED[character])}"`);
    const open = `<${this.localName}${attributes.join("")}>`;
    return VOID.has(this.localName) ? open : `${open}${this.childNodes.map((node) => node.outerHTML).join("")}</${this.localName}>`;
  }
}

export const fakeDocument = {
  createElement: (name) => new FakeElement(name),
  createTextNode: (data) => new FakeText(data),
};
