import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from django_roomchat import log, pubsub
from django_roomchat.identity import Identity
from django_roomchat.log import State
from django_roomchat.protocol import Author, Event, encode_event
from django_roomchat.pubsub import Access, Batch, publishing
from django_roomchat.realtime import hub
from django_roomchat.realtime.hub import Hub
from django_roomchat.realtime.hub_room import HubRoom
from tests.support.fakes import Clock, Socket, settle

EPOCH = "11111111-1111-4111-8111-111111111111"
OTHER_EPOCH = "22222222-2222-4222-8222-222222222222"


class Log:
    """A room's log in memory, read as `django_roomchat.log` reads it. Reads can be held up and can fail."""

    def __init__(self, name="lobby", limit=500, page=50):
        self.name, self.limit, self.page = name, limit, page
        self.epoch, self.floor, self.head, self.access_version = EPOCH, 0, 0, 0
        self.messages = {}
        self.reads = []
        self.error = None
        self.gate = None
        self.before_read = None

    def append(self, count=1, body="hi"):
        """Messages take the next numbers. Returns the news of it."""
        prev = self.head
        for seq in range(prev + 1, prev + count + 1):
            self.messages[seq] = Event(
                seq, seq, f"id{seq}", "user", Author("u:1", "Ana"), body, "2026-11-21T10:00:00.123Z"
            )
        self.head = prev + count
        return self.news(prev)

    def change(self, seq, **values):
        prev = self.head
        self.head += 1
        self.messages[seq] = replace_event(self.messages[seq], rev=self.head, **values)
        return self.news(prev)

    def since(self, prev, head):
        return sorted((e for e in self.messages.values() if prev < e.rev <= head), key=lambda e: e.rev)

    def news(self, prev, head=None):
        head = self.head if head is None else head
        return Batch(
            self.name, self.epoch, prev, head, [(e.rev, encode_event(e)) for e in self.since(prev, head)]
        )

    def doorbell(self):
        return Batch(self.name, self.epoch, 0, self.head, [])

    def state(self):
        return (
            State(self.epoch, self.head, self.access_version) if self.head or self.access_version else State()
        )

    def _slice(self, prev, events, **more):
        epoch = self.epoch if self.head else ""
        return log.Slice(
            self.name,
            "Lobby",
            epoch,
            self.floor,
            prev,
            self.head,
            events,
            access_version=self.access_version,
            **more,
        )

    async def _wait(self, *what):
        self.reads.append(what)
        if self.before_read is not None:
            self.before_read()
        if self.error is not None:
            raise self.error

    async def read(self, name, epoch, since):
        await self._wait("read", epoch, since)
        part = self._read(epoch, since)
        if self.gate is not None:
            await self.gate
        return part

    def _read(self, epoch, since):
        if since is None:
            reset = "new"
        elif since and epoch != self.epoch:
            reset = "epoch"
        elif since > self.head:
            reset = "ahead"
        elif since < self.floor:
            reset = "floor"
        else:
            events = self.since(since, self.head)
            if len(events) <= self.limit:
                return self._slice(since, events)
            reset = "gap"
        newest = [self.messages[seq] for seq in sorted(self.messages)]
        return self._slice(0, newest[-self.page :], reset=reset, more=len(newest) > self.page)

    async def tail(self, name, changes):
        await self._wait("tail", changes)
        prev = max(self.floor, self.head - changes)
        part = self._slice(prev, self.since(prev, self.head))
        if self.gate is not None:
            await self.gate
        return part


def replace_event(event, **values):
    return Event(**{name: getattr(event, name) for name in event.__struct_fields__} | values)


class House:
    """A hub over logs in memory."""

    def __init__(self, *logs):
        self.logs = {each.name: each for each in logs}
        self.states_error = None
        self.states_asked = []
        self.hub = Hub(read=self.read, tail=self.tail, states=self.states)

    async def read(self, name, epoch, since):
        return await self.logs[name].read(name, epoch, since)

    async def tail(self, name, changes):
        return await self.logs[name].tail(name, changes)

    async def states(self, names):
        self.states_asked.append(names)
        if self.states_error is not None:
            raise self.states_error
        return {name: self.logs[name].state() for name in names if self.logs[name].state() != State()}

    def hear(self, *news):
        for each in news:
            self.hub._hear(each)

    async def enter(self, socket=None, name="lobby", epoch="", since=None, **options):
        socket = socket or Socket()
        self.hub.add(socket)
        await self.hub.enter(socket, name, epoch, since, **options)
        return socket


@pytest.fixture(autouse=True)
def _no_layer(settings, monkeypatch):
    """Without a channel layer a hub lives by what it hears in its process, and by its poll."""
    settings.CHANNEL_LAYERS = {}
    monkeypatch.setattr(hub, "warn_throttled", lambda *about: None)
    monkeypatch.setattr(publishing, "_listeners", {})


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch, hub)


@pytest.fixture
def lobby():
    return Log()


@pytest.fixture
async def house(clock, lobby):
    house = House(lobby)
    yield house
    for socket in list(house.hub.sockets):
        house.hub.remove(socket)
    await clock.advance(60)


@pytest.fixture
def reported(monkeypatch):
    """The trouble that is told to the server's log."""
    lines = []
    monkeypatch.setattr(hub, "warn_throttled", lambda about, message, *args: lines.append(message % args))
    return lines


def revs(socket, type="events"):
    return [[event["rev"] for event in frame["events"]] for frame in socket.frames if frame["type"] == type]


def joined(socket):
    return [
        (frame["prev"], frame["head"], [event["rev"] for event in frame["events"]], frame.get("reset"))
        for frame in socket.frames
        if frame["type"] == "joined"
    ]


# Entering --------------------------------------------------------------------------------------------------------


async def test_a_new_reader_gets_the_newest_page(house, lobby):
    lobby.append(60)

    socket = await house.enter()

    [frame] = socket.frames
    assert [event["seq"] for event in frame.pop("events")] == list(range(11, 61))
    assert frame == {
        "type": "joined",
        "room": "lobby",
        "title": "Lobby",
        "epoch": EPOCH,
        "floor": 0,
        "prev": 0,
        "head": 60,
        "reset": "new",
        "more": True,
    }


