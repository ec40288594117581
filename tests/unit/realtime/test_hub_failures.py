"""A callback that fails for one event or one socket stops neither the room nor the hub."""

import json

import pytest

from django_roomchat.pubsub import Batch
from tests.support.fakes import Socket, settle
from tests.support.hub import revs


@pytest.fixture(autouse=True)
def _no_layer(no_layer, reported):
    """Without a channel layer, and with the log lines in `reported`."""


class Broken(Socket):
    """A socket whose connection raises an exception."""

    def write(self, message):
        if self.written:
            raise RuntimeError("gone")
        super().write(message)


async def test_a_socket_that_cannot_be_written_to_is_closed_and_the_others_go_on(house, lobby, reported):
    before, broken, after = await house.enter(), await house.enter(Broken()), await house.enter()

    house.hear(lobby.append())
    house.hear(lobby.append())

    assert [revs(socket) for socket in (before, after)] == [[[1], [2]], [[1], [2]]]
    assert broken.closed == (4503, 1.0)
    assert unexpected(reported) == [
        "An event could not be sent to a socket, which is closed: RuntimeError('gone')"
    ]


async def test_a_socket_that_cannot_be_written_to_once_it_reads_again_is_closed(house, lobby, reported):
    broken, other = await house.enter(Broken()), await house.enter()
    broken.block()
    house.hear(lobby.append())
    broken.unblock()

    house.hub.resume(broken)

    assert (broken.closed, revs(other)) == ((4503, 1.0), [[1]])
    assert unexpected(reported) == [
        "An event could not be sent to a socket, which is closed: RuntimeError('gone')"
    ]


async def test_an_event_that_cannot_be_decoded_is_left_out_and_the_room_goes_on(house, lobby, caplog):
    tutorial, socket = await house.enter(Socket(is_tutorial=True)), await house.enter()
    good = lobby.append(2)
    [(rev, event), other] = good.events
    without_key = json.dumps(json.loads(event) | {"author": {"key": 5, "name": "Ana"}}).encode()

    house.hear(Batch(good.room, good.epoch, 0, 2, [(rev, without_key), other]))
    house.hear(lobby.append(body="on"))

    assert [frame["seq"] for frame in tutorial.frames] == [2, 3]
    assert revs(socket) == [[1, 2], [3]]
    assert [message.split(":")[0] for message in caplog.messages] == [
        "An event cannot be decoded and is not sent to pages of the tutorial"
    ]


async def test_a_batch_that_cannot_be_handled_is_read_from_the_log(house, lobby, monkeypatch, reported):
    socket = await house.enter()
    broken = lobby.append()
    with monkeypatch.context() as context:
        context.setattr(house.hub, "_receive_batch", raising)
        house.hear(broken)

    house.hear(lobby.append())
    await settle()

    assert revs(socket) == [[1, 2]]
    assert unexpected(reported) == ["A change of room 'lobby' could not be handled: ValueError('broken')"]


def raising(*about):
    raise ValueError("broken")


async def test_a_timer_that_fails_does_not_end_the_hub(house, lobby, clock, monkeypatch, reported):
    socket = await house.enter()
    with monkeypatch.context() as context:
        context.setattr(house.hub, "_close_slow", raising)
        await clock.advance(3)
    lobby.append()

    await clock.advance(6)

    assert revs(socket) == [[1]]
    assert unexpected(reported) == ["A timer of the hub failed: ValueError('broken')"]


def unexpected(lines):
    """The log lines, each once, without those about the missing channel layer."""
    return list(dict.fromkeys(line for line in lines if "has no channel layer" not in line))
