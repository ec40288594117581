"""Publishing of room changes: to this process directly, and to other processes through the channel layer.

The channel layer is not the source of truth. Received batches are checked against the revisions of the log, and
lost ones are read from the log.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from django_roomchat.conf import config, hook
from django_roomchat.protocol import decode_event
from django_roomchat.throttled_logging import warn_throttled

MESSAGE_TYPE = "roomchat.news"
VERSION = 1
SEND_SECONDS = 1.0
"""Timeout of a send to the channel layer outside a server process, in seconds."""
DOORBELL_BYTES = 131_072
"""Maximum size of the events in a layer message, in bytes. A larger batch is sent without its events; receivers
read the log.
"""

EVERYBODY = ""
"""Room of a notice that is for all processes. Every process is in its group."""
_EVERYBODYS_GROUP = "roomchat.everybody"
_GROUP_NAME = re.compile(r"[a-zA-Z0-9\-_.]{1,99}")


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
    """Topic that selects the handler; see :meth:`django_roomchat.hub.Hub.on`."""
    data: dict[str, Any]
    """Payload, serialisable by the channel layer."""
    room: str = EVERYBODY
    """Canonical name of the room that it concerns. By default all processes receive it."""


News = Batch | Access | Notice


def group_name(room: str) -> str:
    """Return the channel-layer group of a room, according to ``ROOMCHAT["GROUP_NAME"]``.

    Args:
        room: canonical name of the room.

    Returns:
        The name of the group.

    Raises:
        ImproperlyConfigured: the hook returned an invalid group name.
    """
    if room == EVERYBODY:
        return _EVERYBODYS_GROUP
    custom = hook("GROUP_NAME")
    name = default_group_name(room) if custom is None else custom(room)
    if not isinstance(name, str) or not _GROUP_NAME.fullmatch(name):
        raise ImproperlyConfigured(
            f'ROOMCHAT["GROUP_NAME"] returned {name!r} for the room {room!r}; '
            "a group name is 1 to 99 ASCII letters, digits, hyphens, underscores and periods."
        )
    return name


def default_group_name(room: str) -> str:
    """Return the default channel-layer group of a room. No two rooms share a group.

    Args:
        room: canonical name of the room.

    Returns:
        ``chat_`` and the room's name, such as ``chat_lobby``, if that is a valid group name; otherwise
        ``chat.`` and a digest of the room's name.
    """
    readable = f"chat_{room}"
    return (
        readable
        if _GROUP_NAME.fullmatch(readable)
        else f"chat.{hashlib.sha256(room.encode()).hexdigest()[:40]}"
    )


def layer_alias(room: str) -> str:
    """Return the alias of the channel layer of a room, according to ``ROOMCHAT["CHANNEL_LAYER"]``.

    Args:
        room: canonical name of the room.

    Returns:
        An alias of ``CHANNEL_LAYERS``.

    Raises:
        ImproperlyConfigured: the setting is neither an alias of ``CHANNEL_LAYERS`` nor a callable (or its path)
            that returns one.
    """
    chosen = config().CHANNEL_LAYER
    layers = getattr(settings, "CHANNEL_LAYERS", {})
    if isinstance(chosen, str) and (chosen in layers or "." not in chosen):
        alias: Any = chosen
    elif room == EVERYBODY:
        # The callable takes a room's name, and this is not a room.
        alias = "default" if "default" in layers else next(iter(layers), None)
    else:
        alias = hook("CHANNEL_LAYER")(room)
    if not isinstance(alias, str) or alias not in layers:
        raise ImproperlyConfigured(
            f'ROOMCHAT["CHANNEL_LAYER"] chose {alias!r} for the room {room!r}; '
            f"CHANNEL_LAYERS has {', '.join(map(repr, layers)) or 'no layer at all'}."
        )
    return alias


def import_layers() -> None:
    """Import the channel layers while the server starts.

    Importing channels-redis takes a second, during which the first socket of a process would block all others.
    """
    for layer in getattr(settings, "CHANNEL_LAYERS", {}).values():
        with contextlib.suppress(Exception):  # the system checks report it
            import_string(layer["BACKEND"])


# Publishing -----------------------------------------------------------------------------------------------------

Listener = Callable[[News], None]
_listeners: dict[asyncio.AbstractEventLoop, Listener] = {}
"""Listeners (hubs) of this process, by event loop."""


def subscribe(listener: Listener) -> None:
    """Register the listener of the running event loop. It receives everything that this process publishes.

    Args:
        listener: called on the event loop; it also sends to the channel layer.
    """
    _listeners[asyncio.get_running_loop()] = listener


def unsubscribe() -> None:
    """Remove the listener of the running event loop."""
    _listeners.pop(asyncio.get_running_loop(), None)


def publish(news: News) -> None:
    """Publish a change to the listeners of this process, or to the channel layer if there are none.

    Call it after the COMMIT, from any thread. It does not wait for a listener and raises no exception.

    Args:
        news: the batch, access change or notice.
    """
    told = False
    for loop, listener in list(_listeners.items()):
        try:
            loop.call_soon_threadsafe(listener, news)
            told = True
        except RuntimeError:
            # The loop was closed before its hub was stopped, as tests do.
            _listeners.pop(loop, None)
    if not told:
        _tell_layer(news)


def _tell_layer(news: News) -> None:
    """Send to the channel layer where no hub runs: in a worker, a management command or a WSGI process."""
    try:
        async_to_sync(_send_in_time)(news)
    except Exception as error:
        # The message is committed; other processes read it with their next poll.
        warn_throttled("tell", "Sending to the channel layer failed for room %r: %r", news.room, error)


async def _send_in_time(news: News) -> None:
    layer: Any = get_channel_layer(layer_alias(news.room))
    await asyncio.wait_for(layer.group_send(group_name(news.room), to_message(news)), SEND_SECONDS)


# Layer messages ---------------------------------------------------------------------------------------------------


def to_message(news: News) -> dict[str, Any]:
    """Convert a batch, access change or notice to a channel-layer message."""
    message = {"type": MESSAGE_TYPE, "v": VERSION, "room": news.room}
    if isinstance(news, Access):
        return message | {"access_version": news.version, "key": news.key}
    if isinstance(news, Notice):
        return message | {"topic": news.topic, "data": news.data}
    small = sum(len(event) for _, event in news.events) <= DOORBELL_BYTES
    events = [event.decode() for _, event in news.events] if small else []
    return message | {"epoch": news.epoch, "prev": news.prev, "head": news.head, "events": events}


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
