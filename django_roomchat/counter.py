"""The counters of the rooms: whoever takes a number locks the room until its transaction ends.

The update is the first statement of its transaction, in one statement for any number of rooms where the database can.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connections, router
from django.db.models import F
from django.utils import timezone

from django_roomchat.models import RoomLog

_TABLE = RoomLog._meta.db_table


@dataclass(frozen=True, slots=True)
class Claim:
    """So many numbers of a room, if nobody's rights in it have changed meanwhile."""

    count: int
    access_version: int | None = None
    """The version at which the rights were looked at. It is compared on the locked row itself: a question about any other
    row, in the same statement, is answered from before the wait for the lock, when a ban was not there yet."""
    epoch: str | None = None
    """Of the log, if the room was looked up a while ago: keys can come back, after a rollback or in tests, epochs cannot."""


@dataclass(frozen=True, slots=True)
class Taken:
    epoch: str
    head: int
    """The last of the numbers; the first is ``head - count + 1``."""


def take(claims: Mapping[int, Claim], *, skip_locked: bool = False) -> dict[int, Taken]:
    """Lock rooms and take numbers.

    Args:
        claims: by the room's primary key.
        skip_locked: leave out rooms that somebody else has locked, where the database can.

    Returns:
        By room. Missing are those that are gone, whose access version is another one, and with *skip_locked* the locked ones.
    """
    connection = connections[database()]
    dialect = {"sqlite": _take_on_sqlite, "postgresql": _take_on_postgresql}.get(
        connection.vendor, _take_anywhere
    )
    return {
        room: Taken(str(UUID(epoch) if isinstance(epoch, str) else epoch), head)
        for room, head, epoch in dialect(connection, claims, skip_locked)
    }


def wait_at_most(seconds: float | None) -> None:
    """Within a transaction: fail rather than wait longer for a locked room (PostgreSQL)."""
    connection = connections[database()]
    if seconds and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{round(seconds * 1000)}ms"])


def database() -> str:
    """The database of the log; everything of the chat is read and written there."""
    return router.db_for_write(RoomLog)


Rows = Iterable[tuple[int, int, Any]]


def _take_on_sqlite(connection: Any, claims: Mapping[int, Claim], skip_locked: bool) -> Rows:
    values = ", ".join(["(%s, %s, %s, %s)"] * len(claims))
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH wanted(id, n, version, era) AS (VALUES {values}) "  # noqa: S608  (no user's text)
            f"UPDATE {_TABLE} SET head = head + n, changed_at = %s FROM wanted "
            "WHERE room_id = id AND access_version = coalesce(version, access_version) "
            "AND epoch = coalesce(era, epoch) "
            "RETURNING room_id, head, epoch",
            [
                *(
                    value
                    for room, claim in claims.items()
                    # SQLite keeps a UUID as its 32 digits.
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
    # Locked in the order of their keys, so that two batches over the same rooms cannot wait for each other.
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {_TABLE} AS log SET head = log.head + mine.n, changed_at = %s FROM ("  # noqa: S608  (no user's text)
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
