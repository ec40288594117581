"""Short values are returned unchanged or rejected: keys, cursors, sequence numbers and times."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from django_roomchat.errors import BadValue
from django_roomchat.text import values

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "a", "Zoë Q", "u:1", "x" * 20, "👍", "\u202e"])
def test_a_line_without_control_characters_is_returned(text):
    assert values.line(text, "after", 20) == text


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("\0", "“after” cannot contain control characters."),
        ("a\n", "“after” cannot contain control characters."),
        ("\x7f", "“after” cannot contain control characters."),
        ("\x85", "“after” cannot contain control characters."),
        ("\ud800", "“after” cannot contain control characters."),
        ("x" * 21, "“after” can have at most 20 characters."),
    ],
)
def test_another_line_is_rejected_with_the_reason(text, detail):
    with pytest.raises(BadValue) as caught:
        values.line(text, "after", 20)

    assert caught.value.detail == detail


def test_the_pattern_finds_every_control_character_and_no_other_character():
    found = [number for number in range(0x110000) if not re.search(values.PLAIN, chr(number))]

    assert found == [*range(0x20), *range(0x7F, 0xA0)]


@pytest.mark.parametrize("key", ["u:1", "g:" + "0" * 32, "x" * 100])
def test_a_key_of_visible_characters_is_returned(key):
    assert values.key(key) == key


@pytest.mark.parametrize("key", ["", "\0", "a\u200bb", "x" * 101, "\ud800"])
def test_another_key_is_rejected(key):
    with pytest.raises(BadValue, match="1 to 100 visible characters"):
        values.key(key)


@pytest.mark.parametrize("seq", [0, 1, 2**53 - 1])
def test_a_sequence_number_is_returned(seq):
    assert values.sequence_number(seq) == seq


@pytest.mark.parametrize("seq", [-1, 2**53, 10**400])
def test_a_number_that_no_row_can_have_is_rejected(seq):
    with pytest.raises(BadValue, match="A sequence number must be a whole number from 0 to 9007199254740991"):
        values.sequence_number(seq)


@pytest.mark.parametrize(("seq", "kind"), [("3", "str"), (1.0, "float"), (True, "bool"), (None, "NoneType")])
def test_a_sequence_number_of_another_type_is_a_mistake_of_the_program(seq, kind):
    with pytest.raises(TypeError, match=f"^A sequence number must be of type int, not {kind}.$"):
        values.sequence_number(seq)


def test_a_time_is_converted_to_utc():
    here = datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))

    assert values.aware(here, "The expiry") == NOW


@pytest.mark.parametrize(
    "moment",
    [datetime(2026, 1, 1), datetime.max.replace(tzinfo=timezone(-timedelta(hours=1)))],  # noqa: DTZ001
)
def test_a_time_that_cannot_be_stored_is_rejected(moment):
    with pytest.raises(BadValue, match="The expiry"):
        values.aware(moment, "The expiry")


def test_a_time_after_a_period_is_returned():
    assert values.after(NOW, timedelta(days=1), "It") == datetime(2026, 1, 2, tzinfo=UTC)


def test_a_time_before_a_period_is_returned():
    assert values.after(NOW, timedelta(days=1), "It", is_past=True) == datetime(2025, 12, 31, tzinfo=UTC)


@pytest.mark.parametrize("is_past", [False, True])
@pytest.mark.parametrize("period", [timedelta.max, timedelta.min])
def test_a_period_beyond_the_calendar_is_rejected(period, is_past):
    with pytest.raises(BadValue, match="It is too long"):
        values.after(NOW, period, "It", is_past=is_past)


def test_a_time_some_minutes_ago_is_returned():
    assert values.ago(NOW, 1.5, "It") == NOW - timedelta(seconds=90)


@pytest.mark.parametrize("minutes", [-1, float("nan"), float("inf"), 1e300])
def test_a_number_of_minutes_beyond_the_calendar_is_rejected(minutes):
    with pytest.raises(BadValue, match="It must be a number of minutes"):
        values.ago(NOW, minutes, "It")


@pytest.mark.parametrize("minutes", ["1", True, None])
def test_minutes_of_another_type_are_a_mistake_of_the_program(minutes):
    with pytest.raises(TypeError, match="It must be a number of minutes, not"):
        values.ago(NOW, minutes, "It")
