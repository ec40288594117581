"""Slow mode: the minimum time between two texts of one author in a room. A text is a post or an edit.

It is checked under the lock of the room, so it is exact with any number of processes.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import Max
from django.utils.translation import gettext_noop as _

from django_roomchat.database import database
from django_roomchat.errors import RateLimited
from django_roomchat.models import Message


def last_written(room: int, keys: Collection[str]) -> dict[str, datetime]:
    """Return the time of each author's latest post or edit in a room. Authors without messages are omitted.

    Args:
        room: primary key of the room.
        keys: identity keys of the authors.
    """
    theirs = Message.objects.using(database()).filter(room_id=room, author_key__in=keys).order_by()
    times = theirs.values_list("author_key").annotate(Max("created_at"), Max("edited_at"))
    return {key: max(filter(None, at)) for key, *at in times}


def too_soon(seconds: int, before: datetime | None, now: datetime) -> RateLimited | None:
    """Return the rejection of a text in slow mode, or ``None`` if the text may be written.

    Args:
        seconds: minimum time between two texts, in seconds.
        before: time of the author's previous text, or ``None``.
        now: time of the new text.
    """
    wait = seconds - (now - before).total_seconds() if before is not None else 0
    if wait <= 0:
        return None
    return RateLimited(
        _("Slow mode is on: one message every %(seconds)d seconds."),
        retry_after=round(wait, 1) + 0.1,
        seconds=seconds,
    )
