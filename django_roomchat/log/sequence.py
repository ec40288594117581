"""Allocation of sequence numbers. A transaction that allocates numbers locks the room until it ends.

The update is the first statement of its transaction. It is a single statement for any number of rooms on SQLite and PostgreSQL,
and two statements on MySQL and MariaDB.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models import F
from django.utils import timezone

from django_roomchat.database import database
from django_roomchat.models import RoomLog

_TABLE = RoomLog._meta.db_table


@dataclass(frozen=True, slots=True)
class Claim:
    """Request for a number of sequence numbers in a room, on condition that the room's access version and epoch
    are unchanged.
    """

    count: int
    access_version: int | None = None
    """Access version at which the permissions were checked; ``None`` for no condition.

    It is compared on the locked row itself. A subquery on any other row in the same statement would be
    evaluated before the wait for the lock, when a concurrent ban did not exist yet.
    """
    epoch: str | None = None
    """Epoch of the log, if the room was looked up earlier; ``None`` for no condition. Primary keys can be reused
    after a rollback or in tests, epochs cannot.
    """


@dataclass(frozen=True, slots=True)
class Taken:
    """Allocated sequence numbers of a room, and the epoch of its log."""

    epoch: str
    head: int
    """Last allocated number. The first is ``head - count + 1``."""


def take(claims: Mapping[int, Claim], *, skip_locked: bool = False) -> dict[int, Taken]:
    """Lock rooms and allocate sequence numbers.

    Args:
        claims: requests by the primary key of the room.
        skip_locked: omit rooms that another transaction has locked, if the database supports it.

    Returns:
        Allocations by the primary key of the room. Rooms that are deleted, whose access version or epoch has
        changed, or that are locked (with *skip_locked*) are omitted.
    """
    connection = connections[database()]
    dialects = {"mysql": _take_on_mysql, "postgresql": _take_on_postgresql, "sqlite": _take_on_sqlite}
    dialect = dialects.get(connection.vendor, _take_anywhere)
    return {
        room: Taken(str(UUID(epoch) if isinstance(epoch, str) else epoch), head)
        for room, head, epoch in dialect(connection, claims, skip_locked)
    }


_lock_timeout: ContextVar[float | None] = ContextVar("roomchat_lock_timeout", default=None)


@contextmanager
def limited_wait(seconds: float) -> Iterator[None]:
    """Context manager: changes of stored messages inside fail if their room stays locked for longer (PostgreSQL only).

    Args:
        seconds: lock timeout in seconds.
    """
    token = _lock_timeout.set(seconds)
    try:
        yield
    finally:
        _lock_timeout.reset(token)


def lock_timeout() -> float | None:
    """Return the lock timeout of :func:`limited_wait`, in seconds; ``None`` outside of it."""
    return _lock_timeout.get()


def set_lock_timeout(seconds: float | None) -> None:
    """Set the lock timeout of the current transaction (PostgreSQL only). A statement that waits longer for a
    locked room fails.

    Args:
        seconds: timeout in seconds; ``None`` or 0 changes nothing.
    """
    connection = connections[database()]
    if seconds and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{round(seconds * 1000)}ms"])


Rows = Iterable[tuple[int, int, Any]]


def _take_on_sqlite(connection: Any, claims: Mapping[int, Claim], skip_locked: bool) -> Rows:
    values = ", ".join(["(%s, %s, %s, %s)"] * len(claims))
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH wanted(id, n, version, era) AS (VALUES {values}) "  # noqa: S608  (contains no user input)
            f"UPDATE {_TABLE} SET head = head + n, changed_at = %s FROM wanted "
            "WHERE room_id = id AND access_version = coalesce(version, access_version) "
            "AND epoch = coalesce(era, epoch) "
            "RETURNING room_id, head, epoch",
            [
                *(
                    value
                    for room, claim in claims.items()
                    # SQLite stores a UUID as its 32 hexadecimal digits.
                    for value in (
                        room,
                        claim.count,
                        claim.access_version,
                        claim.epoch and claim.epoch.replace("-", ""),
                    )
                ),
                connection.ops.adapt_datetimefield_value(timezone.now()),
            ],
        )
        return cursor.fetchall()  # type: ignore[no-any-return]  # DB-API rows are untyped


def _take_on_postgresql(connection: Any, claims: Mapping[int, Claim], skip_locked: bool) -> Rows:
    # Rows are locked in the order of their keys, so that two batches over the same rooms cannot deadlock.
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {_TABLE} AS log SET head = log.head + mine.n, changed_at = %s FROM ("  # noqa: S608  (contains no user input)
            f"SELECT room_id, wanted.n FROM {_TABLE} "
            "JOIN unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::uuid[]) "
            "AS wanted(room_id, n, version, era) USING (room_id) "
            "WHERE access_version = coalesce(version, access_version) AND epoch = coalesce(era, epoch) "
            f"ORDER BY room_id FOR UPDATE OF {_TABLE}{' SKIP LOCKED' if skip_locked else ''}"
            ") AS mine WHERE log.room_id = mine.room_id RETURNING log.room_id, log.head, log.epoch",
            [
                timezone.now(),
                list(claims),
                [claim.count for claim in claims.values()],
                [claim.access_version for claim in claims.values()],
                [claim.epoch for claim in claims.values()],
            ],
        )
        return cursor.fetchall()  # type: ignore[no-any-return]  # as above


def _take_on_mysql(connection: Any, claims: Mapping[int, Claim], skip_locked: bool) -> Rows:
    # Neither MySQL nor MariaDB returns the rows of an UPDATE, so a second statement reads them under their locks. It tells which
    # ones were updated: a version or an epoch that was outdated before the UPDATE is so after it. Rows are locked in the order
    # of their keys, as on PostgreSQL.
    epoch_field = RoomLog._meta.get_field("epoch")
    wanted = " UNION ALL ".join(["SELECT %s AS id, %s AS n, %s AS version, %s AS era"] * len(claims))
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {_TABLE} AS log JOIN ({wanted}) AS wanted ON log.room_id = wanted.id "  # noqa: S608  (contains no user input)
            "SET log.head = log.head + wanted.n, log.changed_at = %s "
            "WHERE log.access_version = coalesce(wanted.version, log.access_version) "
            "AND log.epoch = coalesce(wanted.era, log.epoch)",
            [
                *(
                    value
                    for room, claim in sorted(claims.items())
                    for value in (
                        room,
                        claim.count,
                        claim.access_version,
                        claim.epoch and epoch_field.get_db_prep_value(UUID(claim.epoch), connection),
                    )
                ),
                connection.ops.adapt_datetimefield_value(timezone.now()),
            ],
        )
    rows = RoomLog.objects.using(connection.alias).filter(pk__in=list(claims))
    for room, head, epoch, version in rows.values_list("pk", "head", "epoch", "access_version"):
        claim = claims[room]
        if claim.access_version in (None, version) and claim.epoch in (None, str(epoch)):
            yield room, head, epoch


def _take_anywhere(connection: Any, claims: Mapping[int, Claim], skip_locked: bool) -> Rows:
    logs = RoomLog.objects.using(connection.alias)
    for room in sorted(claims):
        claim = claims[room]
        rows = logs.filter(pk=room)
        if claim.access_version is not None:
            rows = rows.filter(access_version=claim.access_version)
        if claim.epoch is not None:
            rows = rows.filter(epoch=claim.epoch)
        if rows.update(head=F("head") + claim.count, changed_at=timezone.now()):
            yield room, *logs.values_list("head", "epoch").get(pk=room)
