"""Where a text calls people by their names: ``@name``.

``js/src/timeline/mentions.js`` does the same in the browser; ``tests/mentions.json`` holds both to it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator

AT = r"(?<![\w.+-])@"
"""No call begins inside a word, or inside an e-mail address."""


def pieces(text: str, names: Collection[str]) -> Iterator[tuple[str, str]]:
    """The text in pieces, each with the name that it calls, which is empty where it calls nobody.

    Args:
        text: as it was written.
        names: whom it calls, as it calls them.
    """
    position = 0
    if names:
        longest_first = sorted(names, key=len, reverse=True)
        for match in re.finditer(f"{AT}({'|'.join(map(re.escape, longest_first))})", text):
            if may_end(match[1], text[match.end() : match.end() + 1]):
                if position < match.start():
                    yield text[position : match.start()], ""
                yield match[0], match[1]
                position = match.end()
    if position < len(text):
        yield text[position:], ""


def may_end(name: str, following: str) -> bool:
    """Can a name end here, before this character or before nothing?"""
    if not following or not _is_letter(following):
        return True
    # Scripts without capitals put what belongs to a name right behind it: “@민수님”.
    return unicodedata.category(name[-1]) == "Lo"


def _is_letter(character: str) -> bool:
    return character == "_" or unicodedata.category(character)[0] in "LMN"
