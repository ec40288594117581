"""The audit trail: who did what to whom. An entry is written in the transaction of what it tells, or not at all."""

from __future__ import annotations

from typing import Any

from django_roomchat.counter import database
from django_roomchat.identity import Identity
from django_roomchat.models import AuditEntry


def record(
    verb: str, by: Identity, *, room: str = "", target: Identity | None = None, **details: Any
) -> None:
    """Write an entry.

    Args:
        verb: what was done, such as ``ban``; up to 40 characters.
        by: who did it.
        room: the canonical name of the room in which.
        target: to whom.
        details: whatever else tells what it was; values that JSON knows.
    """
    AuditEntry.objects.using(database()).create(
        verb=verb,
        by_key=by.key,
        by_name=by.name,
        room_name=room,
        target_key=target.key if target else "",
        target_name=target.name if target else "",
        data=details,
    )
