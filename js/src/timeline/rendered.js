const ALLOWED_ELEMENTS = new Set(
  "a b blockquote br code del em h1 h2 h3 h4 h5 h6 hr i li ol p pre s span strong table tbody td th thead tr ul".split(" "),
);
const ALLOWED_URLS = /^(https?|mailto):/i;
const LIST_NUMBERS = { ol: "start", li: "value" };

/**
 * The nodes of text that the server has rendered and sanitised. Elements that are not on the allow-list are removed
 * here as well; their text is kept. Lists keep the numbers that were typed.
 */
export function sanitizedNodes(html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  return [...parsed.body.childNodes].flatMap(sanitize);
}

function sanitize(node) {
  if (node.nodeType === Node.TEXT_NODE) return [document.createTextNode(node.data)];
  if (node.nodeType !== Node.ELEMENT_NODE) return [];
  const children = [...node.childNodes].flatMap(sanitize);
  if (!ALLOWED_ELEMENTS.has(node.localName)) return ["script", "style"].includes(node.localName) ? [] : children;
  const copy = document.createElement(node.localName);
  if (node.localName === "a" && ALLOWED_URLS.test(node.getAttribute("href") ?? "")) {
    copy.href = node.getAttribute("href");
    copy.target = "_blank";
    copy.rel = "noopener noreferrer nofollow ugc";
  }
  const number = LIST_NUMBERS[node.localName];
  if (number && /^[0-9]{1,9}$/.test(node.getAttribute(number) ?? "")) copy.setAttribute(number, node.getAttribute(number));
  copy.append(...children);
  return [copy];
}
