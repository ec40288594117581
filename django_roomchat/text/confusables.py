"""Detection of confusable names: names that look so similar that one can be taken for the other.

The comparison is the skeleton of UTS #39 with the data of :mod:`django_roomchat.text.confusables_data`: invisible characters are
removed, and each other character is replaced by the prototype that Unicode gives for it. In addition, the comparison ignores
case, accents, spaces, punctuation and symbols, resolves compatibility forms such as circled letters, compares digits of all
scripts by their value, and uses the pairs of ``_ADDED``, which Unicode's table does not have.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from django_roomchat.text.confusables_data import IGNORABLE, PROTOTYPES

_ADDED = {
    # Small capitals, and prototypes with their shape: the prototype of к is ĸ.
    **dict(zip("ᴀᴇʜᴊĸʟɴᴘᴛ", "aehjklnpt", strict=True)),
    "ʍ": "rn",
    # The prototype of п is π.
    **dict(zip("πςωȷԼⲀⲈ", "ncwjLAE", strict=True)),
}
# White letters in black squares and circles, and the letters of flags.
_SYMBOLS = range(0x1F100, 0x1F200)
_ADDED |= {
    chr(code): named[2]
    for code in _SYMBOLS
    if (named := unicodedata.name(chr(code), "").partition(" LETTER "))[2].isalpha() and len(named[2]) == 1
}
_GROUPS = (("vv", "w"),)
_PROTOTYPES = {
    one: "".join(_ADDED.get(part, part) for part in prototype)
    for prototype, some in PROTOTYPES.items()
    for one in some
} | _ADDED


def skeletons(name: str) -> frozenset[str]:
    """Return the skeletons of a name: as written, in lower case and in upper case.

    Two names are confusable if they have a skeleton in common.

    Args:
        name: the name.

    Returns:
        Up to six skeletons; none if the name has no letters or digits.
    """
    cases = {case for text in _readings(name) for case in (text, text.lower(), text.upper())}
    return frozenset(map(_skeleton, cases)) - {""}


def _readings(name: str) -> Iterator[str]:
    """Return the name, and the name with ASCII digits and without symbols, if that differs.

    “٥” looks like “o” and is 5; “A|ice” looks like “Alice”, and “Ana|” like “Ana”.
    """
    yield name
    if not name.isascii() or not name.isalnum():
        kept = filter(_is_significant, unicodedata.normalize("NFKD", name))
        yield "".join(map(_ascii_digit, kept))


def _skeleton(text: str) -> str:
    # Folded twice, because case folding gives characters that have prototypes of their own.
    folded = _folded(_folded(text).casefold())
    for group, letter in _GROUPS:
        folded = folded.replace(group, letter)
    return folded


def _folded(text: str) -> str:
    return "".join(map(_prototype, unicodedata.normalize("NFD", text)))


@lru_cache(maxsize=4096)
def _prototype(character: str) -> str:
    """Return the letters, digits and vowel signs that a character looks like; nothing for an accent or punctuation."""
    if _is_invisible(character):
        return ""
    prototype = _PROTOTYPES.get(character)
    if prototype is None:
        parts = unicodedata.normalize("NFKD", character)
        prototype = character if parts == character else "".join(map(_prototype, parts))
    kept = "".join(filter(_is_significant, unicodedata.normalize("NFKD", prototype)))
    # Letters and vowel signs do not vanish, although the prototype of the Hebrew yod is an apostrophe.
    return kept or (character if _is_significant(character) else "")


def _is_significant(character: str) -> bool:
    """Return whether a character is part of a skeleton: letters, digits and the vowel signs of Indic scripts.

    Accents can be too small to notice and are ignored.
    """
    category = unicodedata.category(character)
    if category[0] == "M":
        return not unicodedata.combining(character) and not _is_invisible(character)
    return category[0] in "LN"


def _is_invisible(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in IGNORABLE)


def _ascii_digit(character: str) -> str:
    """Convert a decimal digit of any script to ASCII."""
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)
