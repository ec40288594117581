"""The hub: frames for the sockets of a room, and reads of the log."""

import asyncio

import pytest

from django_roomchat import pubsub
from django_roomchat.identity import Identity
from django_roomchat.pubsub import Access, Batch
from django_roomchat.realtime import hub
from tests.support.fakes import Socket, settle
from tests.support.hub import EPOCH, OTHER_EPOCH, House, Log, joined, revs, shown

pytestmark = pytest.mark.usefixtures("no_layer")

# The one rule --------------------------------------------------------------------------------------------------------


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


async def test_a_frame_is_encoded_once_for_all_recipients(house, lobby):
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


async def test_a_batch_that_was_received_before_is_ignored(house, lobby):
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


async def test_a_head_without_events_causes_a_read_of_the_log(house, lobby):
    socket = await house.enter()
    lobby.append(2)

    house.hear(lobby.doorbell())
    await settle()

    assert revs(socket) == [[1, 2]]


async def test_many_heads_without_events_at_once_cost_one_read(house, lobby):
    socket = await house.enter()
    lobby.append(2)
    reads = len(lobby.reads)

    house.hear(*[lobby.doorbell()] * 10)
    await settle()

    assert (revs(socket), len(lobby.reads) - reads) == ([[1, 2]], 1)


async def test_a_head_without_events_received_during_a_read_causes_another_read(house, lobby):
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


# The tutorial's dialect ----------------------------------------------------------------------------------------------


async def test_the_tutorials_page_receives_new_messages_only(house, lobby):
    lobby.append(2)
    socket = await house.enter(Socket(is_tutorial=True))

    house.hear(lobby.append(2))

    assert socket.frames == [
        {"message": "hi", "name": "Ana", "seq": 3},
        {"message": "hi", "name": "Ana", "seq": 4},
    ]


async def test_the_tutorials_page_does_not_receive_what_it_cannot_show(house, lobby):
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


# Rights --------------------------------------------------------------------------------------------------------------


async def test_who_lost_a_right_is_looked_at_and_nobody_else(house):
    banned, control = await house.enter(Socket(key="u:1")), await house.enter(Socket(key="u:2"))

    house.hear(Access("lobby", 1, "u:1"))
    await settle()

    assert (banned.checked, control.checked) == (["lobby"], [])


async def test_a_change_that_was_received_before_is_ignored(house):
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


# What passes ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def heard(monkeypatch):
    """The notices that the handler of “weather” has received."""
    monkeypatch.setattr(hub, "_handlers", {})
    notices = []

    @hub.handles("weather")
    def note(one, room, data):
        notices.append((room, data, [socket.key for socket in one.sockets_in(room)]))

    return notices


async def test_a_notice_is_received_by_the_handlers_of_its_topic(layer_clients, house, heard):
    socket = await house.enter()

    pubsub.publish(pubsub.Notice("weather", {"sunny": True}, "lobby"))
    pubsub.publish(pubsub.Notice("weather", {"sunny": False}))
    pubsub.publish(pubsub.Notice("of a newer version", {}))
    await settle()

    assert heard == [("lobby", {"sunny": True}, [socket.key]), ("", {"sunny": False}, [])]


async def test_a_notice_goes_over_the_layer_too(layer_clients, house, heard):
    await house.enter()
    notice = pubsub.Notice("weather", {})

    pubsub.publish(notice)
    await settle()

    assert layer_clients[0].hears_everybody
    assert layer_clients[0].asked[-1] == ("send", pubsub.group_name(pubsub.BROADCAST), notice)


async def test_a_handler_that_fails_is_reported_and_harms_nobody(
    layer_clients, house, lobby, monkeypatch, reported
):
    monkeypatch.setattr(hub, "_handlers", {"weather": lambda *about: 1 / 0})
    socket = await house.enter()

    layer_clients[0].deliver(pubsub.Notice("weather", {}))
    layer_clients[0].deliver(lobby.append())

    assert (revs(socket), reported) == (
        [[1]],
        ["A notice with topic 'weather' could not be handled: ZeroDivisionError('division by zero')"],
    )


async def test_the_sockets_of_a_person_are_found(house):
    one, other = await house.enter(), await house.enter()
    other.who = Identity("u:2", "Ben")

    assert (house.hub.sockets_of("u:2"), one in house.hub.sockets_of(one.key)) == ([other], True)
