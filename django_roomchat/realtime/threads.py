"""Thread pool for database work of the event loop.

asgiref's thread-sensitive executor is one thread for all consumers of a process, in which one slow query blocks
every socket (measured: a query of 3 s delayed another consumer's echo by 2,951 ms;
https://github.com/django/channels/issues/2132).
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from functools import cache, partial
from typing import Any, ParamSpec, TypeVar

from django.core.signals import setting_changed
from django.db import InterfaceError, OperationalError, connections
from django.utils.translation import gettext_noop as _

from django_roomchat.conf import config
from django_roomchat.errors import Busy

P = ParamSpec("P")
T = TypeVar("T")

SEARCHES_WAITING_MAX = 20
"""Maximum number of searches in this process that wait for others. Further ones are rejected with ``busy``."""


@cache
def _pool() -> tuple[ThreadPoolExecutor, int]:
    threads = config().DATABASE_THREADS
    return ThreadPoolExecutor(threads, thread_name_prefix="roomchat-database"), threads


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run *function* in a thread of the pool. The threads keep their database connections between calls.

    Args:
        function: the function.
        args: its positional arguments.
        kwargs: its keyword arguments.

    Returns:
        The return value of *function*.
    """
    call = partial(function, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_pool()[0], _with_usable_connections, call)


def _with_usable_connections(call: Callable[[], T]) -> T:
    failures = _failures.count
    is_suspect = getattr(_seen, "failures", failures) != failures
    _seen.failures = failures
    for connection in connections.all(initialized_only=True):
        # CONN_MAX_AGE protects the database from an unlimited number of threads. This pool is small, so only a broken
        # connection is closed, and a busy process does not reconnect for every message.
        connection.close_at = None
        connection.errors_occurred |= is_suspect
        connection.close_if_unusable_or_obsolete()
    try:
        return call()
    except (OperationalError, InterfaceError):
        _failures.count += 1
        raise


class _Failures:
    """Counts calls that the database failed. A database that restarts loses the connections of all threads, so after a failure
    each thread tests its own before the next call; otherwise each attempt of a repeated call could meet another lost one.
    """

    count = 0


_failures = _Failures()
_seen = threading.local()


class Turns:
    """Limits the calls of one kind that run at the same time, in threads of this pool and in those of views. The others wait in
    their order.

    Args:
        running_max: maximum number of calls at the same time.
        waiting_max: maximum number of calls that wait.
    """

    def __init__(self, running_max: int, waiting_max: int) -> None:
        self._free = running_max
        self._waiting: deque[Future[None]] = deque()
        self._waiting_max = waiting_max
        self._lock = threading.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn on the event loop, and hold it during the block.

        Raises:
            Busy: too many calls are waiting.
        """
        if (granted := self._ask()) is not None:
            try:
                await asyncio.wrap_future(granted)
            except asyncio.CancelledError:
                if not granted.cancelled():
                    self._end()
                raise
        try:
            yield
        finally:
            self._end()

    @contextmanager
    def turn_in_thread(self) -> Iterator[None]:
        """Wait for a turn in a thread, and hold it during the block.

        Raises:
            Busy: too many calls are waiting.
        """
        if (granted := self._ask()) is not None:
            granted.result()
        try:
            yield
        finally:
            self._end()

    def _ask(self) -> Future[None] | None:
        """Take a turn, or return the future of a later one."""
        with self._lock:
            if self._free:
                self._free -= 1
                return None
            if len(self._waiting) >= self._waiting_max:
                raise Busy(
                    _("The server is working on many searches; try again in a moment."), retry_after=2.0
                )
            granted: Future[None] = Future()
            self._waiting.append(granted)
            return granted

    def _end(self) -> None:
        """Pass the turn on to the next call that still waits."""
        with self._lock:
            while self._waiting:
                granted = self._waiting.popleft()
                if granted.set_running_or_notify_cancel():
                    granted.set_result(None)
                    return
            self._free += 1


@cache
def searches() -> Turns:
    """Return the turns of searches: half of the threads, so that the others remain for posts."""
    return Turns(max(1, config().DATABASE_THREADS // 2), SEARCHES_WAITING_MAX)


def close() -> list[Future[None]]:
    """Shut down the pool: every thread closes its database connections and ends. A later :func:`in_thread`
    starts a new pool.

    Returns:
        Futures that are done when the connections are closed; the function itself does not wait. An empty list
        if no pool is running.
    """
    if not _pool.cache_info().currsize:
        return []
    pool, threads = _pool()
    _pool.cache_clear()
    # Each thread waits at the barrier for all the others, so that each runs this once.
    everybody = threading.Barrier(threads)
    closed = [pool.submit(_close_connections, everybody) for _ in range(threads)]
    pool.shutdown(wait=False)
    return closed


def _close_connections(everybody: threading.Barrier) -> None:
    everybody.wait()
    connections.close_all()


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting in ("ROOMCHAT", "DATABASES"):
        searches.cache_clear()
        for closed in close():
            closed.result()


setting_changed.connect(_forget, dispatch_uid="django_roomchat.realtime.threads")
