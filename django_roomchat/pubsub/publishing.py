"""Publishing of room changes: to this process directly, and to other processes through the channel layer.

The channel layer is not the source of truth. Received batches are checked against the revisions of the log, and
lost ones are read from the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from django_roomchat.database import identifiers
from django_roomchat.pubsub.groups import group_name, layer_alias
from django_roomchat.pubsub.messages import News, to_message
from django_roomchat.throttled_logging import warn_throttled

SEND_SECONDS = 1.0
"""Timeout of a send to the channel layer outside a server process, in seconds."""


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
        async_to_sync(_send_in_time)(news, identifiers()[0])
    except Exception as error:
        # The message is committed; other processes read it with their next poll.
        warn_throttled("tell", "Sending to the channel layer failed for room %r: %r", news.room, error)


async def _send_in_time(news: News, database: str) -> None:
    layer: Any = get_channel_layer(layer_alias(news.room))
    message = to_message(news, database)
    await asyncio.wait_for(layer.group_send(group_name(news.room), message), SEND_SECONDS)
