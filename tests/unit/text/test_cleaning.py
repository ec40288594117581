"""Control characters, escape sequences and outer white space of message texts, for the server as for the browser."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_roomchat.text.cleaning import clean_text, trim_text

# The tests of the page's scripts read the same file.
TEXTS = json.loads((Path(__file__).parents[2] / "shared" / "cleaning.json").read_text())


@pytest.mark.parametrize(("typed", "cleaned"), TEXTS)
def test_the_server_cleans_a_text_as_the_browser_does(typed: str, cleaned: str) -> None:
    assert trim_text(clean_text(typed)) == cleaned


@pytest.mark.parametrize("typed", ["", "plain\n\ttext", "한국어 🎉 \u200d\ufe0f", "a\x00b"])
def test_a_text_without_control_characters_is_not_changed(typed: str) -> None:
    assert clean_text(typed) == typed


@given(st.text("ab \t\n\x07\x08_\x0b\x1b[]m0;\x85\x9b\u2028é"))
def test_a_cleaned_text_has_no_control_character_but_tab_and_newline(typed: str) -> None:
    cleaned = trim_text(clean_text(typed))

    assert not any(ord(one) < 32 or 127 <= ord(one) < 160 for one in cleaned if one not in "\n\t")


@pytest.mark.parametrize("piece", ["\x1b]", "\x1b[0;", "\x1bP", "\x9b1", "_\x08", " \n", "a\x08", "\x1b[0 "])
def test_cleaning_takes_time_in_proportion_to_the_text(piece: str) -> None:
    started = time.process_time()

    trim_text(clean_text(piece * 20_000))

    assert time.process_time() - started < 0.5
