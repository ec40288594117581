/** URLs in messages. `text/links.py` is the equivalent on the server; `tests/shared/links.json` has the cases for both. */

// Invisible and bidirectional control characters end a URL, so that the displayed text is the target.
const LINK =
  /(?<![A-Za-z0-9_])[hH][tT][tT][pP][sS]?:\/\/[^\s<>"'`\u0000-\u001f\u007f-\u00a0\u00ad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]+/g;
const TRAILING_PUNCTUATION = ".,:;!?…。、！？*_~";
const BRACKETS = { ")": "(", "]": "[", "}": "{", "）": "（", "】": "【", "」": "「" };

/** Split a text into strings and `{url}` objects. Only http and https are recognised, so a link cannot run a script. */
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

/** Remove trailing punctuation. A closing bracket belongs to the URL if it was opened in it. */
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