async def test_a_room_that_does_not_exist_is_entered_under_its_typed_title(clock):
    empty = Log()
    empty._slice = lambda prev, events, **more: log.Slice("lobby", "", "", 0, 0, 0, [], **more)
    house = House(empty)

    socket = await house.enter(title="LOBBY")

    assert [(frame["title"], frame["epoch"], frame["head"]) for frame in socket.frames] == [("LOBBY", "", 0)]


async def test_who_comes_back_soon_is_served_without_the_database(house, lobby):
    lobby.append(5)
    await house.enter()
    before = len(lobby.reads)

    socket = await house.enter(epoch=EPOCH, since=3)

    assert joined(socket) == [(3, 5, [4, 5], None)]
    assert len(lobby.reads) == before


async def test_who_comes_back_to_where_a_large_stretch_begins_gets_what_follows_it_too(house, lobby):
    """The fault suite found it: the frame named the room's head, and brought only the first stretch."""
    lobby.append(5)
    await house.enter()
    house.hear(lobby.append(40), lobby.append(), lobby.append(2))

    socket = await house.enter(epoch=EPOCH, since=5)

    assert joined(socket) == [(5, 48, list(range(6, 49)), None)]


async def test_who_missed_nothing_is_told_so_without_the_database(house, lobby):
    lobby.append(5)
    await house.enter()
    before = len(lobby.reads)

    socket = await house.enter(epoch=EPOCH, since=5)

    assert (joined(socket), len(lobby.reads)) == ([(5, 5, [], None)], before)


async def test_who_comes_back_late_is_served_from_the_database(house, lobby, settings):
    settings.ROOMCHAT = {"RING_EVENTS": 4}
    lobby.append(10)

    socket = await house.enter(epoch=EPOCH, since=3)

    assert joined(socket) == [(3, 10, list(range(4, 11)), None)]
    assert lobby.reads == [("tail", 2), ("read", EPOCH, 3)]


@pytest.mark.parametrize(
    ("epoch", "since", "reset"),
    [(OTHER_EPOCH, 2, "epoch"), (EPOCH, 9, "ahead"), (EPOCH, 1, "floor"), ("", 0, "floor")],
)
async def test_who_cannot_go_on_starts_over(house, lobby, epoch, since, reset):
    lobby.append(5)
    lobby.floor = 2

    socket = await house.enter(epoch=epoch, since=since)

    assert joined(socket) == [(0, 5, [1, 2, 3, 4, 5], reset)]


async def test_many_who_come_at_once_cost_one_read(house, lobby):
    lobby.append(5)

    sockets = await asyncio.gather(*(house.enter() for _ in range(50)))

    assert [joined(socket) for socket in sockets] == [[(0, 5, [1, 2, 3, 4, 5], "new")]] * 50
    assert lobby.reads == [("tail", 256), ("read", "", None)]


async def test_the_newest_page_is_read_again_when_it_is_older_than_what_is_at_hand(house, lobby, settings):
    settings.ROOMCHAT = {"RING_EVENTS": 2}
    lobby.append(5)
    await house.enter()
    for _ in range(5):
        house.hear(lobby.append())
    before = len(lobby.reads)

    socket = await house.enter()

    assert joined(socket) == [(0, 10, list(range(1, 11)), "new")]
    assert lobby.reads[before:] == [("read", "", None)]


async def test_the_newest_page_is_brought_up_to_date_by_what_is_at_hand(house, lobby):
    lobby.append(5)
    await house.enter()
    house.hear(lobby.append())
    before = len(lobby.reads)

    socket = await house.enter()

    assert (joined(socket), revs(socket)) == ([(0, 5, [1, 2, 3, 4, 5], "new")], [[6]])
    assert len(lobby.reads) == before


async def test_joining_again_fills_the_clients_hole(house, lobby):
    lobby.append(5)
    socket = await house.enter()

    await house.hub.enter(socket, "lobby", EPOCH, 2)

    assert joined(socket)[1:] == [(2, 5, [3, 4, 5], None)]
    house.hear(lobby.append())
    assert revs(socket) == [[6]]


async def test_a_socket_that_left_hears_nothing(house, lobby):
    leaver, control = await house.enter(), await house.enter()

    house.hub.leave(leaver, "lobby")
    house.hear(lobby.append())

    assert (revs(leaver), revs(control), leaver.seats) == ([], [[1]], {})


async def test_leaving_a_room_that_one_is_not_in_is_nothing(house):
    socket = Socket()

    house.hub.leave(socket, "lobby")

    assert socket.seats == {}


async def test_a_socket_that_was_closed_hears_nothing_in_any_of_its_rooms(clock):
    one, other = Log("one"), Log("other")
    house = House(one, other)
    control = await house.enter(name="one")
    closed = await house.enter(name="one")
    await house.enter(closed, "other")

    house.hub.remove(closed)
    house.hear(one.append(), other.append())

    assert (revs(control), revs(closed), closed.seats) == ([[1]], [], {})


async def test_a_database_that_fails_at_the_door_is_told_and_the_next_may_enter(house, lobby):
    lobby.error = OSError("gone")
    with pytest.raises(OSError, match="gone"):
        await house.enter()

    lobby.error = None
    lobby.append(2)
    socket = await house.enter()

    assert joined(socket) == [(0, 2, [1, 2], "new")]


async def test_one_who_goes_away_at_the_door_does_not_shut_it_for_the_others(house, lobby):
    lobby.append(2)
    lobby.gate = asyncio.get_running_loop().create_future()
    leaver = asyncio.create_task(house.enter())
    stayer = asyncio.create_task(house.enter())
    await settle()

    leaver.cancel()
    await settle()
    lobby.gate.set_result(None)

    assert joined(await stayer) == [(0, 2, [1, 2], "new")]
    with pytest.raises(asyncio.CancelledError):
        await leaver


async def test_one_who_goes_away_during_a_read_does_not_take_it_from_the_others(house, lobby):
    lobby.append(2)
    await house.enter(epoch=EPOCH, since=2)
    lobby.gate = asyncio.get_running_loop().create_future()
    leaver = asyncio.create_task(house.enter())
    stayer = asyncio.create_task(house.enter())
    await settle()

    leaver.cancel()
    await settle()
    lobby.gate.set_result(None)

    assert joined(await stayer) == [(0, 2, [1, 2], "new")]
    assert lobby.reads == [("tail", 256), ("read", "", None)]


# The order at the door: may they -> subscribe -> read -> merge -----------------------------------------------------


