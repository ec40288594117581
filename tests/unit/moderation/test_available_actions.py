"""The role and sanctions of a person, and the actions that are available about them."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from django_roomchat.identity import Identity, of_user
from django_roomchat.messages.post import post_message
from django_roomchat.moderation.available_actions import look_at
from django_roomchat.moderation.sanctions import ban, mute
from django_roomchat.policy import NOT_ALLOWED, OpenPolicy
from django_roomchat.rooms.create import create_room
from django_roomchat.rooms.direct import direct_room
from django_roomchat.rooms.members import add_member

pytestmark = pytest.mark.django_db(transaction=True)
OWNER, MODERATOR, MEMBER, WRITER = (
    Identity(f"u:{name.lower()}", name) for name in ("Owner", "Moderator", "Member", "Writer")
)
STAFF = of_user(User(pk=77, username="staff", is_staff=True))
EVERYBODY = (OWNER, MODERATOR, MEMBER, WRITER)
ALL = ["write", "block", "mute", "ban", "remove"]


@pytest.fixture
def room():
    room = create_room("Club")
    for who in (OWNER, MODERATOR, MEMBER):
        add_member(room, who, role=who.name.lower())
    post_message(room.name, "hello", author=WRITER, id="1")
    return room


def powers(room, *, by):
    """The actions that *by* may take about each person."""
    return {who.name: look_at(room, who.key, by=by).may for who in EVERYBODY}


def test_a_person_of_a_lower_rank_can_be_moderated(room):
    assert powers(room, by=WRITER) == {
        "Owner": ["write", "block"],
        "Moderator": ["write", "block"],
        "Member": ["write", "block"],
        "Writer": [],
    }
    assert powers(room, by=MODERATOR) == {
        "Owner": ["write", "block"],
        "Moderator": [],
        "Member": ALL,
        "Writer": ["write", "block", "mute", "ban"],
    }


def test_owners_give_roles_to_members_and_to_themselves(room):
    assert powers(room, by=OWNER) == {
        "Owner": ["role"],
        "Moderator": [*ALL, "role"],
        "Member": [*ALL, "role"],
        "Writer": ["write", "block", "mute", "ban"],
    }
    assert powers(room, by=STAFF)["Owner"] == [*ALL, "role"]


def test_two_people_judge_nobody():
    room = direct_room(OWNER, MEMBER)

    assert look_at(room, MEMBER.key, by=OWNER).may == ["block"]


def test_nobody_is_written_to_where_the_policy_says_no_or_whom_nobody_has_met(room, settings):
    assert look_at(room, WRITER.key, by=MEMBER).may == ["write", "block"]
    assert look_at(room, "u:nobody", by=MEMBER).may == []
    settings.ROOMCHAT = {"POLICY": Shy}

    assert look_at(room, WRITER.key, by=MEMBER).may == ["block"]


class Shy(OpenPolicy):
    def can_write_to(self, who, other):
        return NOT_ALLOWED


def test_a_room_shows_sanctions_of_a_person_to_moderators_only(room):
    until = timezone.now() + timedelta(hours=1)
    mute(room, MEMBER, by=OWNER, reason="Loud.", until=until)
    ban(room, WRITER, by=OWNER)

    seen = {who: [look_at(room, key, by=who) for key in (MEMBER.key, WRITER.key)] for who in (OWNER, MEMBER)}

    assert [(one.name, one.role) for one in seen[OWNER]] == [("Member", "member"), ("Writer", "")]
    assert (seen[OWNER][0].mute.reason, seen[OWNER][0].mute.until, seen[OWNER][0].ban) == (
        "Loud.",
        until,
        None,
    )
    assert (seen[OWNER][1].mute, seen[OWNER][1].ban.reason) == (None, "")
    assert [(one.mute, one.ban) for one in seen[MEMBER]] == [(None, None)] * 2


def test_over_the_wire_what_stands_is_told_with_its_end(room):
    user = User.objects.create_user("ana")
    add_member(room, user, role="owner")
    mute(room, MEMBER, reason="Loud.", until=timezone.now() + timedelta(hours=1))
    browser = Client()
    browser.force_login(user)

    def ask(**frame):
        address = reverse("roomchat:room_frames", args=[room.name])
        return browser.post(address, json.dumps({"id": "x", **frame}), "application/json").json()

    person, listed = ask(type="person", key=MEMBER.key), ask(type="sanctions")

    until = person["muted"].pop("until")
    assert timedelta(minutes=59) < timezone.datetime.fromisoformat(until) - timezone.now()
    assert person == {
        "type": "person",
        "id": "x",
        "room": "club",
        "key": MEMBER.key,
        "may": [*ALL, "role"],
        "name": "Member",
        "role": "member",
        "muted": {"reason": "Loud."},
    }
    assert listed["sanctions"] == [
        {"key": MEMBER.key, "name": "Member", "muted": {"reason": "Loud.", "until": until}}
    ]
    assert ask(type="settings") == {
        "type": "settings",
        "id": "x",
        "room": "club",
        "title": "Club",
        "visibility": "open",
        "listed": True,
    }
