/** A small DOM that parses and writes the HTML of rendered Markdown, for tests of the code that copies it. */

const UNESCAPED = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"', "&nbsp;": "\u00a0" };
const ESCAPED = Object.fromEntries(Object.entries(UNESCAPED).map(([entity, character]) => [character, entity]));
const VOID = new Set(["br"]);

class FakeText {
  nodeType = 3;

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
  nodeType = 1;
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

export class FakeDOMParser {
  parseFromString(html) {
    const stack = [new FakeElement("body")];
    for (const [piece] of html.matchAll(/<[^>]*>|[^<]+/g)) {
      const top = stack.at(-1);
      if (piece.startsWith("</")) stack.pop();
      else if (piece.startsWith("<")) {
        const element = new FakeElement(/^<(\w+)/.exec(piece)[1]);
        for (const [, name, value] of piece.matchAll(/([\w-]+)="([^"]*)"/g)) element.setAttribute(name, unescape(value));
        top.append(element);
        if (!VOID.has(element.localName)) stack.push(element);
      } else top.append(new FakeText(unescape(piece)));
    }
    return { body: stack[0] };
  }
}

function unescape(text) {
  return text.replace(/&\w+;/g, (entity) => UNESCAPED[entity] ?? entity);
}
