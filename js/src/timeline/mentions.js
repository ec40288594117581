/**
 * Mentions in messages. `text/mention_syntax.py` is the equivalent on the server; `tests/shared/mentions.json` has the
 * cases for both.
 */

const NOT_IN = "a, code, pre";

/**
 * Split a text into strings and `{mention, key}` objects, whose `mention` is the name with its `@`.
 *
 * @param mentions `[{key, name}]` as in an event
 */
export function splitMentions(text, mentions) {
  if (!mentions?.length) return text ? [text] : [];
  const keys = new Map(mentions.map(({ key, name }) => [name, key]));
  const names = [...keys.keys()].sort((one, other) => other.length - one.length).map(escapeRegExp);
  const found = [];
  let position = 0;
  for (const { 0: match, 1: name, index } of text.matchAll(new RegExp(`(?<![\\p{L}\\p{N}_.+-])[@＠﹫](${names.join("|")})`, "gu"))) {
    if (!canEndMention(name, text.slice(index + match.length))) continue;
    found.push(text.slice(position, index), { mention: match, key: keys.get(name) });
    position = index + match.length;
  }
  found.push(text.slice(position));
  return found.filter((piece) => piece !== "");
}

/** The element of a mention, highlighted if it is the user. */
export function mentionElement({ mention, key }, you) {
  const element = document.createElement("span");
  element.className = "roomchat-mention";
  if (key === you?.key) element.dataset.me = "";
  element.textContent = mention;
  return element;
}

/** Highlight mentions in rendered text, except in code and links. */
export function highlightMentions(root, mentions, you) {
  if (!mentions?.length) return;
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) if (!walker.currentNode.parentElement.closest(NOT_IN)) texts.push(walker.currentNode);
  for (const text of texts) {
    const pieces = splitMentions(text.data, mentions);
    if (pieces.some(({ mention }) => mention)) text.replaceWith(...pieces.map((piece) => (piece.mention ? mentionElement(piece, you) : piece)));
  }
}

/** Scripts without letter case attach suffixes to a name: “@민수님”. “@Tom@mastodon.example” is an account elsewhere. */
function canEndMention(name, rest) {
  if (/^[@＠﹫][\p{L}\p{N}_-]+\.[\p{L}\p{N}_]/u.test(rest)) return false;
  return /\p{Lo}$/u.test(name) || !/^[\p{L}\p{M}\p{N}_]/u.test(rest);
}

function escapeRegExp(text) {
  return text.replace(/[\\^$.*+?()[\]{}|]/gu, "\\$&");
}
