"""System messages about members and settings."""

from typing import get_args, get_type_hints

import pytest
from django.db import transaction
from django.utils import translation

from django_roomchat import (
    add_member,
    leave_room,
    remove_member,
    set_role,
)
from django_roomchat.identity import Identity
from django_roomchat.models import Message
from django_roomchat.protocol import Line
from django_roomchat.rooms import system_messages
from django_roomchat.rooms.system_messages import _SENTENCES
from tests.support.members import MEMBER, MODERATOR, OWNER, ROLES, STRANGER, roles
from tests.support.rooms import said

pytestmark = pytest.mark.django_db(transaction=True)
GUEST = Identity("g:1", "Guest 1", is_guest=True)


def test_members_who_join_and_leave_make_system_messages(make_room):
    room = make_room(tells_changes=True)

    add_member(room, STRANGER, by=STRANGER)
    add_member(room, GUEST, by=OWNER)
    set_role(room, STRANGER, "moderator", by=OWNER)
    set_role(room, STRANGER, "owner")
    remove_member(room, GUEST, by=OWNER)
    remove_member(room, MODERATOR)
    leave_room(room, by=MEMBER)

    assert said(room) == [
        "Stranger joined.",
        "Owner added Guest 1.",
        "Stranger: moderator (by Owner)",
        "Stranger: owner",
        "Owner removed Guest 1.",
        "Moderator was removed.",
        "Member left.",
    ]
    data = [message.data["line"] for message in Message.objects.order_by("seq")]
    assert data[1:3] == [
        {
            "code": "joined",
            "name": "Guest 1",
            "by": "Owner",
            "target_key": GUEST.key,
            "by_key": OWNER.key,
        },
        {
            "code": "role",
            "name": "Stranger",
            "by": "Owner",
            "value": "moderator",
            "target_key": STRANGER.key,
            "by_key": OWNER.key,
        },
    ]


def test_a_room_without_system_messages_stores_none(room):
    add_member(room, STRANGER)

    assert said(room) == []


def test_what_is_undone_is_not_told(make_room):
    room = make_room(tells_changes=True)

    with transaction.atomic():
        add_member(room, STRANGER)
        transaction.set_rollback(True)

    assert (said(room), roles(room)) == ([], {who.name: role for who, role in ROLES.items()})


def test_there_is_a_sentence_for_every_line():
    assert set(_SENTENCES) == set(get_args(get_type_hints(Line)["code"]))


@pytest.mark.parametrize("code", get_args(get_type_hints(Line)["code"]))
def test_a_sentence_names_the_people_and_the_value(code):
    alone = system_messages.said(Line(code, "Ana", "", "owner"))
    by_another = system_messages.said(Line(code, "Ana", "Bob", "owner"))

    shown = (alone, by_another)
    assert all(sentence and "%(" not in sentence for sentence in shown)
    assert ("Ana" in alone) is (code in ("joined", "left", "removed", "role"))
    assert ("Bob" in by_another) is (code != "left")
    assert "Bob" not in alone


def test_a_sentence_is_stored_in_the_language_of_the_site(make_room, settings):
    settings.LANGUAGE_CODE = "de"
    room = make_room(tells_changes=True)

    with translation.override("fr"):
        add_member(room, STRANGER, by=STRANGER)

    [body] = said(room)
    with translation.override("de"):
        assert body == system_messages.said(Line("joined", "Stranger"))


def test_the_script_has_a_template_for_each_sentence():
    codes = get_args(get_type_hints(Line)["code"])
    words = system_messages.words()

    assert {f"line_{code}{ending}" for code in codes for ending in ("", "_by")} <= set(words)
    assert (words["line_joined_by"], words["role_owner"]) == ("{by} added {name}.", "owner")
