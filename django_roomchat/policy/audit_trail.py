"""The audit trail of moderation and administration. An entry is written in the transaction of the action that it records."""

from __future__ import annotations

from typing import Any

from django_roomchat.database import database
from django_roomchat.identity import Identity
from django_roomchat.models import AuditEntry


def record(
    verb: str, by: Identity, *, room: str = "", target: Identity | None = None, **details: Any
) -> None:
    """Write an entry to the audit trail.

    Args:
        verb: name of the action, such as ``ban``; up to 40 characters.
        by: the identity that acted.
        room: canonical name of the room; empty if the action concerns no room.
        target: the identity acted on.
        details: further JSON-serialisable values that describe the action.
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
