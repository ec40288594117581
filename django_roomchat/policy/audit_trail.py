"""The audit trail of moderation and administration. An entry is written in the transaction of the action that it records."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.utils import timezone

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


READING_MINUTES = 10
"""Time in which the same reader reading the same objects is recorded once, in minutes."""


def record_reading(by: Identity, what: str, read: Mapping[str, Sequence[Any]]) -> None:
    """Write an entry for each room whose contents a person has read with another right than that of a member.

    Args:
        by: the person who has read.
        what: kind of the objects, such as ``message``.
        read: identifiers of the objects, as JSON-serialisable values, by canonical name of the room.
    """
    if not read:
        return
    since = timezone.now() - timedelta(minutes=READING_MINUTES)
    entries = AuditEntry.objects.using(database())
    same = entries.filter(at__gt=since, verb="read", by_key=by.key, room_name__in=read)
    known = list(same.values_list("room_name", "data"))
    new = {room: {"what": what, "objects": list(objects)} for room, objects in read.items()}
    entries.bulk_create(
        AuditEntry(verb="read", by_key=by.key, by_name=by.name, room_name=room, data=data)
        for room, data in new.items()
        if (room, data) not in known
    )


def erase_from_admin_log(words: Iterable[str], new: str) -> None:
    """Erase a person from the log of Django's admin, which describes each object by its text when it is changed.

    Args:
        words: names and keys of the person.
        new: the name that takes their place.
    """
    if not apps.is_installed("django.contrib.admin"):
        return
    from django.contrib.admin.models import LogEntry

    of_chat = LogEntry.objects.filter(content_type__app_label="roomchat")
    for word in words:
        whole_word = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")
        for entry in of_chat.filter(object_repr__contains=word):
            entry.object_repr = whole_word.sub(lambda _found: new, entry.object_repr)[:200]
            entry.save(update_fields=["object_repr"])
