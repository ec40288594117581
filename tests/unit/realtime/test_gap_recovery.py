"""Sockets that read slowly or not at all."""

import asyncio

import pytest

from django_roomchat.realtime import hub
from tests.support.fakes import Socket, settle
from tests.support.hub import EPOCH, OTHER_EPOCH, joined, revs, shown

pytestmark = pytest.mark.usefixtures("no_layer")


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
