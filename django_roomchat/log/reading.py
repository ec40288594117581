"""Reading a room log: after a cursor, by page, or as a queue.

The head is read before the messages: a change that is committed in between is then delivered twice rather than lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from django_roomchat.database import database
from django_roomchat.log.events import events_of
from django_roomchat.models import Message, Room, RoomLog
from django_roomchat.protocol import Event

Reset = Literal["new", "epoch", "floor", "gap", "ahead"]


@dataclass(frozen=True, slots=True)
class Slice:
    """A range of a room's log: all changes in ``(prev, head]``, or with *reset* the newest page."""

    room: str
    title: str
    epoch: str
    floor: int
    prev: int
    head: int
    events: list[Event]
    reset: Reset | None = None
    more: bool = False
    access_version: int = 0


def read(name: str, epoch: str, since: int | None, *, limit: int, page: int) -> Slice:
    """Read the changes after a revision.

    Args:
        name: canonical name of the room. A room that does not exist reads as an empty one.
        epoch: epoch of the log that *since* refers to. It is ignored at revision 0.
        since: revision that the reader has reached; ``None`` for a new reader.
        limit: maximum number of changes. A reader that missed more receives the newest page.
        page: number of messages in the newest page.

    Returns:
        The changes after *since*, or with ``reset`` the newest page.
    """
    log = _log_of(name)
    reset = _reset(epoch, since, log)
    if reset is None and since is not None:
        # The head was read first. By the prefix lemma all changes up to it are visible now; later changes have a
        # number above it and are sent in a later frame.
        changes = Message.objects.filter(room_id=log.pk, rev__lte=log.head).changed_since(since)
        events = events_of(log.pk, changes[: limit + 1])
        if since < log.head and since < _floor_now(log):
            reset = "floor"
        elif len(events) <= limit:
            return _slice(name, log, events, prev=since)
        else:
            reset = "gap"
    before = Message.objects.filter(room_id=log.pk, seq__lte=log.head).before(None)
    newest = events_of(log.pk, before[: page + 1])
    return _slice(name, log, newest[:page][::-1], prev=0, reset=reset, more=len(newest) > page)


def _reset(epoch: str, since: int | None, log: RoomLog) -> Reset | None:
    """Return the reason why a reader must start over; ``None`` if it need not."""
    if since is None:
        return "new"
    if since and epoch != _epoch(log):
        return "epoch"
    if since > log.head:
        return "ahead"
    if since < log.floor:
        return "floor"
    return None


def tail(name: str, *, changes: int) -> Slice:
    """Read the latest changes of a room, which a process caches for reconnecting clients.

    Args:
        name: canonical name of the room.
        changes: maximum number of changes.

    Returns:
        The changes.
    """
    log = _log_of(name)
    prev = max(log.floor, log.head - changes)
    later = Message.objects.filter(room_id=log.pk, rev__lte=log.head).changed_since(prev)
    changed = events_of(log.pk, later)
    if prev < log.head and (floor := _floor_now(log)) > prev:
        prev = min(floor, log.head)
        changed = [event for event in changed if event.rev > prev]
    return _slice(name, log, changed, prev=prev)


def follow(name: str, epoch: str, since: int, *, limit: int) -> Slice:
    """Read the next changes after a revision, for a reader that uses the log as a queue and must not skip any.

    Args:
        name: canonical name of the room. A room that does not exist reads as an empty one.
        epoch: epoch of the log that *since* refers to. It is ignored at revision 0.
        since: revision that the reader has reached.
        limit: maximum number of changes.

    Returns:
        The changes; ``more`` states whether there are further ones. With ``reset`` ``floor``, changes between
        ``prev`` and ``head`` were pruned, and the events are the remaining ones. With ``epoch`` or ``ahead``,
        the log is another one, and the events are its newest messages, as in :func:`read`.
    """
    log = _log_of(name)
    reset = _reset(epoch, since, log)
    if reset not in (None, "floor"):
        return read(name, epoch, since, limit=limit, page=limit)
    changes = Message.objects.filter(room_id=log.pk, rev__lte=log.head).changed_since(since)
    events = events_of(log.pk, changes[: limit + 1])
    head = log.head
    if more := len(events) > limit:
        events = events[:limit]
        log.head = events[-1].rev
    if since < head and since < _floor_now(log):
        reset = "floor"
    return _slice(name, log, events, prev=since, reset=reset, more=more)


def _floor_now(log: RoomLog) -> int:
    """Read the floor again after the rows: changes pruned between the two statements are in neither of them."""
    found = RoomLog.objects.using(database()).filter(pk=log.pk).values_list("floor", flat=True).first()
    log.floor = found or 0
    return log.floor


def _log_of(name: str) -> RoomLog:
    """Return the log of a room; an empty one without a ``pk`` if the room does not exist."""
    found = RoomLog.objects.using(database()).filter(room__name=name).select_related("room").first()
    return found or RoomLog(room=Room(), epoch="")


def _slice(
    name: str, log: RoomLog, events: list[Event], *, prev: int, reset: Reset | None = None, more: bool = False
) -> Slice:
    return Slice(
        room=name,
        title=log.room.title,
        epoch=_epoch(log),
        floor=log.floor,
        prev=prev,
        head=log.head,
        access_version=log.access_version,
        events=events,
        reset=reset,
        more=more,
    )


def _epoch(log: RoomLog) -> str:
    return str(log.epoch) if log.epoch else ""


def page(room: Room, before: int | None, *, limit: int) -> tuple[list[Event], bool]:
    """Read a page of history.

    Args:
        room: the room.
        before: sequence number before which the page ends; ``None`` for the newest page.
        limit: maximum number of messages.

    Returns:
        The events, newest first, and whether there are older ones.
    """
    found = events_of(room.pk, Message.objects.filter(room_id=room.pk).before(before)[: limit + 1])
    return found[:limit], len(found) > limit


def pinned(room: Room, *, limit: int) -> list[Event]:
    """Read the pinned messages of a room.

    Args:
        room: the room.
        limit: maximum number of messages.

    Returns:
        The events, the latest pin first.
    """
    found = Message.objects.filter(room_id=room.pk, pinned_at__isnull=False)
    return events_of(room.pk, found.order_by("-pinned_at", "-seq")[:limit])


def page_after(room: Room, after: int, *, limit: int) -> tuple[list[Event], bool]:
    """Read the page of history that follows a sequence number.

    Args:
        room: the room.
        after: the sequence number.
        limit: maximum number of messages.

    Returns:
        The events, newest first, and whether there are newer ones.
    """
    later = Message.objects.filter(room_id=room.pk, seq__gt=after).order_by("seq")
    found = events_of(room.pk, later[: limit + 1])
    return found[:limit][::-1], len(found) > limit


@dataclass(frozen=True, slots=True)
class State:
    """Current epoch, head and access version of a room's log."""

    epoch: str = ""
    head: int = 0
    access_version: int = 0


def states(names: Iterable[str]) -> dict[str, State]:
    """Read the current states of rooms in one query.

    Args:
        names: canonical names of the rooms.

    Returns:
        States by room name. Rooms that do not exist are omitted.
    """
    rows = RoomLog.objects.using(database()).filter(room__name__in=list(names))
    found = rows.values_list("room__name", "epoch", "head", "access_version")
    return {name: State(str(epoch), head, version) for name, epoch, head, version in found}
