"""Read markers on sockets: collected, written together, and sent to all sockets of the person."""

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError

from django_roomchat.errors import Busy
from django_roomchat.identity import Identity
from django_roomchat.messages import read_markers
from django_roomchat.messages.post import post_message
from django_roomchat.messages.read_markers import Mark
from django_roomchat.models import ReadMarker, Room
from django_roomchat.protocol import Marked
from django_roomchat.realtime import hub, read_receipts, threads
from django_roomchat.testing import ChatClient
from tests.asgi import application

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_hub")]
ANA = Identity("g:ana", "Ana", is_guest=True)


@pytest.fixture(autouse=True)
def _short_ticks(monkeypatch):
    monkeypatch.setattr(read_receipts, "TICK_SECONDS", 0.05)


def client(room="lobby", **options):
    return ChatClient(application, room, **options)


async def say(*bodies, room="lobby"):
    for body in bodies:
        await threads.in_thread(post_message, room, body, name="Bot")


async def test_all_sockets_of_a_person_receive_the_read_marker():
    await say("one", "two", "three")
    ana = await User.objects.acreate(username="ana")
    async with client(user=ana) as phone, client("elsewhere", user=ana) as laptop, client() as other:
        for socket in (phone, laptop, other):
            await socket.receive("joined")
        await phone.send({"type": "read", "seq": 2})
        received = [await phone.receive("read"), await laptop.receive("read")]
        await phone.send({"type": "read", "room": "LOBBY", "seq": 3})
        received += [await phone.receive("read"), await laptop.receive("read")]
        await other.send({"type": "read", "seq": 1})
        others = await other.receive("read")

    first = {"type": "read", "room": "lobby", "seq": 2, "unread": 1, "mentions": 0}
    second = {"type": "read", "room": "lobby", "seq": 3, "unread": 0, "mentions": 0}
    assert received == [first, first, second, second]
    assert (others["seq"], others["unread"]) == (1, 2)


async def test_a_mark_that_is_refused_is_answered_with_an_error():
    await threads.in_thread(lambda: Room.objects.create(name="~x", title="x", visibility="private"))
    async with client() as ana:
        await ana.receive("joined")
        await ana.send({"type": "read", "seq": 1, "room": "~x"})
        secret = await ana.receive("error")
        await ana.send({"type": "read", "seq": 1, "room": "~y"})
        nothing = await ana.receive("error")
        await ana.send({"type": "read", "seq": 1, "room": "a/b"})
        impossible = await ana.receive("error")

    assert [(error["code"], error["frame"], error["room"]) for error in (secret, nothing, impossible)] == [
        ("no_such_room", "read", "~x"),
        ("no_such_room", "read", "~y"),
        ("bad_room_name", "read", "a/b"),
    ]


async def test_the_list_of_rooms_and_its_notifications_are_frames():
    await say("one")
    async with client() as ana:
        await ana.receive("joined")
        await ana.send({"type": "read", "seq": 0})
        await ana.receive("read")
        await ana.send({"type": "notify", "on": False, "id": "n"})
        done = await ana.receive("done")
        await ana.send({"type": "rooms", "id": "r"})
        rooms = await ana.receive("rooms")
        await ana.send({"type": "notify", "on": True, "id": "m"})
        await ana.receive("done")

    assert done == {"type": "done", "id": "n", "room": "lobby"}
    assert (rooms["id"], [(room["name"], room["unread"], room["muted"]) for room in rooms["rooms"]]) == (
        "r",
        [("lobby", 1, True)],
    )
    assert not await threads.in_thread(lambda: ReadMarker.objects.get().is_muted)


@pytest.mark.parametrize(
    ("address", "frame", "answer"),
    [
        ("lobby/frames/", {"type": "read", "seq": 1}, {"type": "read", "room": "lobby", "seq": 1, "unread": 0, "mentions": 0}),
        ("lobby/frames/", {"type": "notify", "on": False, "id": "n"}, {"type": "done", "id": "n", "room": "lobby"}),
        ("~/frames/", {"type": "rooms", "id": "r"}, {"type": "rooms", "id": "r"}),
    ],
)  # fmt: skip
def test_the_same_frames_work_over_http(client, address, frame, answer):
    post_message("lobby", "one", name="Bot")
    response = client.post(f"/chat/{address}", frame, content_type="application/json")
    said = response.json()
    rooms = said.pop("rooms", [])

    assert (response.status_code, said) == (200, answer)
    assert [room["name"] for room in rooms] == (["lobby"] if frame["type"] == "rooms" else [])


# Gathering ------------------------------------------------------------------------------------------------------------------


async def test_what_comes_within_a_second_is_written_together_and_the_last_counts(monkeypatch):
    written = []
    monkeypatch.setattr(
        read_markers, "mark_all", lambda some: written.append(some) or [Marked("lobby", 1, 0, 0)] * len(some)
    )
    mine = read_receipts.ReadReceipts(hub.Hub())
    for seq in (1, 5, 3):
        mine.put(ANA, "lobby", seq, print)
    mine.put(ANA, "other", 1, print)
    await mine.drain()
    await mine.flush()

    assert written == [[Mark(ANA, "lobby", 5), Mark(ANA, "other", 1)]]


async def test_more_than_may_wait_is_refused(monkeypatch):
    monkeypatch.setattr(read_receipts, "WAITING_MAX", 1)
    mine = read_receipts.ReadReceipts(hub.current())
    mine.put(ANA, "lobby", 1, print)
    mine.put(ANA, "lobby", 2, print)
    with pytest.raises(Busy):
        mine.put(ANA, "other", 1, print)


async def test_a_database_that_fails_is_said_and_one_broken_socket_harms_no_other(monkeypatch, caplog):
    def fails(some):
        raise OperationalError("away")

    def broken(error):
        raise RuntimeError("closed")

    monkeypatch.setattr(read_markers, "mark_all", fails)
    mine, refused = read_receipts.ReadReceipts(hub.current()), []
    mine.put(ANA, "one", 1, broken)
    mine.put(ANA, "two", 1, refused.append)
    await mine.flush()

    assert [error.code for error in refused] == ["unavailable"]
    assert caplog.messages == ["2 read markers could not be written: OperationalError('away')"]
