"""Periodic work of the hub: polls of the log, pings, and release of unused rooms."""

import pytest

from django_roomchat import pubsub
from django_roomchat.pubsub import publishing
from django_roomchat.realtime import hub
from tests.support.fakes import Socket, settle
from tests.support.hub import EPOCH, OTHER_EPOCH, House, Log, joined, revs

pytestmark = pytest.mark.usefixtures("no_layer")


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


async def test_every_client_receives_the_heads_of_its_rooms(house, lobby, clock):
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


async def test_a_batch_of_this_process_is_received(house, lobby):
    socket = await house.enter()

    pubsub.publish(lobby.append())
    await settle()

    assert revs(socket) == [[1]]
