"""Detection of confusable names: names that look so similar that one can be taken for the other.

Unicode's table of confusables (UTS #39) has 6,000 characters. This module covers the part that imitations use
in practice:
Latin, Cyrillic, Greek, Armenian, Cherokee, Lisu and Coptic letters that look like Latin ones; digits that look
like letters; compatibility forms (full width, circled, mathematical, superscript); and accents, spaces,
punctuation, symbols and invisible characters, which are ignored. It does not cover confusables within another
script, such as two Chinese characters that differ in one stroke.
"""

from __future__ import annotations

import unicodedata

_PAIRS = (
    # Cyrillic, small and capital
    ("аеёіјкмнорстухѕԛԝһӏԁьвгпүѵзбԍ", "aeeljkmhopctyxsqwhldbbrnyv36g"),
    ("АВЕЅІЈКМНОРСТУХԚԜҮӀЬԌ", "ABESlJKMHOPCTYXQWYlbG"),
    # Greek, small and capital
    ("αβγεικνορσςτυχωηϲϳ", "abyelkvopocTuxwncj".lower()),
    ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹϜͿ", "ABEZHlKMNOPTYXCFJ"),
    # Armenian
    ("օոսհցզյաՏԼՕՍ", "onuhgqjwSLOU"),
    # Cherokee, Lisu, Coptic
    ("ᎪᏴᏟᎠᎬᏀᎻᎫᏦᏞᎷᏢᎡᏚᎢᏙᎳᎩᏃ", "ABCDEGHJKLMPRSTVWYZ"),
    ("ꓮꓐꓚꓓꓰꓝꓖꓧꓲꓙꓗꓡꓟꓠꓳꓑꓣꓢꓔꓴꓦꓪꓫꓬꓜ", "ABCDEFGHlJKLMNOPRSTUVWXYZ"),
    ("ⲀⲂⲈⲎⲒⲔⲘⲚⲞⲢⲤⲦⲨⲬ", "ABEHlKMNOPCTYX"),
    # Latin letters of other alphabets, and small capitals
    ("ıłøđħŧɑɡɩʀʏɴʜɪʟᴀᴄᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢƅǀ", "llodhtaglrynhllacejkmoptuvwzbl"),
    # A single stroke, and round shapes
    ("Ii1l0O", "lllloo"),
)  # fmt: skip
_LATIN = {ord(one): other.lower() for ones, others in _PAIRS for one, other in zip(ones, others, strict=True)}
_GROUPS = (("rn", "m"), ("vv", "w"), ("æ", "ae"), ("œ", "oe"), ("ß", "ss"))
_INVISIBLE_MARKS = {"\u034f", "\u180b", "\u180c", "\u180d", "\u180f", *map(chr, range(0xFE00, 0xFE10))}


def skeletons(name: str) -> frozenset[str]:
    """Return the skeletons of a name as written, in lower case and in upper case.

    Two names are confusable if they have a skeleton in common.

    Args:
        name: the name.

    Returns:
        Up to three skeletons; none if the name has no letters or digits.
    """
    return frozenset(filter(None, (_skeleton(name), _skeleton(name.lower()), _skeleton(name.upper()))))


def look_alike(one: str, other: str) -> bool:
    """Return whether two names are confusable."""
    return not skeletons(one).isdisjoint(skeletons(other))


def _skeleton(name: str) -> str:
    parts = unicodedata.normalize("NFKD", name)
    letters = "".join(_digit(part) for part in parts if _tells_apart(part))
    latin = letters.translate(_LATIN).casefold().translate(_LATIN)
    for group, letter in _GROUPS:
        latin = latin.replace(group, letter)
    return latin


def _tells_apart(character: str) -> bool:
    """Return whether a character is part of a skeleton: letters, digits and the vowel signs of Indic scripts.
    Accents can be too small to notice and are ignored.
    """
    category = unicodedata.category(character)
    if category[0] == "M":
        return not unicodedata.combining(character) and character not in _INVISIBLE_MARKS
    return category[0] in "LN"


def _digit(character: str) -> str:
    """Convert a decimal digit of any script to ASCII."""
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)
