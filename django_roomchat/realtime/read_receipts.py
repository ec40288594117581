"""Read markers from sockets: collected in memory, the last one of each person and room wins, and written at
most once a second.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any

import msgspec
from django.utils.translation import gettext_noop as _

from django_roomchat.errors import Busy, ChatError, TryAgain
from django_roomchat.identity import Identity
from django_roomchat.messages import read_markers
from django_roomchat.messages.read_markers import Mark
from django_roomchat.protocol import Marked, RoomName, encode
from django_roomchat.realtime.hub import Hub, handles
from django_roomchat.realtime.threads import in_thread
from django_roomchat.realtime.uvicorn_fast_path import TextFrame
from django_roomchat.throttled_logging import warn_throttled

TICK_SECONDS = 1.0
TOGETHER_MAX = 500
"""Maximum number of markers written in one transaction."""
WAITING_MAX = 10_000
"""Maximum number of markers of one process that wait to be written. A further one is rejected with ``busy``."""
RECEIVED_MAX = 100

Refuse = Callable[[ChatError], None]


class ReadReceipts:
    """The read markers of one hub that wait to be written."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._waiting: dict[tuple[str, str], tuple[Mark, Refuse]] = {}
        self._is_running = False
        self.received: deque[str] = deque(maxlen=RECEIVED_MAX)
        """Ids of the last notices. The layer delivers a process's own notices back to it."""

    def put(self, who: Identity, room: RoomName, seq: int, refuse: Refuse) -> None:
        """Queue a read marker to be written. Once written, it is announced like any other.

        Args:
            who: the identity that has read.
            room: the room.
            seq: sequence number of the last message read.
            refuse: called with the error if the marker is rejected.

        Raises:
            Busy: too many markers are waiting.
        """
        key = who.key, str(room)
        before = self._waiting.get(key)
        if before is None and len(self._waiting) >= WAITING_MAX:
            raise Busy(_("The server is busy; try again in a moment."))
        if before is None or before[0].seq <= seq:
            self._waiting[key] = Mark(who, room, seq), refuse
        if not self._is_running:
            self._is_running = True
            self._hub.start(self._run())

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self.flush()
                # At most one transaction a second.
                await asyncio.sleep(TICK_SECONDS)
        finally:
            self._is_running = False

    async def drain(self) -> None:
        """Write all markers that wait."""
        while self._waiting:
            await self.flush()

    async def flush(self) -> None:
        """Write the waiting markers, up to the limit of one transaction."""
        some = dict(list(self._waiting.items())[:TOGETHER_MAX])
        for key in some:
            del self._waiting[key]
        if not some:
            return
        try:
            results = await in_thread(read_markers.mark_all, [mark for mark, _ in some.values()])
        except Exception as error:
            warn_throttled("marks", "%d read markers could not be written: %r", len(some), error)
            results = [TryAgain(_("The database is not responding; try again."))] * len(some)
        for (_mark, refuse), result in zip(some.values(), results, strict=True):
            if isinstance(result, ChatError):
                with contextlib.suppress(Exception):  # the socket may be closed
                    refuse(result)


def of(hub: Hub) -> ReadReceipts:
    """Return the pending read markers of a hub."""
    return hub.extension(ReadReceipts)


class MarkersNotice(msgspec.Struct):
    id: str
    marks: list[tuple[str, str, int, int, int]]
    """Key, room, sequence number, unread count and number of mentions."""


@handles("read")
def _receive(hub: Hub, room: str, data: dict[str, Any]) -> None:
    """Send moved read markers to all sockets of their people, whichever rooms the sockets are in."""
    frames: dict[str, list[TextFrame]] = defaultdict(list)
    notice, received = msgspec.convert(data, MarkersNotice), of(hub).received
    if notice.id in received:
        return
    received.append(notice.id)
    for key, name, seq, unread, mentions in notice.marks:
        frames[key].append(TextFrame(encode(Marked(name, seq, unread, mentions))))
    for socket in hub.sockets:
        if not socket.is_tutorial and socket.is_ready:
            for frame in frames.get(socket.key, ()):
                socket.reply(frame)
