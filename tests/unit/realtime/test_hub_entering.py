"""The door of a room, where a deliberate mistake in the hub went unnoticed by the other tests."""

import asyncio

import pytest

from django_roomchat.pubsub import Access
from tests.support.fakes import Socket, settle
from tests.unit.realtime.test_hub import EPOCH, OTHER_EPOCH, _no_layer, clock, house, lobby, revs  # noqa: F401  (fixtures)


async def test_who_reads_further_than_the_room_has_heard_brings_the_others_on(house, lobby):  # noqa: F811
    lobby.append(5)
    first = await house.enter()
    lobby.append(2)

    await house.enter(epoch=OTHER_EPOCH, since=9)
    await settle()

    assert revs(first) == [[6, 7]]


async def test_who_joins_again_hears_nothing_until_it_has_joined(house, lobby):  # noqa: F811
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


async def test_who_cannot_join_again_stays_where_it_was(house, lobby):  # noqa: F811
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


async def test_what_is_said_during_a_rooms_first_read_is_read_at_once(house, lobby):  # noqa: F811
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


async def test_a_database_that_has_forgotten_makes_everybody_start_over(house, lobby):  # noqa: F811
    """As after a failover to a replica that lagged."""
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


async def test_who_cannot_join_at_all_has_no_seat(house, lobby):  # noqa: F811
    lobby.append(5)
    await house.enter()
    lobby.error = OSError("gone")
    stranger = Socket()
    with pytest.raises(OSError, match="gone"):
        await house.enter(stranger, epoch=OTHER_EPOCH, since=9)

    assert stranger.seats == {}


async def test_rights_that_change_during_a_rooms_first_read_are_read_with_it(house, lobby):  # noqa: F811
    lobby.append(1)
    lobby.gate = asyncio.get_running_loop().create_future()
    entering = asyncio.create_task(house.enter())
    await settle()
    house.hear(Access("lobby", 1, ""))
    lobby.gate.set_result(None)
    lobby.gate = None
    socket = await entering

    assert socket.shown()[1] == 1
