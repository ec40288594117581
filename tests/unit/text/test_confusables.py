import hashlib
import unicodedata

import pytest

from django_roomchat.text import confusables_data
from django_roomchat.text.confusables import skeletons

PROTOTYPES = [
    (character, prototype)
    for prototype, characters in confusables_data.PROTOTYPES.items()
    for character in characters
]
LETTERS = [
    (character, letter)
    for character, letter in PROTOTYPES
    if letter in tuple("abcdefghijklmnopqrstuvwxyz") and unicodedata.category(character)[0] == "L"
]


def are_confusable(one: str, other: str) -> bool:
    return not skeletons(one).isdisjoint(skeletons(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ana", "ana"),
        ("Ana", "Аnа"),  # Cyrillic
        ("Hello", "Ηello"),  # Greek
        ("Bob", "Вов"),
        ("Ana", "A\u200bna"),
        ("Ana", "A\u00adna"),
        ("Ana", "Ana\ufe0f"),
        ("Ana", "Ana ✓"),
        ("Ana", "A-n a."),
        ("Ana", "Äná"),
        ("Ana", "ⒶⓃⒶ"),
        ("Admin", "🅰dmin"),
        ("Ana", "🅐🅝🅐"),
        ("Ana", "🇦 🇳 🇦"),
        ("Ana", "Ａｎａ"),
        ("Ana", "𝔄𝔫𝔞"),
        ("Ana", "ꓮꓠꓮ"),
        ("Paul", "PauI"),
        ("Paul", "Pau1"),
        ("Bob", "B0b"),
        ("Maria", "rnaria"),
        ("Wendy", "VVendy"),
        ("Straße", "STRASSE"),
        ("Ηλίας", "ηλιας"),
        ("Иван", "иван"),
        ("R2D2", "R٢D٢"),
        ("Søren", "Soren"),
        ("한국", "한국"),
        ("Ana", "A\u3164na"),  # a Hangul filler, which is a letter to Python
        ("Ana", "ᴀɴᴀ"),
        ("Mark", "Маrк"),
        ("Alice", "A|ice"),
        ("Ana", "Ana|"),
        ("Oslo", "٥slo"),  # an Arabic 5
        ("55", "٥٥"),
        ("Kim", "кім"),
        ("modest", "rnodest"),
        ("Ælla", "AElla"),
        ("口", "ロ"),  # katakana RO
        ("力", "カ"),  # katakana KA
    ],
)
def test_these_could_be_taken_for_each_other(one, other):
    assert are_confusable(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ana", "Anna"),
        ("Ana", "Ben"),
        ("김", "이"),
        ("Иван", "Петр"),
        ("राम", "रमा"),
        ("R2D2", "R2D3"),
        ("✨", "💥"),
        ("अंकित", "अकित"),
        ("佐藤", "伊藤"),
        ("محمد", "أحمد"),
        ("דויד", "דוד"),
    ],
)
def test_these_could_not(one, other):
    assert not are_confusable(one, other)


def test_what_has_neither_letters_nor_digits_looks_like_nothing():
    assert skeletons("✨ …") == frozenset()


def test_every_letter_that_unicode_confuses_with_a_to_z_is_found():
    assert len(LETTERS) > 550  # 590 with the letters that Python 3.13 knows
    assert [pair for pair in LETTERS if not are_confusable(*pair)] == []


def test_they_are_found_within_a_word():
    """Other characters of the word are written otherwise, too, so that no single case of the word decides."""
    words = [(f"Xn{one}qł", f"Xn{letter}ql") for one, letter in LETTERS]

    assert [pair for pair in words if not are_confusable(*pair)] == []


def test_characters_and_prototypes_of_every_script_are_found():
    """Except characters that Unicode's own algorithm never looks up, and prototypes that are symbols, which are ignored."""

    def is_compared(character, prototype):
        is_whole = unicodedata.normalize("NFD", character) == character
        return (
            is_whole
            and unicodedata.category(character)[0] == "L"
            and unicodedata.category(unicodedata.normalize("NFKD", prototype)[0])[0] == "L"
            and skeletons(character)
        )

    compared = [pair for pair in PROTOTYPES if is_compared(*pair)]
    assert len(compared) > 3500
    assert [pair for pair in compared if not are_confusable(*pair)] == []


def test_the_table_is_that_of_unicode():
    """``tools/confusables.py --check`` compares the file with the data; this needs no download."""
    table = sorted((ord(character), prototype) for character, prototype in PROTOTYPES)
    text = "".join(f"{code:04X} {prototype}\n" for code, prototype in table)

    assert (confusables_data.UNICODE_VERSION, len(table)) == ("17.0.0", confusables_data.CONFUSABLES)
    assert (
        hashlib.sha256(text.encode()).hexdigest()
        == "03bd2aa8910608ad20d0403039773206e93256b4ff3fdc7b394f2b536e38cb18"
    )


@pytest.mark.parametrize(
    ("character", "prototype"),
    [
        ("0", "O"),
        ("1", "l"),
        ("I", "l"),
        ("m", "rn"),
        ("а", "a"),
        ("Ꭺ", "A"),
        ("β", "ß"),
        ("ø", "o\u0338"),
        ("カ", "力"),
    ],
)
def test_a_line_of_confusables_txt(character, prototype):
    assert character in confusables_data.PROTOTYPES[prototype]
