"""Dates, times and numbers, in Python as in JavaScript."""

import json
import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import global_settings
from django.test import override_settings
from django.utils import dateformat, translation
from django.utils.formats import reset_format_cache

from django_roomchat.views import formats

ROOT = Path(__file__).parents[2]
# The tests of the page's scripts read the same file.
TABLE = json.loads((ROOT / "tests" / "shared" / "formats.json").read_text())
LANGUAGES = [code for code, _ in global_settings.LANGUAGES]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Any:
    def set_now(text: str) -> None:
        class Day(date):
            today = staticmethod(lambda: at(text).date())

        monkeypatch.setattr(formats.datetime, "date", Day)

    return set_now


@pytest.mark.parametrize(("language", "pattern", "when", "shown"), TABLE["dates"])
def test_a_date_is_formatted_as_in_the_browser(language: str, pattern: str, when: str, shown: str) -> None:
    with translation.override(language):
        assert dateformat.format(at(when), pattern) == shown


@pytest.mark.parametrize("language", TABLE["names"])
def test_the_script_receives_the_names_that_the_formats_need(language: str) -> None:
    patterns = [pattern for code, pattern, *_ in TABLE["dates"] if code == language]
    letters = {letter for pattern in patterns for letter in formats.pieces(pattern)[1::2]}

    with translation.override(language):
        assert formats.names(letters) == TABLE["names"][language]


@pytest.mark.parametrize(("when", "today", "shown"), TABLE["days"])
def test_a_day_has_a_name_or_a_date(now: Any, when: str, today: str, shown: str) -> None:
    now(today)

    assert formats.day(at(when)) == shown


@pytest.mark.parametrize(("when", "today", "shown"), TABLE["shorts"])
def test_when_it_was_is_as_short_as_can_be(now: Any, when: str, today: str, shown: str) -> None:
    now(today)

    assert formats.short(at(when)) == shown


@pytest.mark.parametrize(("decimal", "thousand", "grouping", "number", "shown"), TABLE["numbers"])
def test_a_number_is_grouped_as_in_the_browser(
    monkeypatch: pytest.MonkeyPatch,
    decimal: str,
    thousand: str,
    grouping: list[int],
    number: int,
    shown: str,
) -> None:
    values = {
        "DECIMAL_SEPARATOR": decimal,
        "THOUSAND_SEPARATOR": thousand,
        "NUMBER_GROUPING": tuple(grouping) if len(grouping) > 1 else grouping[0],
    }
    monkeypatch.setattr(formats.formats, "get_format", lambda name, *args, **options: values[name])

    assert formats.tenths(number) == shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_script_knows_each_letter_of_the_formats_of_each_language(language: str) -> None:
    source = (ROOT / "js" / "src" / "ui" / "formats.js").read_text()
    known = set(re.findall(r"\b(\w): ", source))
    with translation.override(language):
        found = formats.script_formats()

    letters = {
        letter
        for pattern in ("time", "date", "shortDate", "moment", "weekday")
        for letter in found[pattern][1::2]
    }
    # The time zone is the reader's own, and is left out.
    assert letters - {"T"} <= known
    assert all(isinstance(found[name], str) for name in ("decimal", "thousand"))
    assert found["grouping"]


def test_a_site_s_own_formats_reach_the_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "own_formats" / "en"
    folder.mkdir(parents=True)
    (folder / "formats.py").write_text('TIME_FORMAT = "H:i"\nDATE_FORMAT = r"l \\t\\h\\e jS"\n')
    for package in (folder, folder.parent):
        (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    try:
        with override_settings(FORMAT_MODULE_PATH="own_formats"):
            reset_format_cache()
            found = formats.script_formats()
            shown = formats.time(at("2026-11-30T19:03:00")), formats.date(at("2026-11-30T19:03:00"))
    finally:
        reset_format_cache()

    assert found["time"] == ["", "H", ":", "i", ""]
    assert found["date"] == ["", "l", " the ", "j", "", "S", ""]
    assert found["names"]["S"][:4] == ["st", "nd", "rd", "th"]
    assert shown == ("19:03", "Monday the 30th")
