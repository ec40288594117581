"""The shutdown of a process."""

import asyncio
import signal

import pytest

from django_roomchat.models import Message
from django_roomchat.protocol import CLOSE_RESTART
from django_roomchat.realtime import group_commit, hub, shutdown, threads
from tests.support.fakes import settle
from tests.support.sockets import client

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_hub")]


async def test_a_process_that_ends_takes_no_new_sockets_and_no_new_posts(caplog):
    async with client() as socket:
        await socket.receive("joined")
        hub.current().is_draining = True
        try:
            error = await socket.post("hi", id="a")
            connected = await client().connect()
        finally:
            hub.current().is_draining = False

    assert (error["code"], error["detail"], error["retry_after"]) == (
        "unavailable", "The server is restarting; try again.", 1.0,
    )  # fmt: skip
    assert (connected, caplog.messages) == (
        False,
        ["Socket '/ws/chat/lobby/' refused: the process is shutting down"],
    )


async def test_a_shutdown_commits_waiting_posts_and_closes_all_sockets(settings):
    settings.ROOMCHAT = {"DRAIN_SPREAD_SECONDS": 5}
    async with client() as socket:
        await socket.receive("joined")
        await socket.send({"type": "post", "id": "a", "body": "hi"})
        # The frame is received, and its post waits to be committed.
        await settle()

        await shutdown.drain()

        answers = [await socket.receive() for _ in range(3)]
        with pytest.raises(ConnectionResetError) as closed:
            await socket.receive()

    by_type = {answer["type"]: answer for answer in answers}
    assert set(by_type) == {"ack", "events", "bye"}
    assert (by_type["bye"]["code"], 0 <= by_type["bye"]["retry_after"] <= 5) == (CLOSE_RESTART, True)
    assert closed.value.args[1] == CLOSE_RESTART
    assert await threads.in_thread(Message.objects.count) == 1


async def test_posts_that_are_not_committed_in_time_do_not_delay_the_shutdown(settings, monkeypatch):
    settings.ROOMCHAT = {"DRAIN_SECONDS": 0.01}

    class Stuck:
        async def drain(self):
            await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(group_commit, "current", Stuck)
    async with client() as socket:
        await socket.receive("joined")

        await shutdown.drain()

        bye = await socket.receive("bye")

    assert (bye["code"], hub.current().is_draining) == (CLOSE_RESTART, True)


class Signals:
    """Records the handlers that are installed and the signals that are raised."""

    def __init__(self, monkeypatch):
        self.handler = self.previous = lambda number, frame: self.received.append(number)
        self.received, self.raised = [], []
        monkeypatch.setattr(shutdown, "_watching", False)
        monkeypatch.setattr(shutdown.signal, "getsignal", lambda number: self.handler)
        monkeypatch.setattr(shutdown.signal, "signal", self.install)
        monkeypatch.setattr(shutdown.signal, "raise_signal", self.raised.append)

    def install(self, number, handler):
        assert number == signal.SIGTERM
        self.handler = handler


async def test_sigterm_shuts_down_and_is_then_raised_for_the_server(monkeypatch):
    signals = Signals(monkeypatch)
    steps = []

    async def drain():
        steps.append(list(signals.raised))

    monkeypatch.setattr(shutdown, "drain", drain)
    shutdown.watch()
    installed = signals.handler

    installed(signal.SIGTERM, None)
    await settle()

    assert (steps, signals.raised, signals.handler is signals.previous) == ([[]], [signal.SIGTERM], True)


async def test_the_handler_is_installed_once(monkeypatch):
    signals = Signals(monkeypatch)

    shutdown.watch()
    installed = signals.handler
    shutdown.watch()

    assert installed is not signals.previous
    assert signals.handler is installed


async def test_a_thread_other_than_the_main_thread_installs_no_handler(monkeypatch):
    signals = Signals(monkeypatch)

    await asyncio.to_thread(shutdown.watch)

    assert signals.handler is signals.previous
