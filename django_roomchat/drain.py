"""The end of a process: its clients are told, and what they said is committed, before the server closes their sockets.

uvicorn and daphne close all sockets as soon as they are told to end, and say nothing before it.
So SIGTERM is taken first, and passed on to the server's own handler when everything is said.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from django_roomchat import hub, inbox, presence, reading
from django_roomchat.conf import config
from django_roomchat.protocol import CLOSE_RESTART

_watching = False


def watch() -> None:
    """Take SIGTERM from the server, if this event loop runs in the main thread, where signals arrive."""
    global _watching
    if _watching or threading.current_thread() is not threading.main_thread():
        return
    previous = signal.getsignal(signal.SIGTERM)
    if callable(previous):
        _watching = True
        signal.signal(signal.SIGTERM, _Handler(asyncio.get_running_loop(), previous))


class _Handler:
    """Drains once, then the server's own handler has the signal. A second signal goes there at once."""

    def __init__(self, loop: asyncio.AbstractEventLoop, previous: Callable[..., Any]) -> None:
        self._loop = loop
        self._previous = previous
        self._task: asyncio.Task[None] | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        global _watching
        _watching = False
        signal.signal(signal.SIGTERM, self._previous)
        if self._loop.is_running():
            self._loop.call_soon_threadsafe(self._start)
        else:
            self._previous(number, frame)

    def _start(self) -> None:
        self._task = self._loop.create_task(self._run())

    async def _run(self) -> None:
        try:
            await drain()
        finally:
            signal.raise_signal(signal.SIGTERM)


async def drain() -> None:
    """Commit and acknowledge what waits, then say goodbye to everybody. Takes ``DRAIN_SECONDS`` at most."""
    settings = config()
    here = hub.current()
    here.is_draining = True
    # What is not committed in time was not acknowledged either: its client says it again, with the same id.
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(inbox.current().drain(), settings.DRAIN_SECONDS)
        await asyncio.wait_for(reading.of(here).drain(), settings.DRAIN_SECONDS)
    for socket in list(here.sockets):
        socket.close(CLOSE_RESTART, retry_after=random.uniform(0, settings.DRAIN_SPREAD_SECONDS))
    await presence.say_farewell(here)
    await here.say_farewell()
