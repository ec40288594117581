import time
import unicodedata

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from django_roomchat.errors import BadRoomName, BadText, BadValue
from django_roomchat.text.validation import alt, body, client_id, reason, room_name, room_title

NAMES = st.one_of(
    st.text(max_size=110),
    st.text("aA.éÉßİΐŉﬃ한국어🎉 \u200d\ufe0f\u0301\u0345/", max_size=110),
)


def name_of(typed):
    try:
        return room_name(typed)
    except BadRoomName:
        return None


@pytest.mark.parametrize(
    ("typed", "name", "title"),
    [
        ("lobby", "lobby", "lobby"),
        ("Lobby", "lobby", "Lobby"),
        ("한국어", "한국어", "한국어"),
        ("my room", "my room", "my room"),
        ("  My   Room\n", "my room", "My Room"),
        ("\u3000방\u00a0", "방", "방"),
        ("7b1e7f0e-5a39-4f0e-9a0a-6f9f6c6d1c11",) * 3,
        ("café", "café", "café"),
        ("cafe\u0301", "café", "café"),
        ("CAFÉ", "café", "CAFÉ"),
        ("🎉",) * 3,
        ("☕\ufe0f", "☕", "☕\ufe0f"),
        ("👩\u200d💻",) * 3,
        ("می\u200cخواهم",) * 3,
        ("🏴\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f",) * 3,
        ("Straße", "strasse", "Straße"),
        ("?#%&=+", "?#%&=+", "?#%&=+"),
        ("...", "...", "..."),
        ("x" * 100,) * 3,
        ("\U0001f389" * 100,) * 3,
        (unicodedata.normalize("NFD", "한" * 100), "한" * 100, "한" * 100),
    ],
)
def test_a_room_can_be_called(typed, name, title):
    assert (room_name(typed), room_title(typed)) == (name, title)


UNUSABLE = "A room's name cannot contain invisible or private characters."
CONTROL = "A room's name cannot contain control characters or line breaks."
BIDI = "A room's name cannot contain characters that change the text direction."
DOTS = "A room's name cannot be “.”, “..” or “~”; these are reserved in URLs."
TOWER = "A room's name cannot have more than 8 combining marks in a row."


@pytest.mark.parametrize(
    ("typed", "detail"),
    [
        (5, "A room's name must be a string, not int."),
        ("", "A room needs a name."),
        (" \t\n\u3000", "A room needs a name."),
        ("\u2003", "A room needs a name."),
        ("\u200d", "A room needs a name."),
        ("\ufe0f\u200c \ufe0e", "A room needs a name."),
        ("a/b", "A room's name cannot contain “/” or “\\”."),
        ("a\\b", "A room's name cannot contain “/” or “\\”."),
        (".", DOTS),
        (" .. ", DOTS),
        ("a\x00b", CONTROL),
        ("a\tb", CONTROL),
        ("a\nb", CONTROL),
        ("a\x1b[1m", CONTROL),
        ("a\x85b", CONTROL),
        ("a\u2028b", CONTROL),
        ("a\u2029b", CONTROL),
        ("a\u202eb", BIDI),
        ("\u2066a", BIDI),
        ("\u200fa", BIDI),
        ("\u061ca", BIDI),
        ("a\ud800", "A room's name cannot contain an unpaired surrogate."),
        ("a\u200bb", UNUSABLE),
        ("a\ufeff", UNUSABLE),
        ("a\u00adb", UNUSABLE),
        ("a\ue000", UNUSABLE),
        ("a\uffff", UNUSABLE),
        ("a\U0001fffe", UNUSABLE),
        ("a\ufdd0", UNUSABLE),
        ("a\U000e0067", UNUSABLE),
        ("a" + "\u0323\u0301" * 5, TOWER),
        ("x" * 101, "A room's name can have at most 100 characters; this one has 101."),
        ("\u0301" * 100_000, "A room's name can have at most 100 characters; this one has 100000."),
        ("x" * 401, "A room's name can have at most 100 characters; this one has 401."),
    ],
)
def test_an_invalid_room_name_is_refused_with_the_reason(typed, detail):
    with pytest.raises(BadRoomName) as caught:
        room_name(typed)

    assert caught.value.detail == detail


def test_a_site_may_want_shorter_names():
    with pytest.raises(BadRoomName) as caught:
        room_name("x" * 6, 5)

    assert caught.value.detail == "A room's name can have at most 5 characters; this one has 6."


@pytest.mark.parametrize("typed", ["ß" * 51, "ﬃ" * 34], ids=["sharp s", "ligature"])
def test_a_name_that_folding_makes_too_long_is_refused_since_nobody_could_visit_it(typed):
    with pytest.raises(BadRoomName) as caught:
        room_name(typed)

    assert caught.value.detail == "A room's name can have at most 100 characters; this one has 102."


def test_dots_with_an_emoji_selector_are_only_dots():
    with pytest.raises(BadRoomName) as caught:
        room_name(".\ufe0f")

    assert caught.value.detail == DOTS


@given(NAMES)
@example("ß" * 60)
@example("..\ufe0f")
@example("İ" + "\u0307" * 8)
@example("\u0345\u03b1")
def test_a_canonical_name_is_its_own_canonical_name(typed):
    name = name_of(typed)
    assume(name is not None)

    assert room_name(name) == name


