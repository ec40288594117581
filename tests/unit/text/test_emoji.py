"""Recognition of a single emoji."""

import json
from pathlib import Path

import pytest

import django_roomchat
from django_roomchat.errors import BadValue
from django_roomchat.text.emoji import bare, emoji, is_large

ONE = [
    "👍",
    "👍🏽",
    "❤",
    "❤️",
    "☝🏿",
    "🇰🇷",
    "1️⃣",
    "#⃣",
    "👩‍💻",
    "👩🏻‍❤️‍💋‍👨🏼",
    "👨‍👩‍👧‍👦",
    "🏳️‍🌈",
    "🏴‍☠️",
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "🫠",
    "\U0001faea",  # of a later Unicode than this Python's
    "™",
    "㊙️",
    "🟰",
]
NONE = [
    "",
    "a",
    ":)",
    "1",
    "한",
    "👍👍",
    "👍 ",
    " 👍",
    "👍a",
    "🏽",
    "🇰",
    "🇰🇷🇰🇷",
    "\ufe0f",
    "\u200d",
    "👩‍",
    "‍👩",
    "👍🏽🏽",
    "👩‍👩‍👩‍👩‍👩",
    "🏴󠁧󠁢",
    "👍\n",
    "👍\u0301",
    "👍\u202e",
    "<b>",
    "\ud83d",
    "x" * 65,
    None,
    5,
]


@pytest.mark.parametrize("given", ONE)
def test_one_emoji_is_one(given: str) -> None:
    assert emoji(given) == given


@pytest.mark.parametrize("given", NONE)
def test_anything_else_is_refused(given: object) -> None:
    with pytest.raises(BadValue, match="one emoji") as refused:
        emoji(given)  # type: ignore[arg-type]

    assert refused.value.code == "bad_emoji"


def test_spellings_of_an_emoji_have_their_bare_form_in_common() -> None:
    assert bare("❤️") == bare("❤") == "❤"


def test_every_emoji_that_the_page_offers_is_taken() -> None:
    names = Path(django_roomchat.__file__).parent / "static" / "django_roomchat" / "emoji" / "en.json"
    offered = [one for group in json.loads(names.read_text())["groups"].values() for one in group]

    assert len(offered) > 1_500
    assert [emoji(one) for one in offered] == offered


# The tests of the page's scripts read the same file.
LARGE = json.loads((Path(__file__).parents[2] / "shared" / "large_emoji.json").read_text())


@pytest.mark.parametrize(("text", "expected"), LARGE)
def test_a_message_of_one_to_three_emoji_is_large(text: str, expected: bool) -> None:
    assert is_large(text) is expected


@pytest.mark.parametrize("given", ONE)
def test_every_single_emoji_is_large_unless_it_is_a_mark_of_text(given: str) -> None:
    assert is_large(given) is (given != "™")
