"""URLs and e-mail addresses in user texts.

``js/src/timeline/links.js`` is the counterpart in the browser; ``tests/shared/links.json`` tests both.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

REL = "noopener noreferrer nofollow ugc"
"""``rel`` attribute of links in user texts: the target receives no referrer and no ranking, and cannot script
the page.
"""

# Invisible characters and bidirectional controls end a URL, so that a link cannot display another target than its own.
_NEVER = '\\s<>"`\x00-\x1f\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff'
_RUN = f"[^{_NEVER}]+"
# Only http and https, which cannot run scripts. Both cases are spelt out, as re.IGNORECASE matches “ſ” with “s”
# and browsers do not. URLs of other schemes are matched in order to skip an e-mail address inside them.
_LINK = re.compile(
    rf"(?P<web>(?<![A-Za-z0-9_])[hH][tT][tT][pP][sS]?://){_RUN}"
    rf"|(?P<other>(?<![A-Za-z0-9_+-])[A-Za-z][A-Za-z0-9+-]*://){_RUN}"
    rf"|(?P<www>(?<![A-Za-z0-9_.@/-])[wW][wW][wW]\.){_RUN}"
    r"|(?P<mail>(?<![A-Za-z0-9_.%+@/-])[A-Za-z0-9][A-Za-z0-9_.%+-]{0,63}@)"
    rf"[^{_NEVER}!-,/:-@\[-^{{-~]+"
)
_AFTER_A_LINK = ".,:;!?'’*_~"
_BRACKETS = {")": "(", "]": "[", "}": "{"}
_BRACKETS_MAX = 20
"""Maximum depth of brackets in a URL. It bounds the time for a text that consists of opening brackets."""
_AUTHORITY_MAX = 300
"""Maximum length of user, host and port. A host name has at most 253 characters."""
_PUNCTUATION = frozenset(("Po", "Ps", "Pe", "Pi", "Pf"))
_INSIDE_WORDS = frozenset("§··՚׳״་‧‰′″・･")
"""Punctuation that stands inside words, such as the middle dot of Catalan and Japanese."""
_DASHES = frozenset("—―〜～")
_LATIN = re.compile("[A-Za-z0-9][A-Za-z0-9\u00c0-\u024f\u1e00-\u1eff-]*")
_AFTER_HOST = re.compile(r"[/?#\\]")
_NOT_IN_HOST = re.compile(r"[\[({^|%$&+=;!'*~]")
_PORT = re.compile(":[0-9]*(?=[^\x00-\x7f])")


def split(text: str) -> Iterator[tuple[str, str]]:
    """Split a text at its URLs and e-mail addresses.

    Args:
        text: the text.

    Returns:
        Pairs of a piece and the URL that it links to, in the order of the text. The URL is empty for other text.
    """
    position = searched = 0
    while match := _LINK.search(text, searched):
        kind = match.lastgroup or ""
        end = _end(text, match.start(), match.end(kind), match.end(), kind)
        searched = max(end, match.end(kind))
        if kind == "other" or end <= match.end(kind):
            continue
        piece = text[match.start() : end]
        if match.start() > position:
            yield text[position : match.start()], ""
        yield piece, {"www": "https://", "mail": "mailto:"}.get(kind, "") + piece
        position = end
    if position < len(text):
        yield text[position:], ""


def _end(text: str, start: int, after_prefix: int, limit: int, kind: str) -> int:
    """Return the end of the URL or e-mail address, at most *limit*; *after_prefix* or less if there is none."""
    host_start = start if kind == "www" else after_prefix
    authority = _AFTER_HOST.split(text[host_start : min(limit, host_start + _AUTHORITY_MAX)], maxsplit=1)[0]
    host_end = host_start + _host_length(authority)
    if host_end < host_start + len(authority):
        limit = host_end
    end = _end_of_run(text, start, after_prefix, limit)
    while end > after_prefix and text[end - 1] in _AFTER_A_LINK:
        end -= 1
    labels = text[host_start : min(end, host_end)].split(".")
    if kind == "www" and (len(labels) < 3 or not all(labels)):
        return after_prefix
    if kind == "mail" and not (
        _is_mail_domain(labels) and not re.match("[@:][A-Za-z0-9/~]", text[end : end + 2])
    ):
        return after_prefix
    return end


def _end_of_run(text: str, start: int, position: int, limit: int) -> int:
    """Return the first position that cannot belong to the URL: punctuation that ends it, or a bracket without its pair."""
    is_quoted = start > 0 and text[start - 1] in "'‘"
    opened: list[int] = []
    while position < limit:
        character = text[position]
        following = text[position + 1 : position + 2]
        if character in "([{":
            opened.append(position)
            if len(opened) > _BRACKETS_MAX:
                break
        elif character in ")]}":
            if not opened or text[opened[-1]] != _BRACKETS[character]:
                break
            opened.pop()
        elif character == "'":
            if is_quoted and not re.match("[A-Za-z0-9_]", following):
                break
        elif character in ",;!*~":
            # “https://example.com/a,谢谢”: a comma of the sentence, typed with a Latin keyboard.
            following = text[position + 2 : position + 3] if following == character else following
            if re.match("[A-Za-z0-9/]", text[position - 1]) and _category(following) in ("Lo", "Lm"):
                break
        elif character == "’":
            if _category(following) not in ("Lu", "Ll", "Lt"):
                break
        elif not character.isascii() and _ends(character):
            break
        position += 1
    return opened[0] if opened else position


def _ends(character: str) -> bool:
    """Return whether a character is a quotation mark, a bracket or sentence punctuation of any script."""
    return character in _DASHES or (
        unicodedata.category(character) in _PUNCTUATION and character not in _INSIDE_WORDS
    )


def _host_length(authority: str) -> int:
    """Return the length of the host with user and port. After a Latin top-level label no other script can follow."""
    start = authority.rfind("@") + 1
    if authority.startswith("[", start):
        return len(authority)
    colon = authority.find(":", start)
    length = len(authority)
    if colon >= 0 and (port := _PORT.match(authority, colon)):
        length = colon if port.end() == colon + 1 else port.end()
    name_end = length if colon < 0 else colon
    if not_in_host := _NOT_IN_HOST.search(authority, start, length):
        length = not_in_host.start()
        name_end = min(name_end, length)
    labels = authority[start:name_end].split(".")
    place = start
    for number, label in enumerate(labels):
        latin = _LATIN.match(label)
        if latin and latin.end() < len(label) and not label[latin.end()].isascii():
            # “www.lg전자.com” is a host, but “example.com입니다.감사합니다” is one only up to “.com”.
            is_last = number == len(labels) - 1
            if is_last or (number and not _LATIN.match(labels[-1])):
                return place + latin.end()
        place += len(label) + 1
    return length


def _is_mail_domain(labels: list[str]) -> bool:
    last = labels[-1]
    is_top_level = len(last) > 1 and all(_category(character)[0] in "LM" for character in last)
    return len(labels) > 1 and all(labels) and (is_top_level or last.startswith("xn--"))


def _category(character: str) -> str:
    return unicodedata.category(character) if character else "Zs"
