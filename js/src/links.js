/**
 * Addresses in what people say. `templatetags/roomchat.py` does the same for what the server renders.
 */

const LINK = /(?<![A-Za-z0-9_])https?:\/\/[^\s<>"'`]+/gi;
const AFTER_A_LINK = ".,:;!?…。、！？*_~";
const BRACKETS = { ")": "(", "]": "[", "}": "{", "）": "（", "】": "【", "」": "「" };

/** The text in pieces: strings, and `{url}` for what should become a link. Only http and https, so no script. */
export function pieces(text) {
  const found = [];
  let position = 0;
  for (const { 0: match, index } of text.matchAll(LINK)) {
    const url = trimmed(match);
    if (url.endsWith("://")) continue;
    found.push(text.slice(position, index), { url });
    position = index + url.length;
  }
  found.push(text.slice(position));
  return found.filter((piece) => piece !== "");
}

/** Without the punctuation of the sentence around it; a bracket belongs to the address if it was opened in it. */
function trimmed(url) {
  let end = url.length;
  while (end && (AFTER_A_LINK.includes(url[end - 1]) || closesNothing(url.slice(0, end)))) end--;
  return url.slice(0, end);
}

function closesNothing(url) {
  const last = url.at(-1);
  const opening = BRACKETS[last];
  return opening !== undefined && count(url, opening) < count(url, last);
}

function count(text, character) {
  return text.split(character).length - 1;
}
