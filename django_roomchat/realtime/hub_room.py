"""Room inside the hub: its subscriptions, its watchers and its latest events."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import deque
from typing import Protocol

import msgspec

from django_roomchat import log
from django_roomchat.identity import Identity
from django_roomchat.protocol import Joined, encode
from django_roomchat.pubsub import Batch
from django_roomchat.pubsub.layer_client import LayerClient
from django_roomchat.realtime.encoded_frames import (
    EncodedBatch,
    erases,
)
from django_roomchat.realtime.uvicorn_fast_path import TextFrame


class Socket(Protocol):
    """The interface of a socket, as the hub uses it."""

    subscriptions: dict[str, Subscription]
    """The socket's subscriptions, by canonical room name."""

    @property
    def is_tutorial(self) -> bool:
        """Whether the socket uses the Channels tutorial's message format."""

    @property
    def is_ready(self) -> bool:
        """Whether a frame written now is sent without waiting."""

    @property
    def blocked_since(self) -> float | None:
        """When the client stopped reading, as ``time.monotonic()``; ``None`` while it reads."""

    def write(self, frame: TextFrame) -> None:
        """Send an event frame without waiting."""

    def reply(self, frame: TextFrame) -> None:
        """Send a frame that carries no event, without waiting."""

    def close(self, code: int, retry_after: float | None = None) -> None:
        """Send a ``bye`` frame and close the connection, without waiting."""

    @property
    def who(self) -> Identity:
        """The identity this socket authenticated as."""

    @property
    def key(self) -> str:
        """The key of the identity this socket authenticated as."""

    def set_name(self, name: str) -> None:
        """Change the display name of the socket's identity."""

    async def check_access(self, name: str) -> bool:
        """Check again whether the socket may stay in the room, and leave the room if not.

        Returns:
            Whether the check could be carried out.
        """


class Watcher(Protocol):
    """Notified when a socket subscribes to or leaves a room; see :attr:`Hub.watchers`."""

    is_busy: bool
    """Keep the hub running even when no sockets are open."""

    def entered(self, socket: Socket, name: str) -> None:
        """Called when a socket has subscribed to a room. ``joined`` may not have been sent yet."""

    def left(self, socket: Socket, name: str) -> None:
        """Called when a socket has left a room."""


class Subscription:
    """The subscription of one socket to one room."""

    __slots__ = ("cursor", "is_reading", "room", "socket")

    def __init__(self, room: HubRoom, socket: Socket, cursor: int) -> None:
        self.room = room
        self.socket = socket
        self.cursor = cursor
        """Revision up to which all events have been written to the socket."""
        self.is_reading = False
        """Whether the events that the socket missed are being read from the database."""


class HubRoom:
    """A room in use by this process, with the buffer of its recent events."""

    def __init__(self, name: str, events_max: int) -> None:
        self.name = name
        self.title = ""
        self.epoch = ""
        self.floor = 0
        self.cursor = 0
        self.access_version = 0
        self.subscriptions: dict[Socket, Subscription] = {}
        self.reading: asyncio.Task[None] | None = None
        self.is_ready = False
        """Whether the room's log has been read."""
        self.wanted = 0
        """The highest revision that any batch or poll has mentioned."""
        self.is_filling = False
        self.needs_restart = False
        """Whether a socket has read a log of another epoch than the room's."""
        self.newest: log.Slice | None = None
        """The newest page of the log, for clients that join without a cursor."""
        self.erased = 0
        """Revision of the last change that deleted a message."""
        self.reads: dict[tuple[str, int | None], asyncio.Future[log.Slice]] = {}
        self.empty_since: float | None = None
        self.entering = 0
        self.layer_client: LayerClient | None = None
        self.group = ""
        self._events_max = events_max
        self._events = 0
        self._ring: deque[EncodedBatch] = deque()
        self._resumptions: dict[int, TextFrame] = {}

    @property
    def ring_floor(self) -> int:
        """The lowest cursor that can be served from memory, without a database query."""
        return self._ring[0].batch.prev if self._ring else self.cursor

    def add(self, batch: Batch) -> EncodedBatch:
        """Append a batch that begins at the room's cursor."""
        if any(erases(event) for _, event in batch.events):
            # Deleted content must not be sent again. A client whose cursor is before this batch reads the
            # log, where the content is erased.
            self._ring.clear()
            self._events = 0
            self.erased = batch.head
        encoded = EncodedBatch(batch)
        self._ring.append(encoded)
        self._resumptions.clear()
        self.cursor = batch.head
        self._events += len(batch.events)
        while self._events > self._events_max and len(self._ring) > 1:
            self._events -= len(self._ring.popleft().batch.events)
        return encoded

    def set_epoch(self, epoch: str) -> None:
        """Set the epoch that the room's revisions belong to."""
        if self.epoch and epoch != self.epoch:
            # The access version of the other log may be a lower one with different bans behind it, so the
            # next poll checks every socket.
            self.access_version = -1
        self.epoch = epoch

    def start_at(self, part: log.Slice) -> None:
        """Discard the buffered events and set the cursor to the end of *part*."""
        self._ring.clear()
        self._resumptions.clear()
        self._events = 0
        self.set_epoch(part.epoch)
        self.title, self.floor, self.cursor = part.title, part.floor, part.head
        self.newest = None
        self.erased = 0

    def covers(self, epoch: str, since: int) -> bool:
        """Whether the events after *since* are in memory."""
        return (since == 0 or epoch == self.epoch) and self.ring_floor <= since <= self.cursor

    def resumption(self, since: int, title: str) -> TextFrame:
        """Return the ``joined`` frame for a client that resumes at *since*. Clients with the same cursor
        share one encoded frame.
        """
        if since not in self._resumptions:
            missed = self.after(since, None) if since < self.cursor else None
            events = [msgspec.Raw(event) for _, event in missed.batch.events] if missed else []
            joined = Joined(
                self.name, self.title or title, self.epoch, self.floor, since, self.cursor, events
            )
            self._resumptions[since] = TextFrame(encode(joined))
        return self._resumptions[since]

    def after(self, cursor: int, max_bytes: int | None) -> EncodedBatch | None:
        """Return the events after *cursor*, about *max_bytes* of them, or all of them if it is ``None``.

        Returns:
            ``None`` if the events are no longer in memory.
        """
        if cursor < self.ring_floor:
            return None
        start = bisect_right(self._ring, cursor, key=lambda encoded: encoded.batch.prev) - 1
        first = self._ring[start]
        is_all = start == len(self._ring) - 1
        if first.batch.prev == cursor and (
            is_all or (max_bytes is not None and len(first.batch.events) >= 32)
        ):
            return first
        events: list[tuple[int, bytes]] = []
        size, head = 0, cursor
        for place in range(start, len(self._ring)):
            batch = self._ring[place].batch
            new = [event for event in batch.events if event[0] > cursor]
            events += new
            head = batch.head
            size += sum(len(event) for _, event in new)
            if max_bytes is not None and size >= max_bytes:
                break
        return EncodedBatch(Batch(self.name, self.epoch, cursor, head, events))
