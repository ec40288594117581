"""Mention syntax: ``@name`` in a text.

``js/src/timeline/mentions.js`` is the counterpart in the browser; ``tests/shared/mentions.json`` tests both.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator

AT = r"(?<![\w.+-])@"
"""Start of a mention. A mention does not begin inside a word or inside an e-mail address."""


def split(text: str, names: Collection[str]) -> Iterator[tuple[str, str]]:
    """Split a text at its mentions.

    Args:
        text: the text.
        names: names that the text mentions, without the ``@``.

    Returns:
        Pairs of a piece and the name that it mentions, in the order of the text. The name is empty for other text.
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
    """Return whether a mention can end before a character.

    Args:
        name: the mentioned name.
        following: the next character; empty at the end of the text.
    """
    if not following or not _is_letter(following):
        return True
    # Scripts without letter case append suffixes and particles directly to a name: “@민수님”.
    return unicodedata.category(name[-1]) == "Lo"


def _is_letter(character: str) -> bool:
    return character == "_" or unicodedata.category(character)[0] in "LMN"
