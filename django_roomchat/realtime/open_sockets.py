"""Sockets and streams that are open at once in this process: their number, and its limits for a person and an IP address."""

from __future__ import annotations

import threading

from django.utils.translation import gettext_noop as _

from django_roomchat.conf import config
from django_roomchat.errors import RateLimited
from django_roomchat.identity import Identity

RETRY_SECONDS = 30.0
"""Time after which a refused client tries again, in seconds."""

_lock = threading.Lock()
# By key of the person, and by IP address. The two never look alike.
_open: dict[str, int] = {}


def require_free(who: Identity, address: str) -> None:
    """Check that a person may open one more socket or stream from an IP address.

    Args:
        who: the identity of the client.
        address: its IP address; empty if unknown.

    Raises:
        RateLimited: the maximum is open.
    """
    by_person, by_address = config().USER_MAX_SOCKETS, config().ADDRESS_MAX_SOCKETS
    if by_person is not None and _open.get(who.key, 0) >= by_person:
        raise RateLimited(
            _("The chat is open too often; close other tabs or devices."), retry_after=RETRY_SECONDS
        )
    if by_address is not None and address and _open.get(address, 0) >= by_address:
        raise RateLimited(
            _("Too many chats are open in your network; try again later."), retry_after=RETRY_SECONDS
        )


def take(who: Identity, address: str) -> None:
    """Count a socket or stream that is opened. Call :func:`release` when it is closed.

    Args:
        who: the identity of the client.
        address: its IP address; empty if unknown.

    Raises:
        RateLimited: the maximum is open.
    """
    require_free(who, address)
    with _lock:
        for name in filter(None, (who.key, address)):
            _open[name] = _open.get(name, 0) + 1


def release(who: Identity, address: str) -> None:
    """Count a socket or stream that was closed. Call it once for each :func:`take`."""
    with _lock:
        for name in filter(None, (who.key, address)):
            if _open[name] == 1:
                del _open[name]
            else:
                _open[name] -= 1
