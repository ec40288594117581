"""Signals for users with unread messages."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_roomchat import signals
from django_roomchat.identity import of_user
from django_roomchat.messages import unread_notifications
from django_roomchat.messages.post import post_messages
from django_roomchat.messages.read_markers import mark_read, set_notifications
from django_roomchat.messages.types import NewPost
from django_roomchat.messages.unread_notifications import notify_unread
from django_roomchat.models import Ban, ReadMarker, Room
from tests.support.unread import BEN, age, counting_queries, join, mention, raise_version, say

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def told():
    """The users and rooms for which the signal was sent."""
    heard = []

    def receive(sender, user, rooms, **kwargs):
        heard.append((user.username, [(room.name, count, mentions) for room, count, mentions in rooms]))

    signals.unread_for_a_while.connect(receive)
    yield heard
    signals.unread_for_a_while.disconnect(receive)


def test_who_leaves_something_unread_is_told_once(ana, told):
    say("one", "two")
    mark_read("lobby", 0, by=ana)
    early = notify_unread(10)
    age(minutes=11)
    counts = [notify_unread(10), notify_unread(10)]
    say("three")
    age(minutes=11)
    counts.append(notify_unread(10))

    assert (early, counts) == (0, [1, 0, 0])
    assert told == [("ana", [("lobby", 2, 0)])]


def test_who_reads_and_leaves_again_is_told_again(ana, told):
    seq = say("one")
    mark_read("lobby", 0, by=ana)
    age(minutes=11)
    notify_unread(10)
    mark_read("lobby", seq, by=ana)
    mention(say("two"), f"u:{ana.pk}")
    age(minutes=11)
    notify_unread(10)

    assert told == [("ana", [("lobby", 1, 0)]), ("ana", [("lobby", 1, 1)])]


def test_a_user_is_notified_of_all_rooms_at_once(ana, told):
    ben = User.objects.create(username="ben")
    for room in ("one", "two"):
        say("hi", room=room)
        for user in (ana, ben):
            mark_read(room, 0, by=user)
    age(minutes=11)

    assert notify_unread(10) == 2
    assert sorted(told) == [("ana", [("two", 1, 0), ("one", 1, 0)]), ("ben", [("two", 1, 0), ("one", 1, 0)])]


def test_a_member_who_never_opened_the_room_is_told_of_what_was_said_since_they_came(ana, told):
    say("long ago")
    age(hours=2)
    join(ana, ago=timedelta(hours=1))
    say("after")
    age(minutes=11)

    assert [notify_unread(10), notify_unread(10)] == [1, 0]
    assert told == [("ana", [("lobby", 1, 0)])]


def test_who_has_muted_the_room_is_not_told_until_they_unmute_it(ana, told):
    say("one")
    mark_read("lobby", 0, by=ana)
    set_notifications("lobby", by=ana, enabled=False)
    age(minutes=11)
    muted = notify_unread(10)
    set_notifications("lobby", by=ana, enabled=True)

    assert (muted, notify_unread(10)) == (0, 1)


def test_a_room_may_be_muted_before_it_is_read(ana, told):
    say("one")
    set_notifications("lobby", by=ana, enabled=False)
    set_notifications("nowhere", by=ana, enabled=False)
    age(minutes=11)

    assert notify_unread(10) == 0
    assert ReadMarker.objects.get().user == ana


def test_who_may_not_enter_any_more_is_not_told(ana, told):
    inactive = User.objects.create(username="inactive", is_active=False)
    say("one")
    for user in (ana, inactive):
        mark_read("lobby", 0, by=user)
    room = Room.objects.get()
    Ban.objects.create(room=room, key=f"u:{ana.pk}")
    raise_version(room)
    age(minutes=11)

    assert notify_unread(10) == 0
    assert told == []


def test_guests_and_own_messages_are_no_reason(ana, told):
    say("one", author=of_user(ana))
    mark_read("lobby", 0, by=ana)
    mark_read("lobby", 0, by=BEN)
    age(minutes=11)

    assert notify_unread(10) == 0


def test_of_a_busy_room_the_first_unread_message_counts(ana, told):
    say("one")
    mark_read("lobby", 0, by=ana)
    age(minutes=11)
    post_messages([NewPost(BEN, "lobby", "hi", str(number)) for number in range(150)])

    assert notify_unread(10) == 1
    assert told == [("ana", [("lobby", 100, 0)])]


def test_the_cost_does_not_grow_with_the_number_of_users():
    def cost(number):
        users = [User(username=f"user {number} {n}") for n in range(number)]
        User.objects.bulk_create(users)
        room = Room.objects.get()
        ReadMarker.objects.bulk_create(
            ReadMarker(room=room, key=f"u:{user.pk}", user=user)
            for user in User.objects.filter(username__startswith=f"user {number} ")
        )
        with CaptureQueriesContext(connection) as captured:
            assert notify_unread(10) == number
        return len(captured)

    say("one")
    age(minutes=11)

    # Late messages and unread ones are counted.
    assert cost(3) - 2 * counting_queries(3) == cost(400) - 2 * counting_queries(400)


def test_more_than_a_chunk_is_told_in_chunks(monkeypatch, told):
    monkeypatch.setattr(unread_notifications, "CHUNK", 2)
    users = [User.objects.create(username=f"user {number}") for number in range(5)]
    say("one")
    say("one", room="two")
    for user in users[:3]:
        mark_read("lobby", 0, by=user)
        mark_read("two", 0, by=user)
    for user in users[3:]:
        join(user, ago=timedelta(hours=1))
    age(minutes=11)

    assert notify_unread(10) == 5
    assert sorted(len(rooms) for _, rooms in told) == [1, 1, 2, 2, 2]


@pytest.mark.slow
def test_a_hundred_thousand_markers_are_looked_through(told):
    say("one")
    room = Room.objects.get()
    late = [User.objects.create(username=f"user {number}") for number in range(5)]
    ReadMarker.objects.bulk_create(
        (ReadMarker(room=room, key=f"x:{number}", user=late[0], seq=1) for number in range(100_000)),
        batch_size=10_000,
    )
    ReadMarker.objects.bulk_create(ReadMarker(room=room, key=f"u:{user.pk}", user=user) for user in late)
    age(minutes=11)
    with CaptureQueriesContext(connection) as captured:
        assert notify_unread(10) == 5

    assert len(captured) <= 8


def test_the_command_prints_the_number(ana, told, capsys):
    say("one")
    mark_read("lobby", 0, by=ana)
    age(minutes=6)
    call_command("roomchat_unread", minutes=5)
    call_command("roomchat_unread", verbosity=0)

    assert capsys.readouterr().out == "Signal sent for 1 users.\n"
    assert told == [("ana", [("lobby", 1, 0)])]


@pytest.mark.parametrize("minutes", ["0", "-1", "soon"])
def test_the_command_wants_minutes(minutes):
    with pytest.raises(CommandError, match="a whole number above 0"):
        call_command("roomchat_unread", f"--minutes={minutes}")
