import pytest
from django.contrib.auth.models import User

from django_roomchat.errors import Forbidden
from django_roomchat.identity import new_guest, of_user, site
from django_roomchat.models import Room, RoomLog
from django_roomchat.policy import (
    ALLOWED,
    Decision,
    OpenPolicy,
    Policy,
    SignedInPolicy,
    policy,
    require,
    require_entry,
    require_post,
)

MEMBER = of_user(User(pk=1, username="ana"))
GUEST = new_guest()
ROOM = Room(pk=1, name="lobby", title="Lobby")
RoomLog(room=ROOM)
NEW_ROOM = Room(name="lobby", title="Lobby")


class Nobody(OpenPolicy):
    """Says no to one question."""

    def __init__(self, question):
        setattr(self, question, lambda who, room: Decision(False, f"No: {question}.", code=question))


def questions(chosen, who):
    return [ask(who, ROOM) for ask in (chosen.can_enter, chosen.can_post, chosen.can_create, chosen.can_list)]


def test_a_decision_is_true_where_it_allows():
    assert (bool(ALLOWED), bool(Decision(True)), bool(Decision(False))) == (True, True, False)


@pytest.mark.parametrize("who", [MEMBER, GUEST])
def test_the_open_policy_lets_everybody_do_everything(who):
    assert questions(OpenPolicy(), who) == [ALLOWED] * 4


def test_the_signed_in_policy_lets_users_do_everything():
    assert questions(SignedInPolicy(), MEMBER) == [ALLOWED] * 4


def test_the_signed_in_policy_asks_guests_to_sign_in():
    no = Decision(False, "Sign in to use the chat.", code="sign_in")
    decisions = questions(SignedInPolicy(), GUEST)

    assert [Decision(one.allowed, str(one.detail), one.code) for one in decisions] == [no] * 4


def test_a_policy_that_answers_nothing_says_what_to_define():
    with pytest.raises(NotImplementedError) as enter:
        Policy().can_enter(GUEST, ROOM)
    with pytest.raises(NotImplementedError) as post:
        Policy().can_post(GUEST, ROOM)

    assert [str(enter.value), str(post.value)] == [
        "Policy does not say who may enter a room: define can_enter().",
        "Policy does not say who may post: define can_post().",
    ]


def test_who_may_not_enter_a_room_does_not_see_it_listed():
    assert Nobody("can_enter").can_list(GUEST, ROOM) == Decision(False, "No: can_enter.", code="can_enter")


def test_a_refusal_carries_the_policys_code_and_sentence():
    with pytest.raises(Forbidden) as caught:
        require(Decision(False, "Not on Sundays.", code="sunday"))

    assert (caught.value.code, caught.value.detail) == ("sunday", "Not on Sundays.")


def test_a_refusal_without_a_sentence_gets_one():
    with pytest.raises(Forbidden) as caught:
        require(Decision(False))

    assert (caught.value.code, caught.value.detail) == ("forbidden", "You may not do this.")


def test_what_is_allowed_goes_on():
    assert require(ALLOWED) is None


def refused(who, room, ask):
    try:
        ask(who, room)
    except Forbidden as error:
        return error.code
    return None


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


def test_the_site_itself_is_not_asked(settings):
    settings.ROOMCHAT = {"POLICY": SignedInPolicy}
    guest = refused(GUEST, NEW_ROOM, require_entry), refused(GUEST, NEW_ROOM, require_post)

    assert guest == ("sign_in", "sign_in")
    assert (refused(site(), NEW_ROOM, require_entry), refused(site(), NEW_ROOM, require_post)) == (None, None)


def test_a_changed_policy_is_in_force_at_once(settings):
    before = type(policy())

    settings.ROOMCHAT = {"POLICY": "django_roomchat.policy.SignedInPolicy"}

    assert (before, type(policy())) == (OpenPolicy, SignedInPolicy)


def test_a_policy_is_made_once(settings):
    before = policy()

    settings.DEBUG = True

    assert policy() is before
