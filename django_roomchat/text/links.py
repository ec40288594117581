"""URLs in user texts. ``js/src/timeline/links.js`` is the counterpart in the browser; ``tests/shared/links.json`` tests both."""

from __future__ import annotations

import re
from collections.abc import Iterator

REL = "noopener noreferrer nofollow ugc"
"""``rel`` attribute of links in user texts: the target receives no referrer and no ranking, and cannot script
the page.
"""

# Only http and https, which cannot run scripts. Both cases are spelt out, as re.IGNORECASE matches “ſ” with “s”
# and browsers do not. Invisible characters and bidirectional controls end a URL, so that a link cannot display
# another target than its own.
_LINK = re.compile(
    r"(?<![A-Za-z0-9_])[hH][tT][tT][pP][sS]?://"
    "[^\\s<>\"'`\x00-\x1f\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]+"
)
_AFTER_A_LINK = ".,:;!?…。、！？*_~"
_BRACKETS = {")": "(", "]": "[", "}": "{", "）": "（", "】": "【", "」": "「"}


def split(text: str) -> Iterator[tuple[str, bool]]:
    """Split a text at its URLs.

    Args:
        text: the text.

    Returns:
        Pairs of a piece and whether it is a URL, in the order of the text.
    """
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
    """Remove trailing punctuation of the sentence. A closing bracket is kept if the URL contains its opening bracket."""
    while True:  # ends at “://” at the latest
        last = url[-1]
        opening = _BRACKETS.get(last)
        if last not in _AFTER_A_LINK and (opening is None or url.count(opening) >= url.count(last)):
            return url
        url = url[:-1]
