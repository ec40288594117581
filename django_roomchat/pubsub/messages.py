"""Messages between processes, and their form on the channel layer."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Any

import msgspec

from django_roomchat.protocol import decode_event

MESSAGE_TYPE = "roomchat.news"

VERSION = 1

EVENTS_MAX_BYTES = 131_072
"""Maximum size of the events in a layer message, in bytes. A larger batch is sent without its events; receivers
read the log.
"""

BROADCAST = ""
"""Room of a notice that is for all processes. Every process is in its group."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Changes of a room in ``(prev, head]``. Without events it only notifies the receiver that the log has changed."""

    room: str
    epoch: str
    prev: int
    head: int
    events: list[tuple[int, bytes]]
    """Revision and encoded JSON of each event, in the order of their revisions."""


@dataclass(frozen=True, slots=True, eq=False)
class Access:
    """The permissions of one or all users in a room have changed."""

    room: str
    version: int
    """Access version of the room after the change."""
    key: str
    """Key of the user; empty if the change can affect all users."""


@dataclass(frozen=True, slots=True, eq=False)
class Notice:
    """A transient notification that is not in a log, such as typing, presence or the end of a session."""

    topic: str
    """Topic that selects the handler; see :func:`django_roomchat.realtime.hub.handles`."""
    data: dict[str, Any]
    """Payload, serialisable by the channel layer."""
    room: str = BROADCAST
    """Canonical name of the room that it concerns. By default all processes receive it."""


News = Batch | Access | Notice


# Layer messages ---------------------------------------------------------------------------------------------------


def to_message(news: News, database: str = "") -> dict[str, Any]:
    """Convert a batch, access change or notice to a channel-layer message.

    Args:
        news: the batch, access change or notice.
        database: identifier of the database that it is about; no process accepts a message without one.
    """
    message = {"type": MESSAGE_TYPE, "v": VERSION, "db": database, "room": news.room}
    if isinstance(news, Access):
        return message | {"access_version": news.version, "key": news.key}
    if isinstance(news, Notice):
        return message | {"topic": news.topic, "data": news.data}
    small = sum(len(event) for _, event in news.events) <= EVENTS_MAX_BYTES
    events = [event.decode() for _, event in news.events] if small else []
    return message | {"epoch": news.epoch, "prev": news.prev, "head": news.head, "events": events}


def is_foreign(message: Any, databases: Container[str]) -> bool:
    """Return whether a message of this package is about another database.

    Args:
        message: a message of the channel layer.
        databases: identifiers of the database of this process.
    """
    return (
        isinstance(message, dict)
        and message.get("type") == MESSAGE_TYPE
        and message.get("v") == VERSION
        and message.get("db", "") not in databases
    )


def from_message(message: Any) -> News | None:
    """Parse a channel-layer message.

    Returns:
        The batch, access change or notice; ``None`` for messages of other senders or of newer versions of this
        package.
    """
    if not isinstance(message, dict) or message.get("type") != MESSAGE_TYPE or message.get("v") != VERSION:
        return None
    try:
        if "access_version" in message:
            access = msgspec.convert(message, _CarriedAccess)
            return Access(access.room, access.access_version, access.key)
        if "topic" in message:
            notice = msgspec.convert(message, _CarriedNotice)
            return Notice(notice.topic, notice.data, notice.room)
        carried = msgspec.convert(message, _CarriedBatch)
        events = [(decode_event(event.encode()).rev, event.encode()) for event in carried.events]
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return None
    return Batch(carried.room, carried.epoch, carried.prev, carried.head, events)


class _CarriedBatch(msgspec.Struct):
    room: str
    epoch: str
    prev: int
    head: int
    events: list[str]


class _CarriedAccess(msgspec.Struct):
    room: str
    access_version: int
    key: str


class _CarriedNotice(msgspec.Struct):
    room: str
    topic: str
    data: dict[str, Any]
