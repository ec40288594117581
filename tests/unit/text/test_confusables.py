import pytest

from django_roomchat.text.confusables import look_alike, skeletons


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
    ],
)
def test_these_could_be_taken_for_each_other(one, other):
    assert look_alike(one, other) and look_alike(other, one)


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
    ],
)
def test_these_could_not(one, other):
    assert not look_alike(one, other)


def test_what_has_neither_letters_nor_digits_looks_like_nothing():
    assert skeletons("✨ …") == frozenset()
