"""Search patterns: regular expressions that ignore case, diacritics, width, composition and typographic variants.

Patterns list every other form of each letter, because SQLite, and PostgreSQL with the locale ``C``, ignore case for ASCII
letters only, and only some databases can ignore diacritics. A column of folded texts would search faster, but every message
would be stored twice, and every change of a text would have to change both.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache

from django.utils.translation import gettext_noop as _

from django_roomchat.errors import BadValue
from django_roomchat.text import values

QUERY_MAX_LENGTH = 200
WORDS_MAX = 8

_BLANKS = dict.fromkeys(map(ord, "\t\n\r"), " ")
_QUOTES = '"“”„‟«»‹›「」『』〝〞〟＂'
_APOSTROPHES = "'‘’‚‛ʼ＇´′"
_DASHES = "-‐‑‒–—―−"
_PHRASES = re.compile(
    rf"[{_QUOTES}]([^{_QUOTES}]*)[{_QUOTES}]"
    rf"|(?<!\S)[{_APOSTROPHES}]([^{_APOSTROPHES}]*)[{_APOSTROPHES}](?!\S)"
    r"|(\S+)"
)
_WIDE = re.compile("[\u3000\uff00-\uffef]+")
VARIANTS = {
    **dict.fromkeys(_QUOTES, '"'),
    **dict.fromkeys(_APOSTROPHES, "'"),
    **dict.fromkeys(_DASHES, "-"),
    # Letters that Unicode does not decompose.
    **dict(zip("øđðłħŧı", "oddlhti", strict=True)),
    # Arabic letters that keyboards and languages confuse.
    **dict(zip("ىیکة", "ييكه", strict=True)),
    # Gershayim and geresh of Hebrew, for which keyboards have quotation marks. They stand within words, so they enclose no phrase.
    **dict(zip("״׳", "\"'", strict=True)),
}
"""Characters that equal another single character."""
_LETTERS = str.maketrans({**VARIANTS, "æ": "ae", "œ": "oe", "þ": "th"})
_HARAKAT = "\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed"
_NIQQUD = "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
_JOINER = "\u200c"
"""Zero width non-joiner. Persian words have it between their parts, and many people do not type it."""
MARKS = f"\u0300-\u0344\u0346-\u036f{_NIQQUD}{_HARAKAT}{_JOINER}"
"""Ranges of the marks that do not count, at least after some letters."""
# Marks that do not distinguish words, or that many people do not type. “й” and “ї” are letters of their own.
_MARKS = re.compile(
    f"(?<!и)\u0306|(?<!і)\u0308|[\u0300-\u0305\u0307\u0309-\u036f{_NIQQUD}{_HARAKAT}]|(?<=[\u0600-\u06ff]){_JOINER}"
)
_LATIN_MARKS = (
    "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u031b\u0323\u0324\u0327\u0328\u0331"
)
"""Common combining marks that remain in a composed text, after a letter with which they have no composed form."""


def phrases(query: str) -> list[list[str]]:
    """Return the folded words of each word or phrase.

    Args:
        query: the query as typed by a user.

    Raises:
        BadValue: the query has no words, or too many.
    """
    if len(values.of_type(query, str, "“query”")) > QUERY_MAX_LENGTH:
        raise BadValue(_("A search can have at most %(most)d characters."), most=QUERY_MAX_LENGTH)
    if not values.is_plain(query.translate(_BLANKS)):
        raise BadValue(_("A search cannot contain control characters."))
    found = [
        words
        for quoted, apart, word in _PHRASES.findall(query)
        if (words := fold(quoted or apart or word).split())
    ]
    if not found:
        raise BadValue(_("Enter something to search for."))
    if len(found) > WORDS_MAX:
        raise BadValue(_("A search can have at most %(most)d words."), most=WORDS_MAX)
    return found


def pattern(words: Iterable[str]) -> str:
    """Return a regular expression in syntax shared by Python, PostgreSQL, MySQL and MariaDB.

    Args:
        words: folded words that follow each other.
    """
    return r"\s+".join(_pattern(word) for word in words)


def spellings() -> dict[str, list[str]]:
    """Return the other spellings of each folded text, such as ``K`` for ``k`` and ``ß`` for ``ss``."""
    return _spellings()[0]


def fold(text: str) -> str:
    """Return the text without differences of case, diacritics, composition, width and typographic variants."""
    narrow = _WIDE.sub(lambda run: unicodedata.normalize("NFKC", run[0]), text)
    folded = unicodedata.normalize("NFC", narrow).casefold()
    if not folded.isascii():
        bare = _MARKS.sub("", unicodedata.normalize("NFD", folded))
        # A text of marks is searched as it is.
        folded = unicodedata.normalize("NFC", bare or folded).translate(_LETTERS)
    return folded


def _pattern(word: str) -> str:
    spellings, longest = _spellings()
    pieces = []
    place = 0
    while place < len(word):
        for length in range(longest, 0, -1):
            piece = word[place : place + length]
            if length == 1 or piece in spellings:
                break
        pieces.append(_any_of(piece, spellings.get(piece, ())))
        place += len(piece)
    return "".join(pieces)


def _any_of(piece: str, spellings: Sequence[str]) -> str:
    # Single characters are a class, because MariaDB limits the size of a pattern.
    letters = "".join(_any_of(one, _spellings()[0].get(one, ())) for one in piece) if len(piece) > 1 else ""
    single = [_literal(one) for one in (piece, *spellings) if len(one) == 1]
    choices = [letters] if letters else []
    if single:
        choices.append(single[0] if len(single) == 1 else f"[{''.join(single)}]")
    choices += [one for one in spellings if len(one) > 1]
    found = choices[0] if len(choices) == 1 else f"(?:{'|'.join(choices)})"
    return found if letters else f"{found}{_marks_after(piece)}"


def _literal(character: str) -> str:
    return f"\\{character}" if character.isascii() and not character.isalnum() else character


@cache
def _marks_after(letter: str) -> str:
    """Return a pattern for the marks that can follow a letter in a composed text; empty for scripts in which marks count."""
    for first, last, marks in (
        ("a", "z", _LATIN_MARKS),
        ("α", "ԯ", _LATIN_MARKS),
        ("א", "ת", _expanded(_NIQQUD)),
        ("ء", "ۓ", _expanded(_HARAKAT) + _JOINER),
    ):
        if first <= letter <= last:
            return f"[{marks}]*"
    return ""


def _expanded(ranges: str) -> str:
    return "".join(chr(number) for number in range(0x590, 0x6F0) if re.match(f"[{ranges}]", chr(number)))


@cache
def _spellings() -> tuple[dict[str, list[str]], int]:
    """Return the other spellings of each folded text, such as ``K`` for ``k`` and ``ß`` for ``ss``, and the longest key's length."""
    found: dict[str, list[str]] = {}
    for one in _written():
        folded = fold(one)
        if folded != one and (len(one) == 1 or len(folded) == 1):
            found.setdefault(folded, []).append(one)
    return found, max(map(len, found))


def _written() -> Iterable[str]:
    # Without ideographs and Korean syllables, which have one form.
    for numbers in (
        range(0x3400),
        range(0xA000, 0xAC00),
        range(0xF900, 0x17000),
        range(0x1B000, 0x20000),
        range(0x2F800, 0x2FA20),
    ):
        yield from map(chr, numbers)
    # A half-width katakana is followed by its voicing mark as a separate character.
    yield from (chr(number) + mark for number in range(0xFF66, 0xFF9E) for mark in "ﾞﾟ")
