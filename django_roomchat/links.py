"""Addresses in what people say. ``js/src/timeline/links.js`` does the same in the browser; ``tests/links.json`` holds both to it."""

from __future__ import annotations

import re
from collections.abc import Iterator

REL = "noopener noreferrer nofollow ugc"
"""Of every link that people make: their target learns nothing of this page and gets none of its fame."""

# Only http and https, so no script; and spelt out, because without regard to case “ſ” is an “s” for Python and not for
# browsers. Characters that are invisible or turn the direction of writing end an address: it leads where it says.
_LINK = re.compile(
    r"(?<![A-Za-z0-9_])[hH][tT][tT][pP][sS]?://"
    "[^\\s<>\"'`\x00-\x1f\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]+"
)
_AFTER_A_LINK = ".,:;!?…。、！？*_~"
_BRACKETS = {")": "(", "]": "[", "}": "{", "）": "（", "】": "【", "」": "「"}


def pieces(text: str) -> Iterator[tuple[str, bool]]:
    """The text in pieces, in their order, and whether each is an address."""
    position = 0
    for match in _LINK.finditer(text):
        url = _trimmed(match.group())
        if url.endswith("://"):
            continue
        if match.start() > position:
            yield text[position : match.start()], False
        yield url, True
        position = match.start() + len(url)
    if position < len(text):
        yield text[position:], False


def _trimmed(url: str) -> str:
    """Without the punctuation of the sentence around it; a bracket belongs to the address if it was opened in it."""
    while True:  # it ends at “://” at the latest
        last = url[-1]
        opening = _BRACKETS.get(last)
        if last not in _AFTER_A_LINK and (opening is None or url.count(opening) >= url.count(last)):
            return url
        url = url[:-1]