@pytest.mark.parametrize("since", [None, 1])
@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("is_heard", [True, False])
async def test_what_is_said_while_a_socket_reads_is_neither_missed_nor_doubled(
    house, lobby, settings, since, is_first, is_heard
):
    settings.ROOMCHAT = {"RING_EVENTS": 2}
    lobby.append(5)
    if not is_first:
        await house.enter()
    lobby.gate = asyncio.get_running_loop().create_future()
    socket = Socket()
    entering = asyncio.create_task(house.enter(socket, epoch=EPOCH, since=since))
    await settle()

    # The read has its snapshot; this is committed, and perhaps told, before it comes back.
    news = lobby.append(2)
    if is_heard:
        house.hear(news)
    lobby.gate.set_result(None)
    lobby.gate = None
    await entering
    house.hear(lobby.append())
    await settle()

    assert socket.shown() == ({seq: shown(lobby, seq) for seq in range(1 + (since or 0), 9)}, 8)


def shown(log, seq):
    return json.loads(encode_event(log.messages[seq]))


async def test_what_is_said_before_the_room_is_read_comes_with_the_read(house, lobby):
    lobby.before_read = lambda: lobby.head or house.hear(lobby.append())

    socket = await house.enter()
    house.hear(lobby.append())
    await settle()

    assert socket.shown() == ({seq: shown(lobby, seq) for seq in (1, 2)}, 2)


async def test_a_socket_that_read_further_than_the_room_does_not_hear_it_twice(house, lobby):
    lobby.append(5)
    first = await house.enter()
    news = lobby.append(2)

    # The read finds what the hub has not heard of yet.
    second = await house.enter(epoch=OTHER_EPOCH, since=9)
    house.hear(news)
    house.hear(lobby.append())
    await settle()

    assert joined(second) == [(0, 7, [1, 2, 3, 4, 5, 6, 7], "epoch")]
    assert [socket.shown()[1] for socket in (first, second)] == [8, 8]
    assert revs(second) == [[8]]


# The one rule -----------------------------------------------------------------------------------------------------


async def test_news_reach_every_socket_of_the_room_in_one_frame(house, lobby):
    sockets = [await house.enter() for _ in range(3)]

    house.hear(lobby.append(2))

    for socket in sockets:
        assert socket.frames[1:] == [
            {
                "type": "events",
                "room": "lobby",
                "epoch": EPOCH,
                "prev": 0,
                "head": 2,
                "events": [shown(lobby, 1), shown(lobby, 2)],
            }
        ]


async def test_a_frame_is_encoded_once_whoever_gets_it(house, lobby):
    sockets = [await house.enter() for _ in range(3)]

    house.hear(lobby.append())

    assert len({id(socket.written[-1]) for socket in sockets}) == 1


async def test_news_of_a_room_that_nobody_is_in_are_nothing(house, lobby):
    house.hear(lobby.append())

    assert lobby.reads == []


async def test_news_of_another_room_do_not_reach_a_socket(clock):
    one, other = Log("one"), Log("other")
    house = House(one, other)
    in_one, in_other = await house.enter(name="one"), await house.enter(name="other")

    house.hear(one.append())

    assert (revs(in_one), revs(in_other)) == ([[1]], [])


async def test_what_was_heard_before_is_passed_over(house, lobby):
    socket = await house.enter()
    news = lobby.append(2)
    house.hear(news)

    house.hear(news, lobby.news(0, 1))
    await settle()

    assert revs(socket) == [[1, 2]]


async def test_of_news_that_overlap_only_the_new_is_told(house, lobby):
    socket = await house.enter()
    house.hear(lobby.append(2))
    lobby.append(2)

    house.hear(lobby.news(1))

    assert [(frame["prev"], frame["head"]) for frame in socket.frames[1:]] == [(0, 2), (2, 4)]
    assert revs(socket) == [[1, 2], [3, 4]]


async def test_a_hole_is_filled_from_the_log(house, lobby):
    socket = await house.enter()
    lobby.append(2)
    reads = len(lobby.reads)

    house.hear(lobby.append())
    await settle()

    assert revs(socket) == [[1, 2, 3]]
    assert lobby.reads[reads:] == [("read", "", 0)]


async def test_a_doorbell_makes_the_log_be_read(house, lobby):
    socket = await house.enter()
    lobby.append(2)

    house.hear(lobby.doorbell())
    await settle()

    assert revs(socket) == [[1, 2]]


async def test_many_doorbells_at_once_cost_one_read(house, lobby):
    socket = await house.enter()
    lobby.append(2)
    reads = len(lobby.reads)

    house.hear(*[lobby.doorbell()] * 10)
    await settle()

    assert (revs(socket), len(lobby.reads) - reads) == ([[1, 2]], 1)


async def test_a_doorbell_heard_during_a_read_makes_the_log_be_read_again(house, lobby):
    socket = await house.enter()
    lobby.append()
    lobby.gate = asyncio.get_running_loop().create_future()
    house.hear(lobby.doorbell())
    await settle()

    lobby.append()
    house.hear(lobby.doorbell())
    gate, lobby.gate = lobby.gate, None
    gate.set_result(None)
    await settle()

    assert revs(socket) == [[1], [2]]


async def test_news_that_the_database_does_not_know_do_not_make_it_be_read_for_ever(house, lobby):
    socket = await house.enter()
    lobby.append()
    reads = len(lobby.reads)

    house.hear(Batch("lobby", EPOCH, 90, 100, []))
    await settle()

    assert (revs(socket), len(lobby.reads) - reads) == ([[1]], 2)


async def test_news_that_fill_the_hole_during_its_read_are_not_told_twice(house, lobby):
    socket = await house.enter()
    first = lobby.append()
    lobby.gate = asyncio.get_running_loop().create_future()
    house.hear(lobby.append())
    await settle()

    house.hear(first)
    house.hear(lobby.append())
    lobby.gate.set_result(None)
    await settle()

    assert socket.shown() == ({seq: shown(lobby, seq) for seq in (1, 2, 3)}, 3)


async def test_a_log_that_cannot_be_read_is_reported_and_read_with_the_next_poll(
    house, lobby, clock, reported
):
    socket = await house.enter()
    lobby.append(2)
    lobby.error = OSError("gone")
    house.hear(lobby.doorbell())
    await settle()
    lobby.error = None

    await clock.advance(6)

    assert reported == [
        *(line for line in reported if "no channel layer" in line),
        "The log of room 'lobby' could not be read; the next poll tries again: OSError('gone')",
    ]
    assert revs(socket) == [[1, 2]]


