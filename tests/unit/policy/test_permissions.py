"""Permission checks of actions, over the project's policy."""

import pytest

from django_roomchat.errors import Forbidden
from django_roomchat.identity import site
from django_roomchat.policy import (
    ALLOWED,
    Decision,
    SignedInPolicy,
    refusal,
    require,
    require_entry,
    require_post,
)
from tests.support.policies import GUEST, NEW_ROOM, ROOM, Nobody, refused


def test_a_refusal_carries_the_policys_code_and_sentence():
    with pytest.raises(Forbidden) as caught:
        require(Decision(False, "Not on Sundays.", code="sunday"))

    assert (caught.value.code, caught.value.detail) == ("sunday", "Not on Sundays.")


def test_a_refusal_without_a_sentence_gets_one():
    with pytest.raises(Forbidden) as caught:
        require(Decision(False))

    assert (caught.value.code, caught.value.detail) == ("forbidden", "You are not allowed to do this.")


def test_what_is_allowed_goes_on():
    assert require(ALLOWED) is None


@pytest.mark.parametrize(
    ("no_to", "entry", "post", "post_to_new"),
    [
        ("can_enter", "can_enter", "can_enter", "can_enter"),
        ("can_post", None, "can_post", "can_post"),
        ("can_create", None, None, "can_create"),
        ("can_list", None, None, None),
    ],
)
def test_each_question_stands_before_its_door(settings, no_to, entry, post, post_to_new):
    settings.ROOMCHAT = {"POLICY": lambda: Nobody(no_to)}

    answers = (
        refused(GUEST, ROOM, require_entry),
        refused(GUEST, ROOM, require_post),
        refused(GUEST, NEW_ROOM, require_post),
    )

    assert answers == (entry, post, post_to_new)


def test_a_refusal_is_the_error_that_the_check_raises(settings):
    settings.ROOMCHAT = {"POLICY": lambda: Nobody("can_post")}
    found = refusal(require_post, GUEST, ROOM)
    settings.ROOMCHAT = {"POLICY": lambda: Nobody("can_list")}

    assert (found.code, found.detail) == ("can_post", "No: can_post.")
    assert refusal(require_post, GUEST, ROOM) is None


def test_the_site_itself_is_not_asked(settings):
    settings.ROOMCHAT = {"POLICY": SignedInPolicy}
    guest = refused(GUEST, NEW_ROOM, require_entry), refused(GUEST, NEW_ROOM, require_post)

    assert guest == ("sign_in", "sign_in")
    assert (refused(site(), NEW_ROOM, require_entry), refused(site(), NEW_ROOM, require_post)) == (None, None)
