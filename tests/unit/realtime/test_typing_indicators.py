"""Typing indicators: frames are collected, and sent at most once a second."""

import msgspec
import pytest

from django_roomchat import pubsub
from django_roomchat.identity import Identity
from django_roomchat.messages.post import post_message
from django_roomchat.policy import NOT_ALLOWED, OpenPolicy
from django_roomchat.realtime import threads, typing_indicators
from django_roomchat.realtime.typing_indicators import TypingIndicators
from django_roomchat.testing import ChatClient
from tests.asgi import application
from tests.support.fakes import Socket, settle

ANA, BEN = {"key": "u:1", "name": "Ana"}, {"key": "u:2", "name": "Ben"}


def who(number):
    return Identity(f"u:{number}", {1: "Ana", 2: "Ben"}.get(number, f"Guest {number}"))


class House:
    """Processes and the time they live in."""

    def __init__(self):
        self.now = 1000.0
        self.processes = []
        self.notices = []

    def monotonic(self):
        return self.now

    def process(self, sockets=1, room="lobby", **options):
        self.processes.append(Process([Socket(**options) for _ in range(sockets)], room))
        return self.processes[-1]

    def publish(self, notice):
        message = pubsub.to_message(notice)
        self.notices.append(message["data"])
        for process in self.processes:
            process.typing.receive(
                message["room"], msgspec.convert(message["data"], typing_indicators.TypingNotice)
            )

    def turn(self, seconds=1.0):
        self.now += seconds
        for process in self.processes:
            process.typing.turn()


class Process:
    """In the place of a hub."""

    def __init__(self, sockets, room):
        self.sockets = sockets
        self.room = room
        self.typing = TypingIndicators(self)

    def sockets_in(self, name):
        return self.sockets if name == self.room else []

    def start(self, work):
        work.close()  # the test runs each turn

    @property
    def frames(self):
        return self.sockets[0].frames


@pytest.fixture
def house(monkeypatch):
    house = House()
    monkeypatch.setattr(typing_indicators, "time", house)
    monkeypatch.setattr(pubsub, "publish", house.publish)
    return house


def told(count, *people, room="lobby"):
    return {"type": "typing", "room": room, "count": count, "people": list(people)}


def test_a_room_receives_typing_frames_at_the_start_and_the_end(house):
    process = house.process()
    process.typing.record(who(1), "lobby", on=True)
    house.turn()
    process.typing.record(who(1), "lobby", on=False)
    house.turn()

    assert process.frames == [told(1, ANA), told(0)]
    assert process.typing._rooms == {}


def test_who_says_no_more_has_stopped_after_six_seconds(house):
    process = house.process()
    process.typing.record(who(1), "lobby", on=True)
    house.turn(0)
    process.typing.record(who(1), "lobby", on=True)
    house.turn(5.9)
    before = process.frames
    house.turn(0.2)

    assert (before, process.frames[1:]) == ([told(1, ANA)], [told(0)])


def test_who_goes_on_goes_on(house):
    process = house.process()
    for _ in range(10):
        process.typing.record(who(1), "lobby", on=True)
        house.turn(3)

    assert process.frames == [told(1, ANA)]


def test_a_thousand_who_type_in_a_room_of_a_thousand_cost_one_frame_a_second_per_socket(house):
    process = house.process(sockets=1000)
    seconds = 5
    for second in range(seconds):
        for number in range(1000):
            process.typing.record(who(1000 * second + number), "lobby", on=True)
        house.turn()

    assert {len(socket.written) for socket in process.sockets} <= set(range(1, seconds + 1))
    assert len({id(socket.written[0]) for socket in process.sockets}) == 1
    assert [frame["count"] for frame in process.frames][0] == 1000
    assert all(len(frame["people"]) == 3 for frame in process.frames)
    assert len(house.notices) <= seconds


def test_the_same_people_who_go_on_cost_nothing(house):
    process = house.process(sockets=2)
    for _ in range(5):
        for number in range(1000):
            process.typing.record(who(number), "lobby", on=True)
        house.turn()

    assert [len(socket.written) for socket in process.sockets] == [1, 1]


def test_nobody_counts_beyond_a_thousand(house):
    process = house.process()
    for number in range(1001):
        process.typing.record(who(number), "lobby", on=True)
    process.typing.record(who(5), "lobby", on=True)
    house.turn()

    assert process.frames[0]["count"] == 1000