async def test_changes_are_told_in_their_order(house, lobby):
    socket = await house.enter()
    house.hear(lobby.append(2))

    house.hear(lobby.change(1, body="other words"))

    assert socket.shown() == ({1: shown(lobby, 1), 2: shown(lobby, 2)}, 3)
    assert shown(lobby, 1)["body"] == "other words"


async def test_the_first_message_of_a_room_brings_its_epoch(house, lobby):
    socket = await house.enter()
    assert socket.frames[0]["epoch"] == ""

    house.hear(lobby.append())
    late = await house.enter(epoch=EPOCH, since=1)

    assert (socket.frames[1]["epoch"], joined(late)) == (EPOCH, [(1, 1, [], None)])


async def test_another_log_makes_everybody_start_over(house, lobby):
    lobby.append(5)
    socket, tutorial = await house.enter(), await house.enter(Socket(is_tutorial=True))
    lobby.epoch, lobby.messages, lobby.head = OTHER_EPOCH, {}, 0
    news = lobby.append(2)

    house.hear(news)
    await settle()

    assert joined(socket)[1:] == [(0, 2, [1, 2], "epoch")]
    assert tutorial.frames == []
    house.hear(lobby.append())
    assert (revs(socket), [frame["seq"] for frame in tutorial.frames]) == ([[3]], [3])


async def test_a_room_that_missed_too_much_starts_over(house, lobby):
    lobby.limit = 3
    socket = await house.enter()
    lobby.append(5)

    house.hear(lobby.doorbell())
    await settle()

    assert joined(socket)[1:] == [(0, 5, [1, 2, 3, 4, 5], "gap")]


# Slow sockets -----------------------------------------------------------------------------------------------------


async def test_a_socket_that_does_not_read_keeps_its_place_and_nobody_waits_for_it(house, lobby):
    slow, control = await house.enter(), await house.enter()
    slow.block()

    for _ in range(3):
        house.hear(lobby.append())
    while_blocked = revs(slow), revs(control)
    slow.unblock()
    house.hub.resume(slow)

    assert while_blocked == ([], [[1], [2], [3]])
    assert revs(slow) == [[1, 2, 3]]


async def test_a_socket_that_reads_again_is_caught_up_by_the_next_news(house, lobby):
    slow = await house.enter()
    slow.block()
    house.hear(lobby.append())
    slow.unblock()

    house.hear(lobby.append())

    assert revs(slow) == [[1, 2]]


async def test_who_catches_up_gets_frames_of_some_size_and_may_stop_in_between(house, lobby, monkeypatch):
    monkeypatch.setattr(hub, "FRAME_BYTES", 500)
    slow = await house.enter()
    slow.block()
    for _ in range(10):
        house.hear(lobby.append())
    slow.unblock()
    write = slow.write

    def write_and_block(message):
        write(message)
        slow.block()

    slow.write = write_and_block
    house.hub.resume(slow)
    first = revs(slow)
    slow.write = write
    slow.unblock()
    house.hub.resume(slow)

    assert first == [[1, 2, 3, 4, 5]]
    assert slow.shown() == ({seq: shown(lobby, seq) for seq in range(1, 11)}, 10)
    assert max(len(message["text"]) for message in slow.written) < 1000


async def test_a_large_stretch_is_not_encoded_again_for_who_catches_up(house, lobby):
    slow, control = await house.enter(), await house.enter()
    slow.block()
    house.hear(lobby.append(40))
    house.hear(lobby.append())
    slow.unblock()

    house.hub.resume(slow)

    assert [slow.written[1] is control.written[1], slow.written[2] is control.written[2]] == [True, True]


async def test_a_socket_further_behind_than_what_is_at_hand_reads_the_log(house, lobby, settings):
    settings.ROOMCHAT = {"RING_EVENTS": 2}
    slow = await house.enter()
    slow.block()
    for _ in range(6):
        house.hear(lobby.append())
    slow.unblock()
    reads = len(lobby.reads)

    house.hub.resume(slow)
    house.hub.resume(slow)
    house.hear(lobby.append())
    await settle()

    assert slow.shown() == ({seq: shown(lobby, seq) for seq in range(1, 8)}, 7)
    assert lobby.reads[reads:] == [("read", EPOCH, 0)]


async def test_a_slow_socket_that_missed_too_much_starts_over(house, lobby, settings):
    settings.ROOMCHAT = {"RING_EVENTS": 2}
    lobby.limit = 3
    slow = await house.enter()
    slow.block()
    for _ in range(6):
        house.hear(lobby.append())
    slow.unblock()

    house.hub.resume(slow)
    await settle()

    assert joined(slow)[1:] == [(0, 6, [1, 2, 3, 4, 5, 6], "gap")]


@pytest.mark.parametrize(("limit", "seqs"), [(500, [1, 2, 3, 4, 5, 6]), (3, [])])
async def test_a_slow_tutorial_page_is_caught_up_as_far_as_it_can_show(house, lobby, settings, limit, seqs):
    settings.ROOMCHAT = {"RING_EVENTS": 2}
    lobby.limit = limit
    slow = await house.enter(Socket(is_tutorial=True))
    slow.block()
    for _ in range(6):
        house.hear(lobby.append())
    slow.unblock()

    house.hub.resume(slow)
    await settle()
    house.hear(lobby.append())

    assert [frame["seq"] for frame in slow.frames] == [*seqs, 7]


async def test_a_slow_socket_whose_log_cannot_be_read_is_closed(house, lobby, settings, reported):
    settings.ROOMCHAT = {"RING_EVENTS": 2}
    slow, control = await house.enter(), await house.enter()
    slow.block()
    for _ in range(6):
        house.hear(lobby.append())
    slow.unblock()
    lobby.error = OSError("gone")

    house.hub.resume(slow)
    await settle()

    assert (slow.closed, control.closed, len(revs(control))) == ((4008, 1.0), None, 6)
    assert reported[-1] == "The log of room 'lobby' could not be read for a slow socket: OSError('gone')"


