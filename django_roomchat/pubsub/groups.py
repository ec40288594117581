"""Group names, and the channel layer of a room."""

from __future__ import annotations

import contextlib
import hashlib
import re
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from django_roomchat.conf import config, hook
from django_roomchat.conf.hooks import described, dotted_path
from django_roomchat.pubsub.messages import BROADCAST

_BROADCAST_GROUP = "roomchat.everybody"

_GROUP_NAME = re.compile(r"[a-zA-Z0-9\-_.]{1,99}")


def group_name(room: str) -> str:
    """Return the channel-layer group of a room, according to ``ROOMCHAT["GROUP_NAME"]``.

    Args:
        room: canonical name of the room.

    Returns:
        The name of the group.

    Raises:
        ImproperlyConfigured: the hook returned an invalid group name.
    """
    if room == BROADCAST:
        return _BROADCAST_GROUP
    custom = hook("GROUP_NAME")
    name = default_group_name(room) if custom is None else custom(room)
    if not isinstance(name, str) or not _GROUP_NAME.fullmatch(name):
        raise ImproperlyConfigured(
            f'ROOMCHAT["GROUP_NAME"] ({dotted_path(custom)}) returned {described(name)} for the room {room!r}; '
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
    elif room == BROADCAST:
        # The callable takes a room's name, and this is not a room.
        alias = "default" if "default" in layers else next(iter(layers), None)
    else:
        alias = hook("CHANNEL_LAYER")(room)
    if not isinstance(alias, str) or alias not in layers:
        raise ImproperlyConfigured(
            f'ROOMCHAT["CHANNEL_LAYER"] chose {described(alias)} for the room {room!r}; '
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
