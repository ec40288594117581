/** Begin when all that stands in an element has been parsed, unless it has left the page by then. */
export function whenParsed(element, callback) {
  if (document.readyState !== "loading") callback();
  else document.addEventListener("DOMContentLoaded", () => element.isConnected && callback(), { once: true });
}
