"""Sockets that enter and leave a room of the hub."""

import asyncio

import pytest

from django_roomchat import log
from django_roomchat.pubsub import Access
from tests.support.fakes import Socket, settle
from tests.support.hub import EPOCH, OTHER_EPOCH, House, Log, joined, revs, shown

pytestmark = pytest.mark.usefixtures("no_layer")


async def test_a_socket_that_reads_further_than_the_room_brings_the_others_up_to_date(house, lobby):
    lobby.append(5)
    first = await house.enter()
    lobby.append(2)

    await house.enter(epoch=OTHER_EPOCH, since=9)
    await settle()

    assert revs(first) == [[6, 7]]


async def test_a_socket_that_joins_again_receives_nothing_before_joined(house, lobby):
    lobby.append(5)
    socket = await house.enter()
    before = len(socket.frames)
    lobby.gate = asyncio.get_running_loop().create_future()
    entering = asyncio.create_task(house.enter(socket, epoch=OTHER_EPOCH, since=9))
    await settle()
    house.hear(lobby.append())
    await settle()
    while_reading = socket.frames[before:]
    lobby.gate.set_result(None)
    lobby.gate = None
    await entering
    await settle()

    assert while_reading == []
    assert [(frame["type"], frame["prev"], frame["head"]) for frame in socket.frames[before:]] == [
        ("joined", 0, 5),
        ("events", 5, 6),
    ]
    assert socket.frames[-1]["epoch"] == EPOCH


async def test_who_cannot_join_again_stays_where_it_was(house, lobby):
    lobby.append(5)
    socket = await house.enter()
    lobby.error = OSError("gone")
    try:
        await house.enter(socket, epoch=OTHER_EPOCH, since=9)
    except OSError:
        lobby.error = None
    house.hear(lobby.append())
    await settle()

    assert lobby.error is None
    assert revs(socket)[-1] == [6]


async def test_what_is_said_during_a_rooms_first_read_is_read_at_once(house, lobby):
    lobby.append(1)
    lobby.gate = asyncio.get_running_loop().create_future()
    entering = asyncio.create_task(house.enter())
    await settle()
    house.hear(lobby.append())
    lobby.gate.set_result(None)
    lobby.gate = None
    socket = await entering
    await settle()

    assert socket.shown()[1] == 2


async def test_a_database_that_has_forgotten_makes_everybody_start_over(house, lobby):
    """The state after a failover to a replica that lagged behind."""
    lobby.append(5)
    socket = await house.enter()
    del lobby.messages[5]
    lobby.head = 4

    await house.hub._poll()
    await settle()

    assert (socket.frames[-1]["type"], socket.frames[-1]["reset"], socket.frames[-1]["head"]) == (
        "joined",
        "epoch",
        4,
    )


async def test_who_cannot_join_at_all_has_no_seat(house, lobby):
    lobby.append(5)
    await house.enter()
    lobby.error = OSError("gone")
    stranger = Socket()
    with pytest.raises(OSError, match="gone"):
        await house.enter(stranger, epoch=OTHER_EPOCH, since=9)

    assert stranger.subscriptions == {}


async def test_rights_that_change_during_a_rooms_first_read_are_read_with_it(house, lobby):
    lobby.append(1)
    lobby.gate = asyncio.get_running_loop().create_future()
    entering = asyncio.create_task(house.enter())
    await settle()
    house.hear(Access("lobby", 1, ""))
    lobby.gate.set_result(None)
    lobby.gate = None
    socket = await entering

    assert socket.shown()[1] == 1


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


async def test_a_socket_that_left_receives_nothing(house, lobby):
    leaver, control = await house.enter(), await house.enter()

    house.hub.leave(leaver, "lobby")
    house.hear(lobby.append())

    assert (revs(leaver), revs(control), leaver.subscriptions) == ([], [[1]], {})


async def test_leaving_a_room_that_one_is_not_in_is_nothing(house):
    socket = Socket()

    house.hub.leave(socket, "lobby")

    assert socket.subscriptions == {}


async def test_a_closed_socket_receives_nothing_in_any_of_its_rooms(clock):
    one, other = Log("one"), Log("other")
    house = House(one, other)
    control = await house.enter(name="one")
    closed = await house.enter(name="one")
    await house.enter(closed, "other")

    house.hub.remove(closed)
    house.hear(one.append(), other.append())

    assert (revs(control), revs(closed), closed.subscriptions) == ([[1]], [], {})


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

    # The read has its snapshot; this is committed, and perhaps published, before it returns.
    news = lobby.append(2)
    if is_heard:
        house.hear(news)
    lobby.gate.set_result(None)
    lobby.gate = None
    await entering
    house.hear(lobby.append())
    await settle()

    assert socket.shown() == ({seq: shown(lobby, seq) for seq in range(1 + (since or 0), 9)}, 8)


async def test_what_is_said_before_the_room_is_read_comes_with_the_read(house, lobby):
    lobby.before_read = lambda: lobby.head or house.hear(lobby.append())

    socket = await house.enter()
    house.hear(lobby.append())
    await settle()

    assert socket.shown() == ({seq: shown(lobby, seq) for seq in (1, 2)}, 2)


async def test_a_socket_that_read_further_than_the_room_receives_no_event_twice(house, lobby):
    lobby.append(5)
    first = await house.enter()
    news = lobby.append(2)

    # The read contains events that the hub has not received yet.
    second = await house.enter(epoch=OTHER_EPOCH, since=9)
    house.hear(news)
    house.hear(lobby.append())
    await settle()

    assert joined(second) == [(0, 7, [1, 2, 3, 4, 5, 6, 7], "epoch")]
    assert [socket.shown()[1] for socket in (first, second)] == [8, 8]
    assert revs(second) == [[8]]
