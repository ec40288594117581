/**
 * Addresses in what people say. `django_roomchat/links.py` does the same for what the server renders; `tests/links.json`
 * holds both to it.
 */

// Characters that are invisible or turn the direction of writing end an address: it leads where it says.
const LINK =
  /(?<![A-Za-z0-9_])[hH][tT][tT][pP][sS]?:\/\/[^\s<>"'`\u0000-\u001f\u007f-\u00a0\u00ad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]+/g;
const TRAILING_PUNCTUATION = ".,:;!?…。、！？*_~";
const BRACKETS = { ")": "(", "]": "[", "}": "{", "）": "（", "】": "【", "」": "「" };

/** The text in pieces: strings, and `{url}` for what should become a link. Only http and https, so no script. */
export function splitLinks(text) {
  const found = [];
  let position = 0;
  for (const { 0: match, index } of text.matchAll(LINK)) {
    const url = trimUrl(match);
    if (url.endsWith("://")) continue;
    found.push(text.slice(position, index), { url });
    position = index + url.length;
  }
  found.push(text.slice(position));
  return found.filter((piece) => piece !== "");
}

/** Without the punctuation of the sentence around it; a bracket belongs to the address if it was opened in it. */
function trimUrl(url) {
  let end = url.length;
  while (end && (TRAILING_PUNCTUATION.includes(url[end - 1]) || endsWithUnopenedBracket(url.slice(0, end)))) end--;
  return url.slice(0, end);
}

function endsWithUnopenedBracket(url) {
  const last = url.at(-1);
  const opening = BRACKETS[last];
  return opening !== undefined && count(url, opening) < count(url, last);
}

function count(text, character) {
  return text.split(character).length - 1;
}