async def test_a_slow_socket_that_left_during_its_read_gets_nothing(house, lobby, settings):
    settings.ROOMCHAT = {"RING_EVENTS": 2}
    slow = await house.enter()
    slow.block()
    for _ in range(6):
        house.hear(lobby.append())
    slow.unblock()
    lobby.gate = asyncio.get_running_loop().create_future()
    house.hub.resume(slow)
    await settle()
    before = len(slow.written)

    house.hub.leave(slow, "lobby")
    lobby.gate.set_result(None)
    await settle()

    assert len(slow.written) == before


async def test_a_slow_socket_whose_room_started_over_during_its_read_is_not_thrown_back(
    house, lobby, settings
):
    settings.ROOMCHAT = {"RING_EVENTS": 2}
    slow = await house.enter()
    slow.block()
    for _ in range(6):
        house.hear(lobby.append())
    slow.unblock()
    gate = lobby.gate = asyncio.get_running_loop().create_future()
    house.hub.resume(slow)
    await settle()
    lobby.gate = None
    lobby.epoch, lobby.messages, lobby.head = OTHER_EPOCH, {}, 0

    house.hear(lobby.append(3))
    await settle()
    gate.set_result(None)
    await settle()
    house.hear(lobby.append())
    await settle()

    assert slow.shown() == ({seq: shown(lobby, seq) for seq in range(1, 5)}, 4)


async def test_a_slow_socket_that_started_over_during_its_read_is_not_thrown_back(house, lobby, settings):
    settings.ROOMCHAT = {"RING_EVENTS": 2}
    lobby.limit = 6
    slow = await house.enter()
    slow.block()
    for _ in range(6):
        house.hear(lobby.append())
    slow.unblock()
    gate = lobby.gate = asyncio.get_running_loop().create_future()
    house.hub.resume(slow)
    await settle()
    lobby.gate = None
    lobby.append(10)

    house.hear(lobby.doorbell())
    await settle()
    gate.set_result(None)
    await settle()

    assert slow.shown() == ({seq: shown(lobby, seq) for seq in range(1, 17)}, 16)
    assert joined(slow)[1:] == [(0, 16, list(range(1, 17)), "gap")]


async def test_a_new_reader_who_finds_another_log_makes_everybody_start_over(house, lobby):
    lobby.append(5)
    first = await house.enter(epoch=EPOCH, since=5)
    lobby.epoch, lobby.messages, lobby.head = OTHER_EPOCH, {}, 0
    lobby.append(2)

    second = await house.enter()
    await settle()
    house.hear(lobby.append())
    await settle()

    everything = ({seq: shown(lobby, seq) for seq in (1, 2, 3)}, 3)
    assert [first.frames[-1]["head"], second.shown()] == [3, everything]
    assert joined(first)[1:] == [(0, 2, [1, 2], "epoch")]


async def test_a_slow_socket_that_finds_another_log_makes_everybody_start_over(house, lobby, settings):
    settings.ROOMCHAT = {"RING_EVENTS": 2}
    slow, control = await house.enter(), await house.enter()
    slow.block()
    for _ in range(6):
        house.hear(lobby.append())
    slow.unblock()
    lobby.epoch, lobby.messages, lobby.head = OTHER_EPOCH, {}, 0
    lobby.append(2)
    reads = len(lobby.reads)

    house.hub.resume(slow)
    await settle()
    house.hear(lobby.append())

    everything = ({seq: shown(lobby, seq) for seq in (1, 2, 3)}, 3)
    assert [slow.shown(), control.shown()] == [everything] * 2
    assert len(lobby.reads) - reads <= 3


async def test_another_log_that_could_not_be_read_is_read_with_the_next_poll(house, lobby, clock):
    lobby.append(5)
    first = await house.enter(epoch=EPOCH, since=5)
    lobby.messages, lobby.head = {}, 0
    lobby.append(2)
    lobby.epoch = OTHER_EPOCH
    await house.enter()
    # The next read is the one that looks which log is right.
    lobby.error = OSError("gone")
    await settle()
    lobby.error = None

    await clock.advance(6)

    assert joined(first)[1:] == [(0, 2, [1, 2], "epoch")]


async def test_doubt_that_comes_during_a_read_makes_it_be_read_again(house, lobby, settings):
    settings.ROOMCHAT = {"RING_EVENTS": 2}
    lobby.append(5)
    socket = await house.enter(epoch=EPOCH, since=5)
    gate = lobby.gate = asyncio.get_running_loop().create_future()
    lobby.append()
    house.hear(lobby.doorbell())
    await settle()
    lobby.gate = None
    lobby.epoch, lobby.messages, lobby.head = OTHER_EPOCH, {}, 0
    lobby.append(7)

    late = await house.enter()
    gate.set_result(None)
    await settle()
    house.hear(lobby.append())

    everything = ({seq: shown(lobby, seq) for seq in range(1, 9)}, 8)
    assert [socket.frames[-1]["head"], late.shown()] == [8, everything]
    assert joined(socket)[-1] == (0, 7, [1, 2, 3, 4, 5, 6, 7], "epoch")


@pytest.mark.parametrize(("seconds", "closed"), [(29, None), (32, (4008, 1.0))])
async def test_a_socket_that_takes_nothing_for_long_is_closed(house, clock, seconds, closed):
    stuck, control = await house.enter(), await house.enter()
    stuck.block(since=clock.now)

    await clock.advance(seconds)

    assert (stuck.closed, control.closed) == (closed, None)


# The tutorial's dialect -------------------------------------------------------------------------------------------


async def test_the_tutorials_page_hears_what_is_said_from_now_on(house, lobby):
    lobby.append(2)
    socket = await house.enter(Socket(is_tutorial=True))

    house.hear(lobby.append(2))

    assert socket.frames == [
        {"message": "hi", "name": "Ana", "seq": 3},
        {"message": "hi", "name": "Ana", "seq": 4},
    ]


async def test_the_tutorials_page_does_not_hear_what_it_cannot_show(house, lobby):
    socket, control = await house.enter(Socket(is_tutorial=True)), await house.enter()
    house.hear(lobby.append())

    house.hear(
        lobby.change(1, body="other words"), lobby.change(1, body="", deleted_at="2026-11-21T10:00:00.123Z")
    )

    assert (revs(control), [frame["seq"] for frame in socket.frames]) == ([[1], [2], [3]], [1])


async def test_the_tutorials_frames_are_encoded_once(house, lobby):
    sockets = [await house.enter(Socket(is_tutorial=True)) for _ in range(2)]

    house.hear(lobby.append())

    assert sockets[0].written[0] is sockets[1].written[0]


