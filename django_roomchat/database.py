"""The database that holds the chat: its alias, asynchronous access to it, and batches of rows."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.db import router

from django_roomchat.models import RoomLog

P = ParamSpec("P")
T = TypeVar("T")


def database() -> str:
    """Return the alias of the log's database. All data of the chat is read from and written to it."""
    return router.db_for_write(RoomLog)


def twin(function: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Return the asynchronous twin of a function that uses the database: it runs the function in a thread.

    Args:
        function: a synchronous function. The twin has its parameters, and its name with the prefix ``a``.
    """

    @wraps(function)
    async def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return await sync_to_async(function)(*args, **kwargs)

    run.__name__ = run.__qualname__ = f"a{function.__name__}"
    run.__doc__ = f"Asynchronous twin of :func:`{function.__name__}`."
    return run


def batches(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield rows in batches, because statements have a limited number of parameters and transactions should be short.

    Args:
        rows: the rows, or their keys.
        size: maximum number of rows in one batch.
    """
    # itertools.batched needs Python 3.12.
    return (rows[start : start + size] for start in range(0, len(rows), size))
