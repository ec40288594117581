/**
 * URLs and e-mail addresses in messages. `text/links.py` is the equivalent on the server; `tests/shared/links.json` has
 * the cases for both.
 */

// Invisible and bidirectional control characters end a URL, so that the displayed text is the target.
const NEVER =
  '\\s<>"`\\u0000-\\u001f\\u007f-\\u00a0\\u00ad\\u061c\\u1680\\u180e\\u2000-\\u200f\\u2028-\\u202f\\u205f-\\u206f\\u3000\\ufeff';
const RUN = `[^${NEVER}]+`;
// URLs of other schemes are matched in order to skip an e-mail address inside them.
const LINK = new RegExp(
  `(?<web>(?<![A-Za-z0-9_])[hH][tT][tT][pP][sS]?:\\/\\/)${RUN}` +
    `|(?<other>(?<![A-Za-z0-9_+\\-])[A-Za-z][A-Za-z0-9+\\-]*:\\/\\/)${RUN}` +
    `|(?<www>(?<![A-Za-z0-9_.@\\/\\-])[wW][wW][wW]\\.)${RUN}` +
    `|(?<mail>(?<![A-Za-z0-9_.%+@\\/\\-])[A-Za-z0-9][A-Za-z0-9_.%+\\-]{0,63}@)[^${NEVER}!-,\\/:-@\\[-^\\{-~]+`,
  "gu",
);
const PREFIX = { web: "", www: "https://", mail: "mailto:" };
const TRAILING_PUNCTUATION = ".,:;!?'’*_~";
const BRACKETS = { ")": "(", "]": "[", "}": "{" };
const BRACKETS_MAX = 20; // bounds the time for a text of opening brackets
const AUTHORITY_MAX = 300;
// Quotation marks, brackets and sentence punctuation of any script, except punctuation that stands inside words.
const ENDS = /(?![\u0000-\u007f§··՚׳״་‧‰′″・･])[\p{Po}\p{Ps}\p{Pe}\p{Pi}\p{Pf}—―〜～]/u;
const LATIN = /^[A-Za-z0-9][A-Za-z0-9\u00c0-\u024f\u1e00-\u1eff\-]*/;

/**
 * Split a text into strings and `{url}` objects, with `text` if the URL is not displayed as it is. Only http, https and
 * mailto are recognised, so a link cannot run a script.
 */
export function splitLinks(text) {
  const found = [];
  let position = 0;
  LINK.lastIndex = 0;
  for (let match; (match = LINK.exec(text)); ) {
    const [kind, prefix] = Object.entries(match.groups).find(([, matched]) => matched);
    const start = match.index;
    const afterPrefix = start + prefix.length;
    const end = linkEnd(text, start, afterPrefix, start + match[0].length, kind);
    LINK.lastIndex = Math.max(end, afterPrefix);
    if (kind === "other" || end <= afterPrefix) continue;
    const shown = text.slice(start, end);
    found.push(text.slice(position, start), PREFIX[kind] ? { url: PREFIX[kind] + shown, text: shown } : { url: shown });
    position = end;
  }
  found.push(text.slice(position));
  return found.filter((piece) => piece !== "");
}

/** The end of the URL or e-mail address; `afterPrefix` or less if there is none. */
function linkEnd(text, start, afterPrefix, limit, kind) {
  const hostStart = kind === "www" ? start : afterPrefix;
  const [authority] = text.slice(hostStart, Math.min(limit, hostStart + AUTHORITY_MAX)).split(/[/?#\\]/, 1);
  const hostEnd = hostStart + hostLength(authority);
  let end = runEnd(text, start, afterPrefix, hostEnd < hostStart + authority.length ? hostEnd : limit);
  while (end > afterPrefix && TRAILING_PUNCTUATION.includes(text[end - 1])) end--;
  const labels = text.slice(hostStart, Math.min(end, hostEnd)).split(".");
  if (kind === "www" && (labels.length < 3 || labels.includes(""))) return afterPrefix;
  if (kind === "mail" && (!isMailDomain(labels) || /^[@:][A-Za-z0-9/~]/.test(text.slice(end, end + 2)))) return afterPrefix;
  return end;
}

/** The first position that cannot belong to the URL: punctuation that ends it, or a bracket without its pair. */
function runEnd(text, start, position, limit) {
  const isQuoted = /['‘]/.test(text[start - 1] ?? "");
  const opened = [];
  for (let character; position < limit; position += character.length) {
    character = String.fromCodePoint(text.codePointAt(position));
    const rest = text.slice(position + character.length, position + character.length + 3);
    if ("([{".includes(character)) {
      if (opened.push(position) > BRACKETS_MAX) break;
    } else if (character in BRACKETS) {
      if (!opened.length || text[opened.at(-1)] !== BRACKETS[character]) break;
      opened.pop();
    } else if (character === "'") {
      if (isQuoted && !/^[A-Za-z0-9_]/.test(rest)) break;
    } else if (",;!*~".includes(character)) {
      // “https://example.com/a,谢谢”: a comma of the sentence, typed with a Latin keyboard.
      if (/[A-Za-z0-9/]/.test(text[position - 1]) && /^[\p{Lo}\p{Lm}]/u.test(rest[0] === character ? rest.slice(1) : rest)) break;
    } else if (character === "’") {
      if (!/^[\p{Lu}\p{Ll}\p{Lt}]/u.test(rest)) break;
    } else if (ENDS.test(character)) break;
  }
  return opened[0] ?? position;
}

/** The length of the host with user and port. After a Latin top-level label no other script can follow. */
function hostLength(authority) {
  const start = authority.lastIndexOf("@") + 1;
  if (authority[start] === "[") return authority.length;
  const colon = authority.indexOf(":", start);
  let { length } = authority;
  const port = colon < 0 ? null : /^:([0-9]*)[^\u0000-\u007f]/.exec(authority.slice(colon));
  if (port) length = colon + (port[1] ? port[1].length + 1 : 0);
  const invalid = authority.slice(start, length).search(/[[({^|%$&+=;!'*~]/);
  if (invalid >= 0) length = start + invalid;
  const labels = authority.slice(start, colon < 0 ? length : Math.min(colon, length)).split(".");
  let place = start;
  for (const [number, label] of labels.entries()) {
    const latin = LATIN.exec(label)?.[0].length;
    if (latin < label.length && label.charCodeAt(latin) > 0x7f) {
      // “www.lg전자.com” is a host, but “example.com입니다.감사합니다” is one only up to “.com”.
      if (number === labels.length - 1 || (number && !LATIN.test(labels.at(-1)))) return place + latin;
    }
    place += label.length + 1;
  }
  return length;
}

function isMailDomain(labels) {
  return labels.length > 1 && !labels.includes("") && /^([\p{L}\p{M}]{2,}|xn--.*)$/u.test(labels.at(-1));
}
