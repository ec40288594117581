import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from django_roomchat.errors import BadRoomName
from django_roomchat.messages.post import post_message
from django_roomchat.models import Message, Room, RoomLog

pytestmark = pytest.mark.django_db


def test_a_room_is_found_however_its_name_is_typed():
    post_message("Café", "hi")

    rooms = list(Room.objects.named("  CAFE\u0301 "))

    assert [(room.name, room.title) for room in rooms] == [("café", "Café")]


def test_a_name_that_no_room_can_have_is_not_looked_for():
    with pytest.raises(BadRoomName):
        Room.objects.named("a/b")


def test_recent_rooms_are_those_with_messages_latest_activity_first():
    for room in ("a", "b", "c"):
        post_message(room, "hi")
    post_message("a", "again")
    empty = Room.objects.create(name="empty", title="Empty")
    RoomLog.objects.create(room=empty)

    assert [room.name for room in Room.objects.recent()] == ["a", "c", "b"]


def test_a_room_is_shown_by_its_title_and_found_at_its_name():
    room = Room(name="my room", title="My Room")

    assert (str(room), room.get_absolute_url()) == ("My Room", "/chat/my%20room/")


def test_the_log_is_shown_by_its_epoch_and_head():
    log = RoomLog(head=5)

    assert str(log) == f"{log.epoch}:5"


@pytest.mark.parametrize(("body", "shown"), [("x" * 60, "x" * 60), ("x" * 61, "x" * 59 + "…")])
def test_a_long_message_is_shown_by_its_beginning(body, shown):
    assert str(Message(body=body)) == shown


def test_a_message_cannot_be_saved_past_the_log():
    post_message("lobby", "hi")
    message = Message.objects.get()
    message.body = "changed"

    with pytest.raises(TypeError) as caught:
        message.save()

    assert str(caught.value) == (
        "Messages are numbered by the room's log: use django_roomchat.post_message() or edit_message(), not Message.save()."
    )
    assert Message.objects.get().body == "hi"


def row(room, **values):
    fields = {
        "seq": 1,
        "rev": 1,
        "author_key": "u:1",
        "author_name": "Ana",
        "client_id": "1",
        "created_at": timezone.now(),
    }
    return Message(room=room, **{**fields, **values})


@pytest.mark.parametrize(
    ("values", "is_taken"),
    [
        ({"seq": 2, "rev": 2, "client_id": "2"}, True),
        ({"seq": 2, "rev": 2, "author_key": "u:2"}, True),
        ({"seq": 2, "rev": 3, "client_id": "2"}, True),
        ({"client_id": "2"}, False),
        ({"seq": 2, "rev": 2}, False),
        ({"seq": 0, "rev": 0, "client_id": "2"}, False),
        ({"seq": 2, "rev": 1, "client_id": "2"}, False),
    ],
)
def test_the_database_itself_holds_the_numbers(values, is_taken):
    room = Room.objects.create(name="lobby", title="Lobby")
    Message.objects.bulk_create([row(room)])

    try:
        with transaction.atomic():
            Message.objects.bulk_create([row(room, **values)])
    except IntegrityError:
        pass

    assert Message.objects.count() == 1 + is_taken


def test_the_same_place_may_be_taken_in_two_rooms():
    rooms = [Room.objects.create(name=name, title=name) for name in "ab"]

    Message.objects.bulk_create([row(room) for room in rooms])

    assert Message.objects.count() == 2


def test_history_is_read_newest_first_and_changes_in_their_order():
    room = Room.objects.create(name="lobby", title="Lobby")
    Message.objects.bulk_create(
        [
            row(room, seq=1, rev=4, client_id="1"),
            row(room, seq=2, rev=2, client_id="2"),
            row(room, seq=3, rev=3, client_id="3"),
        ]
    )

    messages = Message.objects.filter(room=room)

    assert [one.seq for one in messages.before(None)] == [3, 2, 1]
    assert [one.seq for one in messages.before(3)] == [2, 1]
    assert [one.seq for one in messages.changed_since(0)] == [2, 3, 1]
    assert [one.seq for one in messages.changed_since(3)] == [1]


def test_no_migration_is_missing():
    from django.core.management import call_command

    call_command("makemigrations", "roomchat", check=True, dry_run=True, verbosity=0)
