"""Which names look alike: so much so that one could be taken for the other.

Unicode's own answer (UTS #39) is a table of 6,000 characters. This is the part of it that imitation is made of in practice:
Latin, Cyrillic, Greek, Armenian, Cherokee, Lisu and Coptic letters that look like Latin ones; digits that look like letters; compatibility
forms (full width, circled, mathematical, superscript); accents, spaces, punctuation, symbols and invisible characters, which are left out.
It does not cover what only looks alike within another script, such as two Chinese characters that differ in a stroke.
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
    # What is one stroke, and what is round
    ("Ii1l0O", "lllloo"),
)  # fmt: skip
_LATIN = {ord(one): other.lower() for ones, others in _PAIRS for one, other in zip(ones, others, strict=True)}
_GROUPS = (("rn", "m"), ("vv", "w"), ("æ", "ae"), ("œ", "oe"), ("ß", "ss"))
_INVISIBLE_MARKS = {"\u034f", "\u180b", "\u180c", "\u180d", "\u180f", *map(chr, range(0xFE00, 0xFE10))}


def skeletons(name: str) -> frozenset[str]:
    """What a name comes down to, as it is and in small and in capital letters. Two names look alike if they have one in common."""
    return frozenset(filter(None, (_skeleton(name), _skeleton(name.lower()), _skeleton(name.upper()))))


def look_alike(one: str, other: str) -> bool:
    """Whether one name could be taken for the other."""
    return not skeletons(one).isdisjoint(skeletons(other))


def _skeleton(name: str) -> str:
    parts = unicodedata.normalize("NFKD", name)
    letters = "".join(_digit(part) for part in parts if _tells_apart(part))
    latin = letters.translate(_LATIN).casefold().translate(_LATIN)
    for group, letter in _GROUPS:
        latin = latin.replace(group, letter)
    return latin


def _tells_apart(character: str) -> bool:
    """Letters and digits do, and the vowel signs of Indic scripts; accents can be too small to see."""
    category = unicodedata.category(character)
    if category[0] == "M":
        return not unicodedata.combining(character) and character not in _INVISIBLE_MARKS
    return category[0] in "LN"


def _digit(character: str) -> str:
    """Digits of other scripts as our own."""
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)
