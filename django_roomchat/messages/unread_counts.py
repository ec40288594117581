"""Counts of unread messages and mentions, as SQL expressions for queries of markers and rooms. Counting stops at a limit, so that it stays cheap."""

from __future__ import annotations

from typing import Any

from django.db import connections, models
from django.db.models import Case, Func, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce, Concat

from django_roomchat.database import database
from django_roomchat.models import Message, ReadMarker
from django_roomchat.text import values

WINDOW = 100
"""Maximum number of messages that are counted."""

IS_SYSTEM_MESSAGE = Q(kind=Message.Kind.SYSTEM, data__has_key="line")
"""Condition for system messages, which do not count as unread."""


class Sum(Subquery):
    """SQL sum of the single column of a subquery."""

    template = "(SELECT COALESCE(SUM(looked_at.n), 0) FROM (%(subquery)s) AS looked_at)"
    output_field = models.IntegerField()


def count_messages(room: str, key: Any, seq: Any, condition: Q, *, order: str = "-seq") -> Any:
    """Return an expression that counts messages of others after a marker that meet a condition, among at most WINDOW messages.

    Args:
        room, key, seq: references to the outer query: the room's primary key, the marker's identity key and its sequence number.
        condition: condition on a message, in which ``text`` is the message's data as JSON text.
        order: ``-seq`` to look at the last messages, ``seq`` to look at the first.
    """
    counts = Q(deleted_at=None) & ~Q(author_key=key) & ~IS_SYSTEM_MESSAGE & condition
    messages = Message.objects.filter(room=OuterRef(room), seq__gt=seq)
    with_data = messages.annotate(text=Cast("data", models.TextField()))
    if connections[database()].vendor == "mysql":
        within = _within_window(OuterRef(room), seq, order)
        counted = with_data.filter(within, counts).annotate(n=Func("pk", function="COUNT"))
        return Coalesce(Subquery(counted.values("n")), 0, output_field=models.IntegerField())
    return Sum(
        with_data.annotate(n=Case(When(counts, then=1), default=0, output_field=models.IntegerField()))
        .order_by(order)
        .values("n")[:WINDOW]
    )


def _within_window(room: Any, seq: Any, order: str) -> Q:
    """Return the condition for the first WINDOW messages in an order, for MySQL and MariaDB.

    A subquery in FROM cannot refer to an outer query there, but one in WHERE can: it reads the number of the last message in the
    window.
    """
    messages = Message.objects.filter(room=OuterRef(room), seq__gt=OuterRef(seq)).order_by(order)
    edge = Subquery(messages.values("seq")[WINDOW - 1 : WINDOW])
    if order == "-seq":
        return Q(seq__gte=Coalesce(edge, 0, output_field=models.BigIntegerField()))
    return Q(seq__lte=Coalesce(edge, values.SEQ_MAX, output_field=models.BigIntegerField()))


def mentions_of(key: Any) -> Q:
    # All databases and Python serialise JSON with this spacing. No other field in a message's data is called "key".
    return Q(text__contains=Concat(Value('"key": "'), key, Value('"'), output_field=models.TextField()))


def with_counts(markers: models.QuerySet[ReadMarker]) -> Any:
    """Annotate read markers with the number of ``unread`` messages after them and of ``mentions`` among these."""
    whose, since = OuterRef("key"), OuterRef("seq")
    return markers.annotate(
        unread=count_messages("room_id", whose, since, Q()),
        mentions=count_messages("room_id", whose, since, mentions_of(whose)),
    )