@given(NAMES)
@example("ǖ" + "\u0323" * 7)
@example("Ω")
def test_the_same_name_typed_differently_is_the_same_room(typed):
    name = name_of(typed)
    assume(name is not None)
    # Its decomposed form may be longer than anything that is read.
    decomposed = unicodedata.normalize("NFD", typed)
    assume(len(decomposed) <= 400)

    variants = [unicodedata.normalize("NFC", typed), decomposed, f" \t{typed}\u3000\n"]
    assert [name_of(variant) for variant in variants] == [name] * len(variants)


@given(st.text(st.characters(categories=("Lu", "Ll", "Lo", "Nd")), min_size=1, max_size=30))
def test_names_that_differ_in_case_only_are_the_same_room(typed):
    name = name_of(typed)
    assume(name is not None)
    # Unicode's own exceptions: dotless i and its like do not come back from upper case.
    assume(typed.upper().casefold() == typed.casefold() == typed.lower().casefold())

    assert (name_of(typed.upper()), name_of(typed.lower())) == (name, name)


@given(st.text())
def test_a_name_is_refused_with_our_error_or_fits_its_column(typed):
    name = name_of(typed)

    assert name is None or 0 < len(name) <= 100


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("hi", "hi"),
        ("  hi \n", "  hi"),
        ("\n \n  hi", "  hi"),
        ("one\x0btwo", "one\ntwo"),
        ("\x1b[31mrot\x1b[0m é", "rot é"),
        ("a\x7f", "a"),
        ("a\x85", "a"),
        ("\x1b[31m" * 1000 + "x" * 4000, "x" * 4000),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\tb", "a\tb"),
        ("cafe\u0301", "café"),
        ("é\r\nb", "é\nb"),
        ("\u3000방 ", "\u3000방"),
        ("<script>alert(1)</script>",) * 2,
        ("🎉",) * 2,
        ("\U0001fae9",) * 2,  # of Unicode 16, which this Python may not know
        ("\U0001fffd",) * 2,  # of no Unicode yet
        ("\ue000",) * 2,
        ("é\ufffe",) * 2,
        ("abc \u202edef",) * 2,
        ("x" * 4000,) * 2,
        ("b" + "\u0321" * 8,) * 2,
    ],
)
def test_a_message_can_say(typed, stored):
    assert body(typed, 4000) == stored


@pytest.mark.parametrize(
    ("typed", "detail"),
    [
        (None, "A message must be a string, not NoneType."),
        ("", "A message must contain text."),
        (" \n\t", "A message must contain text."),
        ("\u200b\u2060\ufeff", "A message must contain text."),
        ("\u3000\u2028", "A message must contain text."),
        ("\x1b[0m\x07", "A message must contain text."),
        ("\u0301", "A message must contain text."),
        ("\U0001ffff", "A message must contain text."),
        ("\U000e0fff", "A message must contain text."),
        ("a\x00", "A message cannot contain control characters."),
        ("é\x00", "A message cannot contain control characters."),
        ("\x1b[31m\x00red", "A message cannot contain control characters."),
        ("a\ud800", "A message cannot contain an unpaired surrogate."),
        ("a" + "\u0323" * 9, "A message cannot have more than 8 combining marks in a row."),
        ("x" * 4001, "A message can have at most 4000 characters; this one has 4001."),
        ("\x1b[0m" + "x" * 4001, "A message can have at most 4000 characters; this one has 4001."),
        ("\x1b[0m" * 4001, "A message can have at most 4000 characters; this one has 16004."),
    ],
)
def test_an_invalid_text_is_refused_with_the_reason(typed, detail):
    with pytest.raises(BadText) as caught:
        body(typed, 4000)

    assert caught.value.detail == detail


@pytest.mark.parametrize("normalise", [reason, alt])
@pytest.mark.parametrize("typed", ["a\x0bb", "\x1b[31mred", "a\x00", "a\x85b"])
def test_only_messages_are_cleaned_of_control_characters(normalise, typed):
    with pytest.raises(BadText) as caught:
        normalise(typed)

    assert caught.value.detail == "A message cannot contain control characters."


@pytest.mark.parametrize("normalise", [reason, alt])
def test_a_reason_has_no_outer_white_space(normalise):
    assert normalise(" \tSpam.\r\nAgain \n") == "Spam.\nAgain"


def test_marks_without_number_are_refused_before_they_cost_anything():
    started = time.process_time()

    with pytest.raises(BadText):
        body("\u0323\u0301" * 500_000, 4000)

    assert time.process_time() - started < 0.1


@given(st.text())
def test_what_was_stored_once_is_stored_the_same_again(typed):
    try:
        stored = body(typed, 4000)
    except BadText:
        assume(False)

    assert body(stored, 8000) == stored


@pytest.mark.parametrize(
    "given_id", ["a", "7b1e7f0e-5a39-4f0e-9a0a-6f9f6c6d1c11", "x" * 64, "order-5-paid", "!~"]
)
def test_an_id_of_visible_ascii_is_taken(given_id):
    assert client_id(given_id) == given_id


@pytest.mark.parametrize("given_id", ["", "x" * 65, "a b", "a\n", "é", "\x00", None, 5])
def test_any_other_id_is_refused(given_id):
    with pytest.raises(BadValue) as caught:
        client_id(given_id)

    assert (
        caught.value.detail == "A message's id must have 1 to 64 visible ASCII characters, preferably a UUID."
    )
