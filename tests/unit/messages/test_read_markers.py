"""How far people have read, what they have not, and who is told by other means."""

from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_roomchat import log, pubsub, signals
from django_roomchat.errors import BadRoomName, BadValue, Forbidden, NotFound
from django_roomchat.identity import Identity, of_user
from django_roomchat.messages import read_markers, room_list, unread_notifications
from django_roomchat.messages.edit import delete_message, edit_message
from django_roomchat.messages.post import post_message, post_messages
from django_roomchat.messages.reactions import react
from django_roomchat.messages.read_markers import Mark, mark_all, mark_read, set_notifications
from django_roomchat.messages.room_list import unread
from django_roomchat.messages.types import NewPost
from django_roomchat.messages.unread_notifications import notify_unread
from django_roomchat.models import Ban, Membership, Message, ReadMarker, Room, RoomLog
from django_roomchat.protocol import LastMessage, ListedRoom, Marked
from django_roomchat.rooms.direct import direct_room
from django_roomchat.rooms.members import add_member
from django_roomchat.rooms.settings import configure_room
from django_roomchat.text.validation import HIDDEN

pytestmark = pytest.mark.django_db(transaction=True)
ANA, BEN = Identity("g:ana", "Ana", is_guest=True), Identity("g:ben", "Ben", is_guest=True)


@pytest.fixture
def published(monkeypatch):
    heard = []
    monkeypatch.setattr(
        pubsub, "publish", lambda news: heard.append(news) if isinstance(news, pubsub.Notice) else None
    )
    return heard


@pytest.fixture
def told():
    """Whom the signal named, and which rooms."""
    heard = []

    def receive(sender, user, rooms, **kwargs):
        heard.append((user.username, [(room.name, count, mentions) for room, count, mentions in rooms]))

    signals.unread_for_a_while.connect(receive)
    yield heard
    signals.unread_for_a_while.disconnect(receive)


def say(*bodies, room="lobby", author=BEN):
    return [post_message(room, body, author=author).seq for body in bodies][-1]


def join(who, room="lobby", role="member", ago=timedelta()):
    """Membership as it is made by `django_roomchat.rooms.members`: with a new access version."""
    found = Room.objects.get(name=room)
    identity = who if isinstance(who, Identity) else of_user(who)
    Membership.objects.create(
        room=found, key=identity.key, name=identity.name, user=identity.user, role=role,
        created_at=timezone.now() - ago,
    )  # fmt: skip
    raise_version(found)


def raise_version(room):
    RoomLog.objects.filter(room=room).update(access_version=F("access_version") + 1)


def private(name="secret"):
    room = Room.objects.create(name=f"{HIDDEN}{name}", title=name, visibility="private")
    room.log = RoomLog.objects.create(room=room)
    return room


def mention(seq, key, room="lobby"):
    Message.objects.filter(room__name=room, seq=seq).update(data={"mentions": [{"key": key, "name": "x"}]})


def age(**by):
    Message.objects.update(created_at=F("created_at") - timedelta(**by))


# Markers ------------------------------------------------------------------------------------------------------------------


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


def test_ones_own_deleted_and_edited_messages_and_the_lines_of_the_system_are_not_unread():
    say("mine", author=ANA)
    deleted = say("deleted")
    edited = say("edited")
    line = say("Ben joined.")
    Message.objects.filter(seq=line).update(kind="system", data={"line": {"code": "joined"}})
    post_message("lobby", "The site says something.")
    edit_message("lobby", edited, "edited again", by=BEN)
    delete_message("lobby", deleted, by=BEN)

    assert mark_read("lobby", 0, by=ANA) == Marked("lobby", 0, 2, 0)


def test_mentions_are_those_of_oneself():
    first, second = say("one"), say("two")
    mention(first, "g:ana")
    mention(second, "g:anabel")

    assert mark_read("lobby", 0, by=ANA) == Marked("lobby", 0, 2, 1)


def test_counts_end_at_a_hundred():
    mark_all([])
    post_messages([NewPost(BEN, "lobby", "hi", str(number)) for number in range(150)])

    assert mark_read("lobby", 0, by=ANA) == Marked("lobby", 0, 100, 0)


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


# The list of rooms ----------------------------------------------------------------------------------------------------------


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


def test_what_the_system_tells_of_the_room_is_not_its_last_message():
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

    assert len(captured) == 3
    assert len(found) == 500
    assert {(room.unread, room.last.body) for room in found} == {(2, "hi")}


# Notifications --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def ana():
    return User.objects.create(username="ana")


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


def test_a_user_hears_of_all_rooms_at_once(ana, told):
    ben = User.objects.create(username="ben")
    for room in ("one", "two"):
        say("hi", room=room)
        for user in (ana, ben):
            mark_read(room, 0, by=user)
    age(minutes=11)

    assert notify_unread(10) == 2
    assert told == [("ana", [("two", 1, 0), ("one", 1, 0)]), ("ben", [("two", 1, 0), ("one", 1, 0)])]


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

    assert cost(3) == cost(400)


def test_more_than_a_chunk_is_told_in_chunks(monkeypatch, told):
    monkeypatch.setattr(read_markers, "CHUNK", 2)
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


def test_the_command_tells_how_many(ana, told, capsys):
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
