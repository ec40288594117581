"""Ranks of people in a room, and people who are named by their key."""

import pytest
from django.contrib.auth.models import User

from django_roomchat import add_member, create_room, identity, post_message
from django_roomchat.errors import Forbidden, NotFound
from django_roomchat.identity import Identity
from django_roomchat.policy import ranks

pytestmark = pytest.mark.django_db
OWNER, MODERATOR, OTHER_MODERATOR, MEMBER = (
    Identity(f"u:{name}", name.title()) for name in ("owner", "mod", "mod2", "member")
)
STRANGER = Identity("g:stranger", "Stranger", is_guest=True)


@pytest.fixture
def room():
    room = create_room("Club")
    for who, role in (
        (OWNER, "owner"),
        (MODERATOR, "moderator"),
        (OTHER_MODERATOR, "moderator"),
        (MEMBER, "member"),
    ):
        add_member(room, who, role=role)
    return room


@pytest.fixture
def staff():
    return identity.of_user(User.objects.create_user("staff", is_staff=True))


def refusal(by, room, target):
    try:
        ranks.require_rank(by, room, target)
    except Forbidden as error:
        return error.code
    return None


@pytest.mark.parametrize(
    ("by", "target", "code"),
    [
        (MODERATOR, MEMBER, None),
        (MODERATOR, STRANGER, None),
        (MODERATOR, OTHER_MODERATOR, "rank"),
        (MODERATOR, OWNER, "rank"),
        (OWNER, MODERATOR, None),
        (OWNER, OWNER, "yourself"),
        (MEMBER, STRANGER, "forbidden"),
    ],
)
def test_a_moderator_acts_only_on_lower_ranks(room, by, target, code):
    assert refusal(by, room, target) == code


def test_staff_are_above_owners_and_below_the_site(room, staff):
    assert (
        refusal(staff, room, OWNER),
        refusal(OWNER, room, staff),
        refusal(identity.site(), room, staff),
    ) == (
        None,
        "rank",
        None,
    )


def test_a_target_may_be_a_key(room):
    assert ranks.require_rank(MODERATOR, room, MEMBER.key) == Identity(MEMBER.key, "Member")


def test_a_key_of_a_member_has_the_name_of_the_membership(room):
    post_message("club", "hi", author=Identity(MEMBER.key, "Old name"))

    assert ranks.person(room, MEMBER.key).name == "Member"


def test_a_key_of_an_author_has_the_name_of_the_latest_message(room):
    for name in ("Old", "New"):
        post_message("club", "hi", author=Identity("g:author", name, is_guest=True))

    assert (ranks.person(room, "g:author").name, ranks.met_in(room, "g:author").is_guest) == ("New", True)


def test_a_key_of_a_user_has_the_user(room, django_user_model):
    user = django_user_model.objects.create_user("zoe")
    add_member(room, user)

    found = ranks.met_in(room, identity.of_user(user).key)

    assert (found.user, found.is_guest) == (user, False)


@pytest.mark.parametrize("key", ["g:nobody", "", identity.site().key])
def test_a_key_that_is_not_in_the_room_is_not_found(room, key):
    with pytest.raises(NotFound) as caught:
        ranks.met_in(room, key)

    assert caught.value.code == "no_such_person"
