"""Bytes that were sent to a client and that it has not confirmed.

daphne accepts data for a client that reads nothing (https://github.com/django/daphne/issues/170), so only the
client's own confirmation, the frame ``seen``, counts.
"""

from __future__ import annotations

import time

from django_roomchat.conf import config
from django_roomchat.realtime.hub_room import Subscription

MARK_BYTES = 65_536
"""Number of bytes after which the client's progress is measured. There is at most one mark at a time, so that
a slow client costs only a few numbers.
"""


class UnseenBytes:
    """Counts the unconfirmed bytes of one socket.

    Args:
        subscriptions: the socket's subscriptions, by canonical room name. Kept and read, not changed.
    """

    __slots__ = ("_bytes", "_mark", "_mark_at", "_mark_bytes", "_seen", "_subscriptions", "blocked_since")

    def __init__(self, subscriptions: dict[str, Subscription]) -> None:
        self._subscriptions = subscriptions
        self._bytes = 0
        self._seen: dict[str, int] = {}
        self._mark: dict[str, int] | None = None
        self._mark_bytes = 0
        # Not above UNSEEN_MAX_BYTES: a client that is sent no more frames could not confirm a later mark.
        self._mark_at = min(MARK_BYTES, config().UNSEEN_MAX_BYTES)
        self.blocked_since: float | None = None
        """When the limit was exceeded, as ``time.monotonic()``; ``None`` while the socket may be sent
        events."""

    def add(self, size: int) -> None:
        """Count an event frame that was sent."""
        self._bytes += size
        if self._bytes >= self._mark_at:
            self._set_mark()
            if self.blocked_since is None and self._bytes > config().UNSEEN_MAX_BYTES:
                self.blocked_since = time.monotonic()

    def confirm(self, heads: dict[str, int]) -> bool:
        """Record up to which revision of each room the client has received all events.

        Returns:
            Whether the socket was blocked and may be sent events again.
        """
        self._seen.update((name, head) for name, head in heads.items() if name in self._subscriptions)
        mark = self._mark
        if mark is None or not all(self._has_seen(name, head) for name, head in mark.items()):
            return False
        self._bytes -= self._mark_bytes
        self._mark = None
        self._set_mark()
        was_blocked = self.blocked_since is not None
        self.blocked_since = None
        return was_blocked

    def _set_mark(self) -> None:
        if self._mark is None and self._bytes >= self._mark_at:
            self._mark = {name: subscription.cursor for name, subscription in self._subscriptions.items()}
            self._mark_bytes = self._bytes

    def _has_seen(self, name: str, head: int) -> bool:
        subscription = self._subscriptions.get(name)
        # A room with a new epoch may have a head below the mark.
        return subscription is None or self._seen.get(name, -1) >= min(head, subscription.cursor)
