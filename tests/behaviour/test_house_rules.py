"""Restrictions that apply under every policy: hidden rooms, archived rooms, mutes and bans."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from django_roomchat.errors import ChatError
from django_roomchat.identity import Identity, of_user, site
from django_roomchat.models import Ban, Membership, Message, Mute, Room, RoomLog
from django_roomchat.policy import (
    OpenPolicy,
    policy,
    require_active,
    require_edit,
    require_entry,
    require_may,
    require_moderation,
    require_post,
    rights,
)
from django_roomchat.rooms import lookup

pytestmark = pytest.mark.django_db(transaction=True)
STRANGER = Identity("u:stranger", "Stranger")
MEMBER = Identity("u:member", "Member")
MODERATOR = Identity("u:moderator", "Moderator")
OWNER = Identity("u:owner", "Owner")
STAFF = of_user(User(pk=77, username="staff", is_staff=True))
SITE = site()
EVERYBODY = (STRANGER, MEMBER, MODERATOR, OWNER, STAFF, SITE)


@pytest.fixture
def make_room():
    def make(name="lobby", **settings):
        room = lookup.ensure_room(Room(name=name, title=name))
        Room.objects.filter(pk=room.pk).update(**settings)
        for who, role in ((MEMBER, "member"), (MODERATOR, "moderator"), (OWNER, "owner")):
            Membership.objects.create(room=room, key=who.key, name=who.name, role=role)
        RoomLog.objects.filter(pk=room.pk).update(access_version=1)
        return Room.objects.select_related("log").get(pk=room.pk)

    return make


def code(ask, *about):
    try:
        ask(*about)
    except ChatError as error:
        return error.code
    return None


def codes(ask, room, *about):
    """The error code that each person receives."""
    return [code(ask, who, room, *about) for who in EVERYBODY]


def test_an_open_room_is_entered_by_everybody(make_room):
    room = make_room()

    assert (codes(require_entry, room), codes(require_post, room)) == ([None] * 6, [None] * 6)


@pytest.mark.parametrize("visibility", ["private", "direct"])
def test_a_private_room_does_not_exist_for_who_is_no_member_of_it(make_room, visibility):
    room = make_room("~x", visibility=visibility)
    no = "no_such_room"

    assert codes(require_entry, room) == [no, None, None, None, no, None]
    assert codes(require_active, room, "can_react") == [no, None, None, None, no, None]


def test_its_answer_is_that_of_a_room_that_does_not_exist(make_room):
    with pytest.raises(ChatError) as private:
        require_entry(STRANGER, make_room("~x", visibility="private"))
    with pytest.raises(ChatError) as missing:
        require_entry(STRANGER, Room(name="~y", title="~y"))

    assert (private.value.code, private.value.detail, private.value.status) == (
        missing.value.code,
        missing.value.detail,
        missing.value.status,
    )


def test_nobody_makes_a_hidden_room_by_going_there():
    assert codes(require_entry, Room(name="~y", title="~y")) == ["no_such_room"] * 6


def test_an_archived_room_is_read_only(make_room):
    room = make_room(archived_at=timezone.now())
    message = Message(room=room, author_key=MEMBER.key, created_at=timezone.now())

    assert codes(require_entry, room) == [None] * 6
    assert codes(require_post, room) == ["archived"] * 5 + [None]
    assert codes(require_edit, room, message) == ["archived"] * 5 + [None]
    assert codes(require_active, room, "can_react") == ["archived"] * 5 + [None]
    assert codes(require_moderation, room)[2:] == [None] * 4


def test_in_an_announcement_room_moderators_post(make_room):
    room = make_room(is_announcement=True)

    assert codes(require_post, room) == ["announcement"] * 2 + [None] * 4


def test_who_is_muted_may_read_and_not_post(make_room):
    room = make_room()
    Mute.objects.create(room=room, key="u:loud", until=timezone.now() + timedelta(seconds=60))
    loud = Identity("u:loud", "Loud")

    with pytest.raises(ChatError) as caught:
        require_post(loud, room)

    assert caught.value.code == "muted"
    assert 0 < caught.value.retry_after <= 60
    assert (code(require_entry, loud, room), code(require_active, loud, room, "can_react")) == (None, "muted")


BANNED = "You are banned from this room. A moderator can end this."


def test_a_banned_person_may_do_nothing_and_receives_the_reason(make_room):
    room = make_room()
    Ban.objects.create(room=room, key="u:rude", reason="Rude.")
    Ban.objects.create(room=room, key="u:ruder")

    said = []
    for key in ("u:rude", "u:ruder"):
        with pytest.raises(ChatError) as caught:
            require_entry(Identity(key, ""), room)
        said.append((caught.value.code, caught.value.detail))

    assert said == [("banned", f"{BANNED} Reason: Rude."), ("banned", BANNED)]


@pytest.mark.parametrize(
    ("question", "allowed"),
    [
        ("can_react", (STRANGER, MEMBER, MODERATOR, OWNER, STAFF)),
        ("can_report", (STRANGER, MEMBER, MODERATOR, OWNER, STAFF)),
        ("can_pin", (MODERATOR, OWNER, STAFF)),
        ("can_invite", (MODERATOR, OWNER, STAFF)),
        ("can_moderate", (MODERATOR, OWNER, STAFF)),
        ("can_manage", (OWNER, STAFF)),
    ],
)
def test_roles_answer_what_the_policy_does_not(make_room, question, allowed):
    answers = codes(require_may, make_room(), question)

    assert answers == [None if who in (*allowed, SITE) else "forbidden" for who in EVERYBODY]


def test_in_a_direct_room_nobody_rules(make_room):
    room = make_room("~x", visibility="direct")
    questions = ("can_pin", "can_invite", "can_moderate", "can_manage")

    assert [code(require_may, OWNER, room, question) for question in questions] == [None] + ["forbidden"] * 3


def test_rights_are_told_by_their_names(make_room):
    room = make_room()

    assert {who.name: rights(who, room) for who in (STRANGER, MODERATOR, OWNER)} == {
        "Stranger": ["post", "react", "report"],
        "Moderator": ["post", "react", "pin", "report", "invite", "moderate"],
        "Owner": ["post", "react", "pin", "report", "invite", "moderate", "manage"],
    }


def test_an_unlisted_room_is_listed_for_its_members(make_room):
    room = make_room(is_listed=False)

    assert [bool(policy().can_list(who, room)) for who in (STRANGER, MEMBER)] == [False, True]


def test_messages_are_edited_for_a_while(settings):
    settings.ROOMCHAT = {"EDIT_SECONDS": 60}
    room = Room(name="lobby")
    now = timezone.now()
    new = Message(author_key=MEMBER.key, created_at=now - timedelta(seconds=50))
    old = Message(author_key=MEMBER.key, created_at=now - timedelta(seconds=70))

    answers = [policy().can_edit(MEMBER, room, message) for message in (new, old)]

    assert [(bool(answer), answer.code) for answer in answers] == [(True, "forbidden"), (False, "too_late")]


def test_nobody_edits_what_the_system_says():
    said = Message(author_key=MEMBER.key, kind="system", created_at=timezone.now())

    assert not OpenPolicy().can_edit(MEMBER, Room(name="lobby"), said)


def test_what_a_message_said_before_is_for_its_author_and_for_moderators(make_room):
    room = make_room()
    message = Message(author_key=MEMBER.key)

    seen = [bool(policy().can_see_edits(who, room, message)) for who in (STRANGER, MEMBER, MODERATOR)]

    assert seen == [False, True, True]
