"""Thread pool for database work of the event loop.

asgiref's thread-sensitive executor is one thread for all consumers of a process, in which one slow query blocks
every socket (measured: a query of 3 s delayed another consumer's echo by 2,951 ms;
https://github.com/django/channels/issues/2132).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache, partial
from typing import Any, ParamSpec, TypeVar

from django.core.signals import setting_changed
from django.db import connections

from django_roomchat.conf import config

P = ParamSpec("P")
T = TypeVar("T")


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
    for connection in connections.all(initialized_only=True):
        # CONN_MAX_AGE protects the database from an unlimited number of threads. This pool is small, so only a broken
        # connection is closed, and a busy process does not reconnect for every message.
        connection.close_at = None
        connection.close_if_unusable_or_obsolete()
    return call()


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
        for closed in close():
            closed.result()


setting_changed.connect(_forget, dispatch_uid="django_roomchat.realtime.threads")
