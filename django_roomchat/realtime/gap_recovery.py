"""Gaps of a room: the log is read from where the room, or one socket, has fallen behind.

A room has a gap if a batch follows events that this process did not receive. A socket has one if its cursor
is before the room's buffer of recent events, which happens to the socket of a slow client.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any

from django_roomchat import log
from django_roomchat.protocol import CLOSE_TOO_SLOW
from django_roomchat.pubsub import Batch
from django_roomchat.realtime.encoded_frames import batch_of, events_frame, joined_frame, tutorial_frames
from django_roomchat.realtime.hub_room import HubRoom, Subscription
from django_roomchat.throttled_logging import warn_throttled


class GapRecovery:
    """Reads the log for the rooms and sockets of a hub that have missed events.

    Args:
        read_log: reads the log of a room after a cursor; see :func:`django_roomchat.log.read`.
        send: sends a batch to the sockets of a room.
        advance: sends a socket the events after its cursor.
        start: runs a coroutine as a task of the hub.
    """

    def __init__(
        self,
        read_log: Callable[..., Awaitable[log.Slice]],
        send: Callable[[HubRoom, Batch], None],
        advance: Callable[[Subscription], None],
        start: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self._read_log = read_log
        self._send = send
        self._advance = advance
        self._start = start

    def fill(self, room: HubRoom) -> None:
        """Read the log from the room's cursor."""
        if not room.is_filling:
            room.is_filling = True
            self._start(self._read_on(room))

    def restart_in_one_log(self, room: HubRoom) -> None:
        """Restart all sockets of a room in one log, because one of them has read a log of another epoch."""
        room.needs_restart = True
        self.fill(room)

    async def _read_on(self, room: HubRoom) -> None:
        try:
            while True:
                cursor, epoch, wanted = room.cursor, room.epoch, room.wanted
                part = await self._read_log(room.name, epoch, None if room.needs_restart else cursor)
                if part.reset is not None:
                    room.needs_restart = False
                    self._restart(room, replace(part, reset="epoch") if part.reset == "new" else part)
                else:
                    self._send_part(room, part)
                # A batch that arrived during the read may be newer than what was read.
                is_stuck = room.cursor == cursor and room.wanted == wanted
                if (room.cursor >= room.wanted or is_stuck) and not room.needs_restart:
                    room.wanted = room.cursor
                    return
        except Exception as error:
            warn_throttled(
                "fill",
                "The log of room %r could not be read; the next poll tries again: %r",
                room.name,
                error,
            )
        finally:
            room.is_filling = False

    def _send_part(self, room: HubRoom, part: log.Slice) -> None:
        room.title, room.floor = part.title, part.floor
        if part.head > room.cursor and part.prev <= room.cursor:
            room.set_epoch(part.epoch)
            self._send(room, batch_of(part))

    def _restart(self, room: HubRoom, part: log.Slice) -> None:
        """Send ``joined`` to all sockets of a room, because its epoch has changed or too many events were
        missed.
        """
        room.start_at(part)
        frame = joined_frame(part, part.title)
        for subscription in room.subscriptions.values():
            subscription.cursor = part.head
            if not subscription.socket.is_tutorial:
                subscription.socket.write(frame)

    async def catch_up(self, subscription: Subscription) -> None:
        """Read the log for a socket whose cursor is before the buffer of recent events."""
        room, socket = subscription.room, subscription.socket
        try:
            part = await self.read(room, room.epoch, subscription.cursor)
        except Exception as error:
            warn_throttled(
                "catch up", "The log of room %r could not be read for a slow socket: %r", room.name, error
            )
            socket.close(CLOSE_TOO_SLOW, retry_after=1.0)
            return
        finally:
            subscription.is_reading = False
        if socket.subscriptions.get(room.name) is not subscription:
            return
        if part.epoch != room.epoch:
            self.restart_in_one_log(room)
            return
        if part.head < subscription.cursor:
            return
        subscription.cursor = part.head
        if socket.is_tutorial:
            for frame in tutorial_frames([] if part.reset else batch_of(part).events):
                socket.write(frame)
        elif part.reset is not None:
            socket.write(joined_frame(part, part.title))
        else:
            socket.write(events_frame(batch_of(part)))
        self._advance(subscription)

    async def read(self, room: HubRoom, epoch: str, since: int | None) -> log.Slice:
        """Read the log for one socket. Concurrent requests for the same range share one query."""
        newest = room.newest
        if (
            since is None
            and newest is not None
            and newest.epoch == room.epoch
            and newest.head >= max(room.ring_floor, room.erased)
        ):
            return newest
        request = epoch, since
        reading = room.reads.get(request)
        if reading is None:
            reading = room.reads[request] = asyncio.ensure_future(self._read_log(room.name, epoch, since))
            reading.add_done_callback(lambda _: room.reads.pop(request, None))
        part = await asyncio.shield(reading)
        if since is None and part.epoch == room.epoch:
            room.newest = part
        return part