# Time -------------------------------------------------------------------------------------------------------------


async def test_a_lost_message_is_found_by_the_poll(house, lobby, clock):
    socket = await house.enter()
    lobby.append(2)
    before = revs(socket)

    await clock.advance(6)

    assert (before, revs(socket)) == ([], [[1, 2]])


async def test_a_poll_is_one_question_for_all_rooms(clock):
    house = House(Log("one"), Log("other"))
    await house.enter(name="one")
    await house.enter(name="other")

    await clock.advance(6)

    assert house.states_asked == [["one", "other"]]


async def test_a_poll_that_finds_nothing_new_reads_nothing(house, lobby, clock):
    lobby.append(2)
    await house.enter()
    reads = len(lobby.reads)

    await clock.advance(6)

    assert (len(house.states_asked), len(lobby.reads)) == (1, reads)


async def test_a_poll_finds_that_the_log_is_another_one(house, lobby, clock):
    lobby.append(5)
    socket = await house.enter()
    lobby.epoch = OTHER_EPOCH

    await clock.advance(6)

    assert joined(socket)[1:] == [(0, 5, [1, 2, 3, 4, 5], "epoch")]


async def test_a_poll_that_fails_is_reported_and_repeated(house, lobby, clock, reported):
    socket = await house.enter()
    lobby.append()
    house.states_error = OSError("gone")
    await clock.advance(6)
    house.states_error = None

    await clock.advance(5)

    assert reported[-1] == "The rooms could not be compared with the database: OSError('gone')"
    assert revs(socket) == [[1]]


async def test_a_socket_without_rooms_asks_nothing_of_the_database(house, clock):
    house.hub.add(Socket())

    await clock.advance(60)

    assert house.states_asked == []


async def test_every_client_hears_the_heads_of_its_rooms(house, lobby, clock):
    lobby.append(3)
    socket, tutorial, blocked = (
        await house.enter(),
        await house.enter(Socket(is_tutorial=True)),
        await house.enter(),
    )
    blocked.block(since=clock.now)
    frames = len(blocked.frames)

    await clock.advance(24)
    early = socket.frames[1:]
    await clock.advance(2)

    assert (early, socket.frames[1:]) == ([], [{"type": "ping", "heads": {"lobby": 3}}])
    assert (tutorial.frames, len(blocked.frames)) == ([], frames)
    await clock.advance(25)
    assert len(socket.frames) == 3


async def test_a_room_stays_ready_for_those_who_only_reload(house, lobby, clock):
    await house.enter()
    reloading = await house.enter()
    lobby.append(2)
    house.hear(lobby.news(0))
    for socket in list(house.hub.sockets):
        house.hub.remove(socket)
    house.hub.add(Socket())
    await clock.advance(hub.LINGER_SECONDS - 2)
    house.hear(lobby.append())
    reads = len(lobby.reads)

    socket = await house.enter(epoch=EPOCH, since=1)

    assert (joined(socket), len(lobby.reads), revs(reloading)) == ([(1, 3, [2, 3], None)], reads, [[1, 2]])


async def test_a_room_that_nobody_is_in_is_forgotten_after_a_while(house, lobby, clock):
    lobby.append()
    house.hub.remove(await house.enter())
    house.hub.add(Socket())
    await clock.advance(hub.LINGER_SECONDS + 3)
    reads = len(lobby.reads)

    house.hear(lobby.append())
    await house.enter(epoch=EPOCH, since=1)

    assert lobby.reads[reads:] == [("tail", 256)]


async def test_a_room_that_is_entered_again_is_not_forgotten(house, lobby, clock):
    house.hub.remove(await house.enter())
    await clock.advance(hub.LINGER_SECONDS - 3)
    back = await house.enter()
    await clock.advance(5)
    reads = len(lobby.reads)

    house.hear(lobby.append())

    assert (revs(back), len(lobby.reads)) == ([[1]], reads)


async def test_a_hub_without_sockets_ends_and_starts_again_with_the_next(house, lobby, clock):
    house.hub.remove(await house.enter())
    listening = dict(publishing._listeners)
    await clock.advance(20)
    ended = dict(publishing._listeners)

    lobby.append()
    socket = await house.enter()

    assert (len(listening), ended, len(publishing._listeners)) == (1, {}, 1)
    lobby.append()
    await clock.advance(6)
    assert socket.shown()[1] == 2


async def test_what_this_process_publishes_is_heard(house, lobby):
    socket = await house.enter()

    pubsub.publish(lobby.append())
    await settle()

    assert revs(socket) == [[1]]


# The layer --------------------------------------------------------------------------------------------------------


class Courier:
    """Remembers what a hub asks of its place on the layer."""

    made = []

    def __init__(self, alias, deliver, joined):
        self.alias, self.deliver, self.joined = alias, deliver, joined
        self.asked = []
        self.hears_everybody = False
        self.is_down = False
        self.made.append(self)

    def join(self, group):
        if group == pubsub.group_name(pubsub.BROADCAST):
            self.hears_everybody = True
        else:
            self.asked.append(("join", group))

    def leave(self, group):
        self.asked.append(("leave", group))

    def send(self, group, news):
        self.asked.append(("send", group, news))

    def stop(self):
        self.asked.append(("stop",))

    async def say_farewell(self):
        self.asked.append(("farewell",))


@pytest.fixture
def couriers(monkeypatch, settings):
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "x"}, "other": {"BACKEND": "x"}}
    monkeypatch.setattr(Courier, "made", [])
    monkeypatch.setattr(hub, "Courier", Courier)
    return Courier.made


async def test_a_room_is_joined_before_its_log_is_read(couriers, house, lobby):
    asked = []
    lobby.before_read = lambda: asked.append(list(couriers[0].asked))

    await house.enter()

    assert asked == [[("join", "chat_lobby")], [("join", "chat_lobby")]]


async def test_a_group_is_joined_once_whatever_the_number_of_sockets_and_rooms_in_it(
    couriers, clock, settings
):
    settings.ROOMCHAT = {"GROUP_NAME": lambda room: "shard"}
    house = House(Log("one"), Log("other"))

    for name in ("one", "other", "one"):
        await house.enter(name=name)

    assert [courier.asked for courier in couriers] == [[("join", "shard")]]


