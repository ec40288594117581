"""Counts of unread messages and mentions, as SQL expressions for queries of markers and rooms. Counting stops at a limit, so that it stays cheap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connections, models
from django.db.models import Case, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Cast, Concat

from django_roomchat.database import batches, database
from django_roomchat.models import Message, ReadMarker, Room

WINDOW = 100
"""Maximum number of messages that are counted."""

IS_SYSTEM_MESSAGE = Q(kind=Message.Kind.SYSTEM, data__has_key="line")
"""Condition for system messages, which do not count as unread."""


class Sum(Subquery):
    """SQL sum of the single column of a subquery."""

    template = "(SELECT COALESCE(SUM(looked_at.n), 0) FROM (%(subquery)s) AS looked_at)"
    output_field = models.IntegerField()


def count_messages(room: Any, key: Any, seq: Any, condition: Q, *, order: str = "-seq") -> Sum:
    """Return an expression that counts messages of others after a marker that meet a condition, among at most WINDOW messages.

    Args:
        room, key, seq: the room's primary key, the marker's identity key and its sequence number: values, or references to the
            outer query, which MySQL and MariaDB do not allow.
        condition: condition on a message, in which ``text`` is the message's data as JSON text.
        order: ``-seq`` to look at the last messages, ``seq`` to look at the first.
    """
    counts = Q(deleted_at=None) & ~Q(author_key=key) & ~IS_SYSTEM_MESSAGE & condition
    messages = Message.objects.filter(room=room, seq__gt=seq).order_by(order)
    with_data = messages.annotate(text=Cast("data", models.TextField()))
    return Sum(
        with_data.annotate(
            n=Case(When(counts, then=1), default=0, output_field=models.IntegerField())
        ).values("n")[:WINDOW]
    )


def mentions_of(key: Any) -> Q:
    # All databases and Python serialise JSON with this spacing. No other field in a message's data is called "key".
    return Q(text__contains=Concat(Value('"key": "'), key, Value('"'), output_field=models.TextField()))


def can_refer() -> bool:
    """Return whether a subquery in FROM can refer to the outer query. On MySQL and MariaDB it cannot."""
    return connections[database()].vendor != "mysql"


@dataclass(frozen=True, slots=True)
class Position:
    """Where the messages begin that a person has not read."""

    room: int
    key: str
    seq: int
    since: datetime | None = None
    """Time after which messages count; ``None`` for all."""


def count_each(positions: Sequence[Position]) -> list[tuple[int, int]]:
    """Return the numbers of unread messages and of mentions for each position, with one query for each CHUNK of them."""

    def counts(at: Position) -> dict[str, Sum]:
        in_time = Q() if at.since is None else Q(created_at__gt=at.since)
        mentions = in_time & mentions_of(Value(at.key))
        return {
            "unread": count_messages(at.room, at.key, at.seq, in_time),
            "mentions": count_messages(at.room, at.key, at.seq, mentions),
        }

    return _ask(positions, counts)


def have_older(positions: Sequence[Position], old: Q) -> list[bool]:
    """Return for each position whether a message that counts meets a condition, among the first WINDOW messages."""
    asked = _ask(positions, lambda at: {"n": count_messages(at.room, at.key, at.seq, old, order="seq")})
    return [bool(row[0]) for row in asked]


CHUNK = 100
"""Number of positions in one query."""


def _ask(positions: Sequence[Position], counts: Callable[[Position], dict[str, Sum]]) -> list[Any]:
    """Return the counts for each position. The positions are values in the query, so that an index finds their messages."""
    found: dict[int, Any] = {}
    rooms = Room.objects.using(database()).order_by()
    for some in batches(list(enumerate(positions)), CHUNK):
        asked = [
            rooms.filter(pk=at.room)
            .annotate(place=Value(place), **(them := counts(at)))
            .values_list("place", *them)
            for place, at in some
        ]
        rows = asked[0].union(*asked[1:], all=True).order_by() if len(asked) > 1 else asked[0]
        found |= {place: tuple(row) for place, *row in rows}
    # A room that was deleted meanwhile has no messages.
    return [found.get(place, (0, 0)) for place in range(len(positions))]


def counted(markers: models.QuerySet[ReadMarker], *fields: str) -> list[Any]:
    """Return fields of read markers, followed by the number of ``unread`` messages after them and of ``mentions`` among these."""
    if not can_refer():
        rows = list(markers.values_list(*fields, "room_id", "key", "seq"))
        counts = count_each([Position(*row[-3:]) for row in rows])
        return [(*row[:-3], *count) for row, count in zip(rows, counts, strict=True)]
    room, whose, since = OuterRef("room_id"), OuterRef("key"), OuterRef("seq")
    with_counts = markers.annotate(
        unread=count_messages(room, whose, since, Q()),
        mentions=count_messages(room, whose, since, mentions_of(whose)),
    )
    return list(with_counts.values_list(*fields, "unread", "mentions"))
