"""News of a room's log, told to this process at once and to the others through the channel layer.

The layer is a courier, not the truth: what it brings is checked against the log's numbers, what it loses is read from the log.
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

from django_roomchat import reports
from django_roomchat.conf import config, hook
from django_roomchat.protocol import decode_event

MESSAGE_TYPE = "roomchat.news"
VERSION = 1
SEND_SECONDS = 1.0
"""How long code outside a server process waits for the layer."""
DOORBELL_BYTES = 131_072
"""Larger batches travel without their events; who hears of one reads the log."""

EVERYBODY = ""
"""In place of a room: every process is in its group."""
_EVERYBODYS_GROUP = "roomchat.everybody"
_GROUP_NAME = re.compile(r"[a-zA-Z0-9\-_.]{1,99}")


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What happened in a room in ``(prev, head]``. Without events it is only a doorbell."""

    room: str
    epoch: str
    prev: int
    head: int
    events: list[tuple[int, bytes]]
    """Each with its ``rev``, encoded, in the order of their revs."""


@dataclass(frozen=True, slots=True, eq=False)
class Access:
    """Somebody's rights in a room have changed."""

    room: str
    version: int
    """The room's access version since then."""
    key: str
    """Whose; empty if it may be anybody's."""


@dataclass(frozen=True, slots=True, eq=False)
class Notice:
    """Something that passes and is in no log: who types, who is there, that a session is over."""

    topic: str
    """Whose business it is; see :meth:`django_roomchat.hub.Hub.on`."""
    data: dict[str, Any]
    """What the layer can carry."""
    room: str = EVERYBODY
    """The canonical name of the room that it concerns. Without one, every process hears it."""


News = Batch | Access | Notice


def group_name(room: str) -> str:
    """The channel-layer group of a room, according to ``ROOMCHAT["GROUP_NAME"]``.

    Args:
        room: its canonical name.

    Raises:
        ImproperlyConfigured: the hook returned something that is no group name.
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
    """``chat_lobby`` where the room's name allows it, else ``chat.`` and a digest. No two rooms share one."""
    readable = f"chat_{room}"
    return (
        readable
        if _GROUP_NAME.fullmatch(readable)
        else f"chat.{hashlib.sha256(room.encode()).hexdigest()[:40]}"
    )


def layer_alias(room: str) -> str:
    """The channel layer that carries a room, according to ``ROOMCHAT["CHANNEL_LAYER"]``.

    Args:
        room: its canonical name.

    Raises:
        ImproperlyConfigured: it is no alias of ``CHANNEL_LAYERS``, and no path of a callable that returns one.
    """
    chosen = config().CHANNEL_LAYER
    layers = getattr(settings, "CHANNEL_LAYERS", {})
    if isinstance(chosen, str) and (chosen in layers or "." not in chosen):
        alias: Any = chosen
    elif room == EVERYBODY:
        # A hook chooses by a room's name, and this is none.
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
    """Import the channel layers while the server starts: channels-redis takes a second, in which the first socket of a process,
    and with it all others, would stand still."""
    for layer in getattr(settings, "CHANNEL_LAYERS", {}).values():
        with contextlib.suppress(Exception):  # the system checks say what is wrong
            import_string(layer["BACKEND"])


# Telling --------------------------------------------------------------------------------------------------------

Listener = Callable[[News], None]
_listeners: dict[asyncio.AbstractEventLoop, Listener] = {}
"""The hubs of this process, by their event loops."""


def subscribe(listener: Listener) -> None:
    """Hear, on the running event loop, of everything that this process publishes. The listener also tells the layer."""
    _listeners[asyncio.get_running_loop()] = listener


def unsubscribe() -> None:
    """Hear no more on the running event loop."""
    _listeners.pop(asyncio.get_running_loop(), None)


def publish(news: News) -> None:
    """Tell everybody. Call it after the COMMIT, from any thread; it never waits for a listener, and never fails."""
    told = False
    for loop, listener in list(_listeners.items()):
        try:
            loop.call_soon_threadsafe(listener, news)
            told = True
        except RuntimeError:
            # Its loop was closed without an end of the hub, as tests do.
            _listeners.pop(loop, None)
    if not told:
        _tell_layer(news)


def _tell_layer(news: News) -> None:
    """Where no hub runs (a worker, a command, a WSGI process) the layer is told from here."""
    try:
        async_to_sync(_send_in_time)(news)
    except Exception as error:
        # The message is stored; other processes find it with their next poll.
        reports.warn("tell", "The channel layer did not take the news of room %r: %r", news.room, error)


async def _send_in_time(news: News) -> None:
    layer: Any = get_channel_layer(layer_alias(news.room))
    await asyncio.wait_for(layer.group_send(group_name(news.room), to_message(news)), SEND_SECONDS)


# On the layer -----------------------------------------------------------------------------------------------------


def to_message(news: News) -> dict[str, Any]:
    """News as the layer carries them."""
    message = {"type": MESSAGE_TYPE, "v": VERSION, "room": news.room}
    if isinstance(news, Access):
        return message | {"access_version": news.version, "key": news.key}
    if isinstance(news, Notice):
        return message | {"topic": news.topic, "data": news.data}
    small = sum(len(event) for _, event in news.events) <= DOORBELL_BYTES
    events = [event.decode() for _, event in news.events] if small else []
    return message | {"epoch": news.epoch, "prev": news.prev, "head": news.head, "events": events}


def from_message(message: Any) -> News | None:
    """The news in a message from the layer, or ``None``: others may write there too, and newer versions of us."""
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
