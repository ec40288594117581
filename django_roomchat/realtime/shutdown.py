"""Graceful shutdown: the posts received are committed and the clients are notified before the server closes
their sockets.

uvicorn and daphne close all sockets as soon as they receive SIGTERM, without prior notice to the application.
This module therefore handles SIGTERM first, and raises it again for the server's own handler when it is done.
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

from django_roomchat.conf import config
from django_roomchat.protocol import CLOSE_RESTART
from django_roomchat.realtime import group_commit, hub, read_receipts
from django_roomchat.realtime.presence import release_lease

_watching = False


def watch() -> None:
    """Install the SIGTERM handler, if this event loop runs in the main thread, which receives signals."""
    global _watching
    if _watching or threading.current_thread() is not threading.main_thread():
        return
    previous = signal.getsignal(signal.SIGTERM)
    if callable(previous):
        _watching = True
        signal.signal(signal.SIGTERM, _Handler(asyncio.get_running_loop(), previous))


class _Handler:
    """Signal handler that shuts down once and then passes the signal to the server. A second signal goes to
    the server at once.
    """

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
    """Commit and acknowledge the waiting posts, write the waiting read markers, then close all sockets with ``bye``.

    Waits at most ``DRAIN_SECONDS`` for the posts, and as long again for the read markers.
    """
    settings = config()
    here = hub.current()
    here.is_draining = True
    # A post that is not committed in time is not acknowledged either; its client sends it again with the same
    # id.
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(group_commit.current().drain(), settings.DRAIN_SECONDS)
        await asyncio.wait_for(read_receipts.of(here).drain(), settings.DRAIN_SECONDS)
    for socket in list(here.sockets):
        socket.close(CLOSE_RESTART, retry_after=random.uniform(0, settings.DRAIN_SPREAD_SECONDS))
    await release_lease(here)
    await here.leave_groups()
