"""The hub and the channel layer."""

import asyncio

import pytest

from django_roomchat import pubsub
from tests.support.fakes import Socket, settle
from tests.support.hub import House, Log, joined, revs

pytestmark = pytest.mark.usefixtures("no_layer")


async def test_a_room_is_joined_before_its_log_is_read(layer_clients, house, lobby):
    asked = []
    lobby.before_read = lambda: asked.append(list(layer_clients[0].asked))

    await house.enter()

    assert asked == [[("join", "chat_lobby")], [("join", "chat_lobby")]]


async def test_a_group_is_joined_once_whatever_the_number_of_sockets_and_rooms_in_it(
    layer_clients, clock, settings
):
    settings.ROOMCHAT = {"GROUP_NAME": lambda room: "shard"}
    house = House(Log("one"), Log("other"))

    for name in ("one", "other", "one"):
        await house.enter(name=name)

    assert [layer_client.asked for layer_client in layer_clients] == [[("join", "shard")]]


async def test_a_group_is_left_with_the_last_of_its_rooms(layer_clients, clock, settings):
    settings.ROOMCHAT = {"GROUP_NAME": lambda room: "shard"}
    house = House(Log("one"), Log("other"))
    stayer = await house.enter(name="one")
    house.hub.remove(await house.enter(name="other"))
    await clock.advance(20)
    with_one_room = list(layer_clients[0].asked)

    house.hub.add(Socket())
    house.hub.remove(stayer)
    await clock.advance(20)

    assert with_one_room == [("join", "shard")]
    assert layer_clients[0].asked == [("join", "shard"), ("leave", "shard")]


async def test_rooms_may_go_over_different_layers(layer_clients, clock, settings):
    settings.ROOMCHAT = {"CHANNEL_LAYER": lambda room: "other" if room == "other" else "default"}
    house = House(Log("one"), Log("other"))
    await house.enter(name="one")
    await house.enter(name="other")

    assert {layer_client.alias: layer_client.asked for layer_client in layer_clients} == {
        "default": [("join", "chat_one")],
        "other": [("join", "chat_other")],
    }


async def test_what_this_process_says_goes_to_its_own_sockets_and_over_the_layer(layer_clients, house, lobby):
    socket = await house.enter()
    news = lobby.append()

    pubsub.publish(news)
    await settle()

    assert (revs(socket), layer_clients[0].asked) == (
        [[1]],
        [("join", "chat_lobby"), ("send", "chat_lobby", news)],
    )


async def test_a_batch_from_the_layer_is_received_and_not_sent_back(layer_clients, house, lobby):
    socket = await house.enter()

    layer_clients[0].deliver(lobby.append())

    assert (revs(socket), layer_clients[0].asked) == ([[1]], [("join", "chat_lobby")])


async def test_what_was_said_before_the_layer_had_us_is_read(layer_clients, house, lobby):
    socket = await house.enter()
    lobby.append()

    layer_clients[0].joined("default", "chat_lobby")
    layer_clients[0].joined("default", "chat_nobody")
    await settle()

    assert revs(socket) == [[1]]


async def test_a_group_that_has_us_before_the_room_was_read_changes_nothing(layer_clients, house, lobby):
    lobby.append()
    lobby.gate = asyncio.get_running_loop().create_future()
    entering = asyncio.create_task(house.enter())
    await settle()

    layer_clients[0].joined("default", "chat_lobby")
    await settle()
    lobby.gate.set_result(None)

    assert joined(await entering) == [(0, 1, [1], "new")]
    assert lobby.reads == [("tail", 256), ("read", "", None)]


async def test_while_the_layer_is_down_the_poll_comes_every_second(layer_clients, house, lobby, clock):
    socket = await house.enter()
    layer_clients[0].is_down = True
    await clock.advance(6)
    house.states_asked.clear()
    lobby.append()

    await clock.advance(2)

    assert (revs(socket), len(house.states_asked) >= 1) == ([[1]], True)


async def test_a_layer_that_goes_down_makes_the_next_poll_come_sooner(layer_clients, house, lobby, clock):
    socket = await house.enter()
    layer_clients[0].is_down = True
    lobby.append()

    await clock.advance(2)

    assert revs(socket) == [[1]]


async def test_a_layer_that_did_not_bring_what_the_poll_finds_is_asked_again_for_the_group(
    layer_clients, house, lobby, clock
):
    """After FLUSHALL Redis has no groups, and raises no error."""
    await house.enter()
    lobby.append()

    await clock.advance(6)

    assert layer_clients[0].asked == [("join", "chat_lobby"), ("join", "chat_lobby")]


async def test_a_hub_that_ends_closes_its_layer_client(layer_clients, house, clock):
    house.hub.remove(await house.enter())

    await clock.advance(20)

    assert layer_clients[0].asked == [("join", "chat_lobby"), ("leave", "chat_lobby"), ("farewell",)]


async def test_a_hub_whose_loop_ends_stops_what_runs_for_the_layer(layer_clients, house):
    await house.enter()
    [running] = [task for task in asyncio.all_tasks() if task.get_coro().__qualname__ == "Hub._run"]

    running.cancel()
    await settle()

    assert layer_clients[0].asked[-1] == ("stop",)


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

    house.hub._receive_own(lobby.append())

    assert revs(socket) == [[1]]
