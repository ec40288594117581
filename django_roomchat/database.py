"""The database that holds the chat: its alias and identifier, asynchronous access to it, and rows in batches and pages."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.apps import apps
from django.conf import settings
from django.db import connections, router
from django.db.models import Q
from django.db.models.signals import post_migrate

from django_roomchat.models import Installation, KeyField, RoomLog
from django_roomchat.models.fields import BINARY_COLLATION

P = ParamSpec("P")
T = TypeVar("T")


def database() -> str:
    """Return the alias of the log's database. All data of the chat is read from and written to it."""
    return router.db_for_write(RoomLog)


_identifiers: dict[str, tuple[str, ...]] = {}
"""Identifiers of each database that was looked up, by its alias."""


def identifiers(*, look_up: bool = False) -> tuple[str, ...]:
    """Return the identifiers of the chat's database on the channel layer, 11 characters each.

    An identifier is a digest of the UUID in the database and of ``SECRET_KEY``, so that a copy of the database that
    another site uses has another one. The first is that of this process. The others belong to the keys in
    ``SECRET_KEY_FALLBACKS``, which other processes may still use.

    Args:
        look_up: query the database even if the identifiers are cached, as the database may have been restored.
    """
    alias = database()
    if look_up or alias not in _identifiers:
        row, _is_new = Installation._default_manager.using(alias).get_or_create(pk=1)
        keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
        _identifiers[alias] = tuple(_identifier(row.uuid.bytes, key) for key in keys)
    return _identifiers[alias]


def known_identifiers() -> tuple[str, ...] | None:
    """Return the cached result of :func:`identifiers` without a query, or ``None``."""
    return _identifiers.get(database())


def forget_identifiers(**kwargs: Any) -> None:
    """Receiver of ``post_migrate``, which Django also sends when it flushes a database."""
    _identifiers.clear()


post_migrate.connect(forget_identifiers, dispatch_uid="django_roomchat.database")


def _identifier(unique: bytes, key: str | bytes) -> str:
    secret = key.encode() if isinstance(key, str) else key
    digest = hashlib.blake2b(unique, key=hashlib.sha256(secret).digest(), digest_size=8).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


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


def columns_to_mend(alias: str) -> dict[str, list[str]]:
    """Return the columns of keys without a binary collation on MySQL or MariaDB, as the ALTER clauses that mend them, by table.

    Makes one query there, and none on other databases.
    """
    connection = connections[alias]
    if connection.vendor != "mysql":
        return {}
    fields = {
        (model._meta.db_table, field.column): field
        for model in apps.get_app_config("roomchat").get_models()
        for field in model._meta.local_concrete_fields
        if isinstance(field, KeyField)
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = DATABASE() AND table_name LIKE %s AND collation_name NOT LIKE %s",
            [r"roomchat\_%", "utf8mb4%bin"],
        )
        found: dict[str, list[str]] = {}
        for table, column in sorted(cursor.fetchall()):
            if (field := fields.get((table, column))) is not None:
                kind = f"{field.db_type(connection)} COLLATE {BINARY_COLLATION}"
                null = "NULL" if field.null else "NOT NULL"
                found.setdefault(table, []).append(f"MODIFY {column} {kind} {null}")
    return found


def batches(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield rows in batches, because statements have a limited number of parameters and transactions should be short.

    Args:
        rows: the rows, or their keys.
        size: maximum number of rows in one batch.
    """
    # itertools.batched needs Python 3.12.
    return (rows[start : start + size] for start in range(0, len(rows), size))


def paged(rows: Any, *order: str, size: int = 500) -> Iterator[Any]:
    """Yield the rows of a queryset in ascending order, with one query for each page.

    Unlike ``QuerySet.iterator()`` it uses no server-side cursor, which PgBouncer loses at the end of a transaction.

    Args:
        rows: a queryset of model instances, or of dictionaries that contain the fields of *order*.
        order: fields without nulls that identify a row together.
        size: number of rows in one page.
    """
    rows = rows.order_by(*order)
    page = list(rows[:size])
    while page:
        yield from page
        if len(page) < size:
            return
        last = page[-1]
        values = [last[name] if isinstance(last, dict) else getattr(last, name) for name in order]
        page = list(rows.filter(_after(order, values))[:size])


def _after(order: Sequence[str], values: Sequence[Any]) -> Q:
    """Return the condition for rows after one with these values."""
    found, same = Q(), Q()
    for name, value in zip(order, values, strict=True):
        found |= same & Q(**{f"{name}__gt": value})
        same &= Q(**{name: value})
    return found
