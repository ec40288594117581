const ALLOWED_ELEMENTS = new Set("a blockquote br code del em hr li ol p pre s strong ul".split(" "));
const ALLOWED_URLS = /^(https?|mailto):/i;
const LIST_NUMBERS = { ol: "start", li: "value" };
const VOID = new Set(["br", "hr"]);
const WITHOUT_TEXT = new Set(["script", "style"]);
const TOKEN = /<(\/?)([a-z][a-z0-9]*)([^>]*)>|[^<]+|</g;
const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', nbsp: "\u00a0" };

/**
 * The nodes of text that the server has rendered and sanitised.
 *
 * The tags are read here and not by the browser's parser, which a page with Trusted Types does not allow. Elements and
 * attributes that are not on the lists above are removed here as well; their text is kept. Lists keep the numbers that were
 * typed.
 */
export function sanitizedNodes(html) {
  const nodes = [];
  const open = [];
  let skipped = false;
  for (const [token, closing, name, attributes] of html.matchAll(TOKEN)) {
    if (WITHOUT_TEXT.has(name)) skipped = !closing;
    if (skipped || (name && !ALLOWED_ELEMENTS.has(name))) continue;
    if (closing) {
      if (open.at(-1)?.localName === name) open.pop();
      continue;
    }
    const node = name ? element(name, attributes) : document.createTextNode(unescape(token));
    if (open.length) open.at(-1).append(node);
    else nodes.push(node);
    if (name && !VOID.has(name)) open.push(node);
  }
  return nodes;
}

function element(name, attributes) {
  const made = document.createElement(name);
  const value = (attribute) => unescape(new RegExp(`\\s${attribute}="([^"]*)"`).exec(attributes)?.[1] ?? "");
  if (name === "a" && ALLOWED_URLS.test(value("href"))) {
    made.href = value("href");
    made.target = "_blank";
    made.rel = "noopener noreferrer nofollow ugc";
  }
  const number = LIST_NUMBERS[name];
  if (number && /^[0-9]{1,9}$/.test(value(number))) made.setAttribute(number, value(number));
  return made;
}

function unescape(text) {
  return text.replace(/&(amp|lt|gt|quot|nbsp);/g, (_entity, name) => ENTITIES[name]);
}