def test_other_processes_receive_it(house):
    here, there = house.process(), house.process()
    elsewhere = house.process(room="other")
    here.typing.record(who(1), "lobby", on=True)
    there.typing.record(who(1), "lobby", on=True)
    there.typing.record(who(2), "lobby", on=True)
    house.turn()
    house.turn()
    here.typing.stop("u:1", "lobby")
    there.typing.stop("u:1", "lobby")
    house.turn()
    house.turn()

    assert here.frames == [told(1, ANA), told(2, ANA, BEN), told(1, BEN)]
    assert there.frames[0] == told(2, ANA, BEN)
    assert there.frames[-1] == told(1, BEN)
    assert elsewhere.frames == []


def test_other_processes_are_reminded_of_those_who_go_on_and_forget_a_process_that_is_gone(house):
    here, there = house.process(), house.process()
    for _ in range(20):
        here.typing.record(who(1), "lobby", on=True)
        house.turn()
    before = there.frames
    house.processes.remove(here)
    house.turn(7)

    assert before == [told(1, ANA)]
    assert there.frames[1:] == [told(0)]
    assert len(house.notices) <= 8


def test_slow_and_tutorial_sockets_receive_no_typing_frames(house):
    process = house.process(sockets=2)
    process.sockets.append(Socket(is_tutorial=True))
    process.sockets[1].block()
    process.typing.record(who(1), "lobby", on=True)
    house.turn()

    assert [len(socket.written) for socket in process.sockets] == [1, 0, 0]


def test_who_has_not_typed_may_stop(house):
    process = house.process()
    process.typing.stop("u:1", "lobby")
    process.typing.record(who(1), "lobby", on=False)
    house.turn()

    assert process.frames == []


# On sockets ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def sockets(transactional_db, clean_hub, monkeypatch):
    monkeypatch.setattr(typing_indicators, "TICK_SECONDS", 0.05)


def client(room="lobby", **options):
    return ChatClient(application, room, **options)


async def test_typing_ends_with_the_post(sockets):
    async with client() as ana, client() as ben:
        await ben.receive("joined")
        await ana.receive("joined")
        await ana.send({"type": "typing"})
        began = await ben.receive("typing")
        await ana.post("hi", id="a")
        ended = await ben.receive("typing")

    assert ([began["count"], ended["count"]], len(began["people"])) == ([1, 0], 1)


async def test_typing_is_for_those_who_are_in_the_room_and_may_post(sockets, settings):
    class Quiet(OpenPolicy):
        def can_post(self, who, room):
            return NOT_ALLOWED if room.name == "quiet" else super().can_post(who, room)

    settings.ROOMCHAT = {"POLICY": Quiet}
    async with client() as ana:
        await ana.receive("joined")
        await ana.send({"type": "join", "room": "quiet"})
        await ana.receive("joined")
        await ana.send({"type": "typing", "room": "other"})
        stranger = await ana.receive("error")
        await ana.send({"type": "typing", "room": "quiet"})
        mute = await ana.receive("error")
        await ana.send({"type": "typing"})
        allowed = await ana.receive("typing")
        await ana.send({"type": "typing", "on": False})
        stopped = await ana.receive("typing")

    assert [(error["code"], error["frame"], error["room"]) for error in (stranger, mute)] == [
        ("not_found", "typing", "other"),
        ("forbidden", "typing", "quiet"),
    ]
    assert (allowed["count"], stopped["count"]) == (1, 0)


async def test_who_may_post_again_may_type_again(sockets, settings):
    may = [NOT_ALLOWED]

    class Changing(OpenPolicy):
        def can_post(self, who, room):
            return may[0]

    settings.ROOMCHAT = {"POLICY": Changing}
    await threads.in_thread(post_message, "lobby", "hi")
    async with client() as ana:
        await ana.receive("joined")
        may[0] = OpenPolicy().can_post(None, None)
        await threads.in_thread(raise_version)
        await ana.receive("rights")
        await ana.send({"type": "typing"})

        assert (await ana.receive("typing"))["count"] == 1


def raise_version():
    pubsub.publish(pubsub.Access("lobby", 1, ""))


async def test_the_layer_brings_it(sockets):
    async with client() as ana:
        await ana.receive("joined")
        data = {"process": "x", "people": [BEN], "count": 1}
        pubsub.publish(pubsub.Notice("typing", data, "lobby"))
        heard = await ana.receive("typing")
        pubsub.publish(pubsub.Notice("typing", data, "nowhere"))
        await settle()

    assert heard == told(1, BEN)
