"""Mention syntax: ``@name`` in a text.

``js/src/timeline/mentions.js`` is the counterpart in the browser; ``tests/shared/mentions.json`` tests both.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from html import unescape

from django_roomchat.text import links

AT = r"(?<![\w.+-])[@＠﹫]"
"""Start of a mention: the ASCII character, or one of those that East Asian input methods type. A mention does not begin
inside a word or inside an e-mail address.
"""
_HOST = re.compile(r"[@＠﹫][\w-]+\.\w")
_TAG = re.compile("(<[^>]*>)")
_UNMARKED = ("a", "code", "pre")


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
            if may_end(match[1], text[match.end() :]):
                if position < match.start():
                    yield text[position : match.start()], ""
                yield match[0], match[1]
                position = match.end()
    if position < len(text):
        yield text[position:], ""


def replace(text: str, names: Collection[str], new: str, *, others: Collection[str] = ()) -> str:
    """Replace the mentions of some names in a text. A longer name that begins with one of them is another name.

    Args:
        text: the text.
        names: names to replace, without the ``@``.
        new: the name that takes their place.
        others: further names that the text mentions, which stay.
    """
    kept = set(others) - set(names)
    return "".join(
        piece if not name or name in kept else piece[0] + new for piece, name in split(text, {*names, *kept})
    )


def may_end(name: str, rest: str) -> bool:
    """Return whether a mention can end before a text.

    Args:
        name: the mentioned name.
        rest: the text after the name; empty at the end of the text.
    """
    if _HOST.match(rest):  # the account of another server: “@Tom@mastodon.example”
        return False
    if not rest or not _is_letter(rest[0]):
        return True
    # Scripts without letter case append suffixes and particles directly to a name: “@민수님”.
    return unicodedata.category(name[-1]) == "Lo"


def _is_letter(character: str) -> bool:
    return character == "_" or unicodedata.category(character)[0] in "LMN"


def split_html(html: str) -> Iterator[tuple[str, bool]]:
    """Split rendered Markdown at its tags.

    Args:
        html: the HTML as :func:`django_roomchat.text.markdown.html` returns it.

    Returns:
        Pairs of a piece of the HTML and whether mentions can be marked in it: it is text outside of links and code.
    """
    inside = 0
    for place, piece in enumerate(_TAG.split(html)):
        if place % 2:
            if piece.strip("</>").partition(" ")[0] in _UNMARKED:
                inside += -1 if piece.startswith("</") else 1
            yield piece, False
        elif piece:
            yield piece, not inside


def markable_texts(body: str, html: str | None) -> Iterator[str]:
    """Return the parts of a message in which mentions are marked: all text outside of links and code.

    Args:
        body: the text of the message.
        html: the rendered Markdown of the message; ``None`` if it is displayed as plain text.
    """
    if html is None:
        yield from (piece for piece, url in links.split(body) if not url)
    else:
        yield from (unescape(piece) for piece, is_markable in split_html(html) if is_markable)
