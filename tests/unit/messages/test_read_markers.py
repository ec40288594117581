"""Read markers and unread counts."""

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_roomchat import pubsub
from django_roomchat.errors import BadRoomName, BadValue, Forbidden, NotFound
from django_roomchat.identity import Identity
from django_roomchat.messages import read_markers, room_list, unread_notifications
from django_roomchat.messages.read_markers import Mark, mark_all, mark_read
from django_roomchat.models import Ban, ReadMarker, Room
from django_roomchat.protocol import Marked
from tests.support.unread import ANA, BEN, private, raise_version, say

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def published(monkeypatch):
    heard = []
    monkeypatch.setattr(
        pubsub, "publish", lambda news: heard.append(news) if isinstance(news, pubsub.Notice) else None
    )
    return heard


def test_a_marker_says_what_is_unread_after_it():
    say("one", "two", "three")

    assert mark_read("Lobby", 2, by=ANA) == Marked("lobby", 2, 1, 0)
    assert ReadMarker.objects.get().key == "g:ana"


def test_a_marker_never_goes_back():
    say("one", "two", "three")
    mark_read("lobby", 3, by=ANA)

    assert mark_read("lobby", 1, by=ANA) == Marked("lobby", 3, 0, 0)


def test_a_marker_never_stands_beyond_the_last_message():
    say("one")

    assert mark_read("lobby", 2**53 - 1, by=ANA) == Marked("lobby", 1, 0, 0)


def test_a_marker_of_a_user_has_the_user(django_user_model):
    ana = django_user_model.objects.create(username="ana")
    say("one")
    mark_read(Room.objects.get(), 1, by=ana)

    assert ReadMarker.objects.get().user == ana


def test_a_room_that_does_not_exist_has_nothing_to_read():
    assert mark_read("nowhere", 5, by=ANA) == Marked("nowhere", 0, 0, 0)
    assert not ReadMarker.objects.exists()


def test_many_marks_cost_as_many_queries_as_one():
    for number in range(20):
        say("one", "two", room=f"room {number}")
    people = [Identity(f"g:{number}", "Guest") for number in range(5)]
    wanted = [Mark(who, f"room {number}", 1) for number in range(20) for who in people]
    with CaptureQueriesContext(connection) as first:
        done = mark_all(wanted)
    with CaptureQueriesContext(connection) as again:
        mark_all(wanted)

    assert (done[0], len(done)) == (Marked("room 0", 1, 1, 0), 100)
    assert (len(first) <= 8, len(again) <= 8) == (True, True)


def test_of_several_marks_for_one_person_the_furthest_counts():
    say("one", "two", "three")

    assert mark_all([Mark(ANA, "lobby", seq) for seq in (1, 3, 2)]) == [Marked("lobby", 3, 0, 0)] * 3


def test_a_mark_that_is_refused_harms_no_other():
    say("one")
    room = Room.objects.get()
    Ban.objects.create(room=room, key="g:ben")
    raise_version(room)
    private()
    done = mark_all(
        [
            Mark(BEN, "lobby", 1),
            Mark(ANA, "~secret", 1),
            Mark(ANA, "~nothing", 1),
            Mark(ANA, "a/b", 1),
            Mark(ANA, "lobby", -1),
            Mark(ANA, "lobby", 1),
        ]
    )

    assert [getattr(result, "code", result) for result in done] == [
        "banned",
        "no_such_room",
        "no_such_room",
        "bad_room_name",
        "bad_value",
        Marked("lobby", 1, 0, 0),
    ]
    assert [type(result) for result in done[:5]] == [Forbidden, NotFound, NotFound, BadRoomName, BadValue]


def test_a_mark_alone_raises_what_refuses_it():
    with pytest.raises(BadRoomName):
        mark_read("a/b", 1, by=ANA)


def test_the_persons_sockets_are_told(published):
    say("one", "two")
    mark_read("lobby", 1, by=ANA)

    assert published == [published[0]]
    assert (published[0].topic, published[0].room) == ("read", pubsub.BROADCAST)
    assert len(published[0].data.pop("id")) == 32
    assert published[0].data == {"marks": [["g:ana", "lobby", 1, 1, 0]]}


def test_each_verb_has_a_twin():
    say("one")

    assert async_to_sync(read_markers.amark_read)("lobby", 1, by=ANA) == Marked("lobby", 1, 0, 0)
    assert async_to_sync(read_markers.aset_notifications)("lobby", by=ANA, enabled=False).name == "lobby"
    assert [room.name for room in async_to_sync(room_list.aunread)(ANA)] == ["lobby"]
    assert async_to_sync(unread_notifications.anotify_unread)(5) == 0
