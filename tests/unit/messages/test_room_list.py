"""The list of rooms of a person."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_roomchat import log
from django_roomchat.identity import Identity
from django_roomchat.messages.edit import delete_message
from django_roomchat.messages.reactions import react
from django_roomchat.messages.read_markers import mark_read, set_notifications
from django_roomchat.messages.room_list import unread
from django_roomchat.models import Ban, Membership, Message, ReadMarker, Room, RoomLog
from django_roomchat.protocol import LastMessage, ListedRoom
from django_roomchat.rooms.direct import direct_room
from django_roomchat.rooms.members import add_member
from django_roomchat.rooms.settings import configure_room
from tests.support.unread import ANA, BEN, age, counting_queries, join, mention, private, raise_version, say

pytestmark = pytest.mark.django_db(transaction=True)


def last_words(who):
    return [room.last.body for room in unread(who)]


def names(who):
    return {room.name: (room.unread, room.mentions) for room in unread(who)}


def test_a_room_of_the_list_is_told_whole():
    say("one", room="Lobby")
    seq = say("two")
    mark_read("lobby", 1, by=ANA)
    mention(seq, "g:ana")
    join(ANA, role="moderator")
    set_notifications("lobby", by=ANA, enabled=False)
    [room] = unread(ANA)

    assert room == ListedRoom(
        name="lobby",
        title="Lobby",
        visibility="open",
        head=2,
        changed_at=room.changed_at,
        role="moderator",
        unread=1,
        mentions=1,
        last=LastMessage(2, room.last.at, "g:ben", "Ben", "two"),
        muted=True,
        yours=True,
    )
    assert room.changed_at.endswith("Z")
    assert room.last.at == log.iso(Message.objects.get(seq=2).created_at)


def test_the_list_has_ones_own_rooms_and_those_that_are_listed():
    say("hi", room="listed")
    say("hi", room="unlisted")
    say("hi", room="read")
    say("hi", room="member")
    Room.objects.exclude(name="listed").update(is_listed=False)
    mark_read("read", 0, by=ANA)
    join(ANA, "member")
    private("theirs")
    mine = private("mine")
    join(ANA, mine.name)
    Room.objects.create(name="made", title="made")  # by the project, without a log

    assert set(names(ANA)) == {"listed", "read", "member", mine.name}
    assert set(names(Identity("site:1", "Site", is_site=True))) == {"listed"}


def test_a_room_that_one_is_banned_from_or_removed_from_is_not_in_the_list():
    say("hi")
    mark_read("lobby", 0, by=ANA)
    before = names(ANA)
    room = Room.objects.get()
    Ban.objects.create(room=room, key="g:ana")
    raise_version(room)
    secret = private()
    ReadMarker.objects.create(room=secret, key="g:ana")

    assert before == {"lobby": (1, 0)}
    assert names(ANA) == {}


def test_nothing_is_unread_where_one_has_never_been():
    say("hi")

    assert names(ANA) == {"lobby": (0, 0)}


def test_for_a_member_who_never_opened_the_room_it_is_what_was_said_since_they_came():
    say("before")
    age(hours=2)
    join(ANA, ago=timedelta(hours=1))
    say("after")

    assert names(ANA) == {"lobby": (1, 0)}


def test_the_last_message_is_one_that_is_not_deleted():
    say("one")
    delete_message("lobby", say("two"), by=BEN)

    assert last_words(ANA) == ["one"]


def test_system_messages_are_not_the_last_message_of_a_room():
    configure_room("lobby", tells_changes=True)
    say("one")
    add_member("lobby", BEN)

    assert Message.objects.get(seq=2).body == "Ben joined."
    assert last_words(ANA) == ["one"]


def test_the_room_in_which_something_was_said_last_comes_first():
    say("one", room="changed last")
    say("two", room="said last")
    Message.objects.filter(room__name="changed last").update(created_at=timezone.now() - timedelta(hours=1))
    react("changed last", 1, "👍", by=BEN)

    assert last_words(ANA) == ["two", "one"]


def test_no_more_rooms_are_listed_than_wanted():
    for room in "abc":
        say("hi", room=room)

    assert [room.name for room in unread(ANA, limit=2)] == ["c", "b"]


def test_ones_own_rooms_go_before_the_others():
    for room in ("mine", "new", "newer"):
        say(room, room=room)
    mark_read("mine", 1, by=ANA)

    assert [(room.name, room.yours) for room in unread(ANA, limit=2)] == [("newer", False), ("mine", True)]


def test_a_direct_room_is_called_by_the_other_person():
    direct_room(ANA, BEN)

    assert [[room.title for room in unread(who)] for who in (ANA, BEN)] == [["Ben"], ["Ana"]]


def test_an_archived_room_says_so():
    say("one")
    configure_room("lobby", is_archived=True)

    assert [room.archived for room in unread(ANA)] == [True]


def test_a_room_in_which_everything_is_deleted_has_no_last_message():
    delete_message("lobby", say("one"), by=BEN)

    assert unread(ANA)[0].last is None


def test_the_list_of_500_rooms_costs_three_queries():
    rooms = Room.objects.bulk_create(Room(name=f"room {n}", title=f"Room {n}") for n in range(520))
    RoomLog.objects.bulk_create(RoomLog(room=room, head=3, access_version=1) for room in rooms)
    Message.objects.bulk_create(
        Message(
            room=room, seq=seq, rev=seq, author_key="g:ben", author_name="Ben", client_id=str(seq), body="hi",
            created_at=timezone.now(),
        )
        for room in rooms
        for seq in (1, 2, 3)
    )  # fmt: skip
    Membership.objects.bulk_create(Membership(room=room, key="g:ana", name="Ana") for room in rooms[:300])
    ReadMarker.objects.bulk_create(ReadMarker(room=room, key="g:ana", seq=1) for room in rooms[:500])
    with CaptureQueriesContext(connection) as captured:
        found = unread(ANA)

    assert len(captured) == 3 + counting_queries(500)
    assert len(found) == 500
    assert {(room.unread, room.last.body) for room in found} == {(2, "hi")}
