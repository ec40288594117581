import re

import pytest
from django.utils.translation import gettext_lazy

from django_roomchat import errors
from django_roomchat.errors import Busy, ChatError, Forbidden, TryAgain

CODES = {
    "BadFile": "bad_file",
    "BadFrame": "bad_frame",
    "BadJSON": "bad_json",
    "BadRoomName": "bad_room_name",
    "BadText": "bad_text",
    "BadValue": "bad_value",
    "Busy": "busy",
    "ChatError": "error",
    "Forbidden": "forbidden",
    "Held": "held",
    "IdReused": "id_reused",
    "NotFound": "not_found",
    "RateLimited": "rate_limited",
    "TooBig": "too_big",
    "TryAgain": "unavailable",
    "UnknownType": "unknown_type",
    "Unsupported": "unsupported",
}


def tree():
    return {
        name: kind
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, ChatError)
    }


def test_the_codes_are_those_of_the_wire_and_do_not_change():
    assert {name: kind.code for name, kind in tree().items()} == CODES


def test_the_tree_drawn_at_the_top_is_the_tree():
    drawn = re.findall(r"(\w+) +([a-z_]+)  ", errors.__doc__)

    assert dict(drawn) == {name: code for name, code in CODES.items() if name != "ChatError"}


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("ChatError", 400),
        ("BadFrame", 400),
        ("TooBig", 413),
        ("Unsupported", 415),
        ("BadRoomName", 400),
        ("Forbidden", 403),
        ("NotFound", 404),
        ("IdReused", 409),
        ("TryAgain", 503),
        ("Busy", 503),
        ("Held", 202),
        ("RateLimited", 429),
    ],
)
def test_a_view_answers_with_the_status_of_the_error(kind, status):
    assert tree()[kind].status == status


def test_what_may_succeed_later_says_when():
    assert (TryAgain("Later.").retry_after, Busy("Later.", retry_after=3.0).retry_after) == (1.0, 3.0)


def test_what_will_not_succeed_later_does_not_say_when():
    assert Forbidden("No.").retry_after is None


def test_a_policy_may_give_a_code_of_its_own():
    assert (Forbidden("No.", code="sign_in").code, Forbidden.code) == ("sign_in", "forbidden")


def test_a_lazy_detail_becomes_a_text_when_it_is_read():
    detail = Forbidden(gettext_lazy("No.")).detail

    assert (type(detail), detail) == (str, "No.")
