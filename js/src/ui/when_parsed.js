/** Begin when all that stands in an element has been parsed, unless it has left the page by then. */
export function whenParsed(element, begin) {
  if (document.readyState !== "loading") begin();
  else document.addEventListener("DOMContentLoaded", () => element.isConnected && begin(), { once: true });
}
