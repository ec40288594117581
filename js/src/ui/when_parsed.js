/** Call back when the children of an element have been parsed, unless the element has been removed by then. */
export function whenParsed(element, callback) {
  if (document.readyState !== "loading") callback();
  else document.addEventListener("DOMContentLoaded", () => element.isConnected && callback(), { once: true });
}