async def test_a_group_is_left_with_the_last_of_its_rooms(couriers, clock, settings):
    settings.ROOMCHAT = {"GROUP_NAME": lambda room: "shard"}
    house = House(Log("one"), Log("other"))
    stayer = await house.enter(name="one")
    house.hub.remove(await house.enter(name="other"))
    await clock.advance(20)
    with_one_room = list(couriers[0].asked)

    house.hub.add(Socket())
    house.hub.remove(stayer)
    await clock.advance(20)

    assert with_one_room == [("join", "shard")]
    assert couriers[0].asked == [("join", "shard"), ("leave", "shard")]


async def test_rooms_may_go_over_different_layers(couriers, clock, settings):
    settings.ROOMCHAT = {"CHANNEL_LAYER": lambda room: "other" if room == "other" else "default"}
    house = House(Log("one"), Log("other"))
    await house.enter(name="one")
    await house.enter(name="other")

    assert {courier.alias: courier.asked for courier in couriers} == {
        "default": [("join", "chat_one")],
        "other": [("join", "chat_other")],
    }


async def test_what_this_process_says_goes_to_its_own_sockets_and_over_the_layer(couriers, house, lobby):
    socket = await house.enter()
    news = lobby.append()

    pubsub.publish(news)
    await settle()

    assert (revs(socket), couriers[0].asked) == (
        [[1]],
        [("join", "chat_lobby"), ("send", "chat_lobby", news)],
    )


async def test_what_the_layer_brings_is_heard_and_not_sent_back(couriers, house, lobby):
    socket = await house.enter()

    couriers[0].deliver(lobby.append())

    assert (revs(socket), couriers[0].asked) == ([[1]], [("join", "chat_lobby")])


async def test_what_was_said_before_the_layer_had_us_is_read(couriers, house, lobby):
    socket = await house.enter()
    lobby.append()

    couriers[0].joined("default", "chat_lobby")
    couriers[0].joined("default", "chat_nobody")
    await settle()

    assert revs(socket) == [[1]]


async def test_a_group_that_has_us_before_the_room_was_read_changes_nothing(couriers, house, lobby):
    lobby.append()
    lobby.gate = asyncio.get_running_loop().create_future()
    entering = asyncio.create_task(house.enter())
    await settle()

    couriers[0].joined("default", "chat_lobby")
    await settle()
    lobby.gate.set_result(None)

    assert joined(await entering) == [(0, 1, [1], "new")]
    assert lobby.reads == [("tail", 256), ("read", "", None)]


async def test_while_the_layer_is_down_the_poll_comes_every_second(couriers, house, lobby, clock):
    socket = await house.enter()
    couriers[0].is_down = True
    await clock.advance(6)
    house.states_asked.clear()
    lobby.append()

    await clock.advance(2)

    assert (revs(socket), len(house.states_asked) >= 1) == ([[1]], True)


async def test_a_layer_that_goes_down_makes_the_next_poll_come_sooner(couriers, house, lobby, clock):
    socket = await house.enter()
    couriers[0].is_down = True
    lobby.append()

    await clock.advance(2)

    assert revs(socket) == [[1]]


async def test_a_layer_that_did_not_bring_what_the_poll_finds_is_asked_again_for_the_group(
    couriers, house, lobby, clock
):
    """After FLUSHALL it knows no group any more, and no error says so."""
    await house.enter()
    lobby.append()

    await clock.advance(6)

    assert couriers[0].asked == [("join", "chat_lobby"), ("join", "chat_lobby")]


async def test_a_hub_that_ends_says_farewell_to_the_layer(couriers, house, clock):
    house.hub.remove(await house.enter())

    await clock.advance(20)

    assert couriers[0].asked == [("join", "chat_lobby"), ("leave", "chat_lobby"), ("farewell",)]


async def test_a_hub_whose_loop_ends_stops_what_runs_for_the_layer(couriers, house):
    await house.enter()
    [running] = [task for task in asyncio.all_tasks() if task.get_coro().__qualname__ == "Hub._run"]

    running.cancel()
    await settle()

    assert couriers[0].asked[-1] == ("stop",)


async def test_a_room_whose_layer_cannot_be_found_lives_by_the_poll(house, lobby, clock, reported):
    socket = await house.enter()
    lobby.append()

    await clock.advance(6)

    assert [text.partition(":")[0] for text in reported] == [
        "The group for all processes has no channel layer; other processes poll the database",
        "Room 'lobby' has no channel layer; other processes poll the database",
    ]
    assert revs(socket) == [[1]]


async def test_what_this_process_says_in_a_room_without_a_layer_reaches_its_own_sockets(house, lobby):
    socket = await house.enter()

    house.hub._hear_local(lobby.append())

    assert revs(socket) == [[1]]


# Rights -----------------------------------------------------------------------------------------------------------


async def test_who_lost_a_right_is_looked_at_and_nobody_else(house):
    banned, control = await house.enter(Socket(key="u:1")), await house.enter(Socket(key="u:2"))

    house.hear(Access("lobby", 1, "u:1"))
    await settle()

    assert (banned.checked, control.checked) == (["lobby"], [])


async def test_a_change_that_was_heard_before_is_passed_over(house):
    socket = await house.enter()
    house.hear(Access("lobby", 1, "g:1"))
    await settle()

    house.hear(Access("lobby", 1, "g:1"), Access("lobby", 0, "g:1"))
    await settle()

    assert socket.checked == ["lobby"]


@pytest.mark.parametrize("news", [Access("lobby", 2, "u:1"), Access("lobby", 1, "")])
async def test_where_a_change_was_missed_everybody_is_looked_at(house, news):
    sockets = [await house.enter(Socket(key=f"u:{number}")) for number in (1, 2)]

    house.hear(news)
    await settle()

    assert [socket.checked for socket in sockets] == [["lobby"]] * 2


async def test_a_change_that_nobody_told_is_found_by_the_poll(house, lobby, clock):
    socket = await house.enter()
    lobby.access_version = 1

    await clock.advance(6)
    await clock.advance(6)

    assert socket.checked == ["lobby"]


async def test_a_look_that_failed_is_repeated_with_the_poll(house, lobby, clock):
    socket = await house.enter()
    lobby.access_version, socket.access = 1, False
    house.hear(Access("lobby", 1, "g:1"))
    await settle()
    socket.access = True

    await clock.advance(12)

    assert socket.checked == ["lobby", "lobby"]


async def test_who_lost_the_right_on_the_way_in_is_looked_at_again(house, lobby):
    lobby.access_version = 1

    late = await house.enter(access_version=0)
    fresh = await house.enter(access_version=1)
    await settle()

    assert (late.checked, fresh.checked) == (["lobby"], [])


# What passes --------------------------------------------------------------------------------------------------------


@pytest.fixture
def heard(monkeypatch):
    """What the handler of “weather” has heard."""
    monkeypatch.setattr(hub, "_handlers", {})
    notices = []

    @hub.handles("weather")
    def note(one, room, data):
        notices.append((room, data, [socket.key for socket in one.sockets_in(room)]))

    return notices


async def test_a_notice_is_heard_by_those_who_handle_its_topic(couriers, house, heard):
    socket = await house.enter()

    pubsub.publish(pubsub.Notice("weather", {"sunny": True}, "lobby"))
    pubsub.publish(pubsub.Notice("weather", {"sunny": False}))
    pubsub.publish(pubsub.Notice("of a newer version", {}))
    await settle()

    assert heard == [("lobby", {"sunny": True}, [socket.key]), ("", {"sunny": False}, [])]


async def test_a_notice_goes_over_the_layer_too(couriers, house, heard):
    await house.enter()
    notice = pubsub.Notice("weather", {})

    pubsub.publish(notice)
    await settle()

    assert couriers[0].hears_everybody
    assert couriers[0].asked[-1] == ("send", pubsub.group_name(pubsub.BROADCAST), notice)


async def test_a_handler_that_fails_is_reported_and_harms_nobody(
    couriers, house, lobby, monkeypatch, reported
):
    monkeypatch.setattr(hub, "_handlers", {"weather": lambda *about: 1 / 0})
    socket = await house.enter()

    couriers[0].deliver(pubsub.Notice("weather", {}))
    couriers[0].deliver(lobby.append())

    assert (revs(socket), reported) == (
        [[1]],
        ["A notice with topic 'weather' could not be handled: ZeroDivisionError('division by zero')"],
    )


async def test_somebodys_sockets_are_found(house):
    one, other = await house.enter(), await house.enter()
    other.who = Identity("u:2", "Ben")

    assert (house.hub.sockets_of("u:2"), one in house.hub.sockets_of(one.key)) == ([other], True)


# Whatever happens -------------------------------------------------------------------------------------------------

STEP = st.one_of(
    st.tuples(st.just("append"), st.integers(1, 3)),
    st.tuples(st.just("change"), st.integers(1, 5)),
    # Told, told twice, or never; at once or later, in any order; whole or as a doorbell.
    st.tuples(st.just("tell"), st.integers(0, 5), st.integers(0, 9)),
    st.tuples(st.just("doorbell")),
    st.tuples(st.just("enter"), st.booleans()),
    st.tuples(st.just("rejoin"), st.integers(0, 3), st.integers(0, 9)),
    st.tuples(st.just("block"), st.integers(0, 3)),
    st.tuples(st.just("unblock"), st.integers(0, 3)),
    st.tuples(st.just("hold")),
    st.tuples(st.just("release")),
    st.tuples(st.just("settle")),
)


async def run_schedule(steps):
    lobby = Log(limit=6)
    house = House(lobby)
    sockets, told, tasks = [], [], []
    for step, *about in steps:
        match step, about:
            case "append", [count]:
                told.append(lobby.append(count))
            case "change", [seq] if seq in lobby.messages:
                told.append(lobby.change(seq, body=f"words {lobby.head}"))
            case "tell", [back, span] if told:
                one = told[-1 - back % len(told)]
                house.hear(lobby_news(lobby, one, span))
            case "doorbell", []:
                house.hear(lobby.doorbell())
            case "enter", [is_tutorial]:
                socket = Socket(str(len(sockets)), is_tutorial)
                sockets.append(socket)
                tasks.append(asyncio.create_task(house.enter(socket)))
            case "rejoin", [number, back] if number < len(sockets) and "lobby" in sockets[number].seats:
                socket = sockets[number]
                if not socket.is_tutorial:
                    state, cursor = socket.shown()
                    since = max(cursor - back, 0)
                    tasks.append(asyncio.create_task(house.hub.enter(socket, "lobby", lobby.epoch, since)))
            case "block", [number] if number < len(sockets):
                sockets[number].block()
            case "unblock", [number] if number < len(sockets):
                sockets[number].unblock()
                house.hub.resume(sockets[number])
            case "hold", [] if lobby.gate is None:
                lobby.gate = asyncio.get_running_loop().create_future()
            case "release", [] if lobby.gate is not None:
                gate, lobby.gate = lobby.gate, None
                gate.set_result(None)
            case "settle", []:
                await settle()
    if lobby.gate is not None:
        gate, lobby.gate = lobby.gate, None
        gate.set_result(None)
    await asyncio.gather(*tasks)
    for socket in sockets:
        socket.unblock()
        house.hub.resume(socket)
    # What the poll does in the end, whatever was lost.
    await house.hub._poll()
    await settle()
    for socket in list(house.hub.sockets):
        house.hub.remove(socket)
    return lobby, sockets


def lobby_news(lobby, one, span):
    """A batch as it was, or one that begins earlier, as a batch that was put together elsewhere may."""
    return lobby.news(max(one.prev - span, 0), one.head) if span < 3 else one


@given(st.lists(STEP, max_size=40), st.integers(1, 6))
@hypothesis_settings(max_examples=150, deadline=None)
def test_whatever_is_lost_doubled_or_late_every_socket_gets_the_log_in_order(steps, ring):
    async def run():
        real = HubRoom.__init__

        def small_ring(self, name, events_max):
            real(self, name, ring)

        HubRoom.__init__ = small_ring
        try:
            return await run_schedule(steps)
        finally:
            HubRoom.__init__ = real
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

    lobby, sockets = asyncio.run(run())

    for socket in sockets:
        if socket.is_tutorial:
            seqs = [frame["seq"] for frame in socket.frames]
            assert seqs == sorted(set(seqs))
        else:
            state, cursor = socket.shown()
            assert cursor == lobby.head
            newest = {seq: shown(lobby, seq) for seq in lobby.messages}
            assert state == {seq: newest[seq] for seq in state}
            assert list(newest)[-len(state) :] == sorted(state) if state else not newest
