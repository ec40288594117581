"""Fan-out inside one process: rooms, their sockets, and how far each has come.

One rule holds at every hop. A batch covers ``(prev, head]``; whoever stands at ``c`` ignores it if ``head <= c``, applies it if
``prev <= c < head``, and has found a hole if ``prev > c``: then the log is read from ``c``.

A socket has no queue of events. It has a position, and the room's recent events, shared by all, are what waits for it:
who falls behind loses nothing but time.
"""

from __future__ import annotations

import asyncio
import random
import time
import weakref
from bisect import bisect_right
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any, Protocol

import msgspec

from django_roomchat import bus, log, reports, threads
from django_roomchat.bus import Access, Batch, News, Notice
from django_roomchat.conf import config
from django_roomchat.courier import Courier
from django_roomchat.fastlane import TextFrame
from django_roomchat.frames import (
    Stretch,
    batch_of,
    erases,
    events_frame,
    joined_frame,
    tutorial_frames,
)
from django_roomchat.identity import Identity
from django_roomchat.protocol import CLOSE_TOO_SLOW, Heads, Joined, encode

LINGER_SECONDS = 10.0
"""How long a room stays ready after its last socket left, for those who only reload the page."""
FRAME_BYTES = 65_536
"""Someone who catches up gets frames of about this size, so that a slow client stops us early."""
CHECK_SECONDS = 1.0
"""How often the hub looks for sockets that are stuck and rooms that nobody needs."""


class Socket(Protocol):
    """What the hub knows of a socket."""

    seats: dict[str, Seat]
    """Its rooms, by name."""

    @property
    def is_tutorial(self) -> bool:
        """It speaks the tutorial's dialect."""

    @property
    def is_ready(self) -> bool:
        """What is written now leaves now."""

    @property
    def blocked_since(self) -> float | None:
        """When its client stopped reading (``time.monotonic()``)."""

    def write(self, frame: TextFrame) -> None:
        """Send a frame without waiting."""

    def reply(self, frame: TextFrame) -> None:
        """The same for what is no event."""

    def close(self, code: int, retry_after: float | None = None) -> None:
        """Say bye and close, without waiting."""

    @property
    def who(self) -> Identity:
        """Who speaks through it."""

    @property
    def key(self) -> str:
        """Of who speaks through it."""

    def call(self, name: str) -> None:
        """Speak under another name from now on."""

    async def check_access(self, name: str) -> bool:
        """Leave the room if one may not be there any more. Returns whether that could be found out."""


class Watcher(Protocol):
    """Is told who comes and goes; see :attr:`Hub.watchers`."""

    is_busy: bool
    """It needs the hub, though there may be no sockets."""

    def entered(self, socket: Socket, name: str) -> None:
        """A socket is in a room. It may not have been told so yet."""

    def left(self, socket: Socket, name: str) -> None:
        """A socket is in a room no more."""


class Seat:
    """A socket in a room."""

    __slots__ = ("cursor", "is_reading", "room", "socket")

    def __init__(self, room: HubRoom, socket: Socket, cursor: int) -> None:
        self.room = room
        self.socket = socket
        self.cursor = cursor
        """All events up to here were written to the socket."""
        self.is_reading = False
        """What it missed is being read from the database."""


class HubRoom:
    """A room in use by this process."""

    def __init__(self, name: str, events_max: int) -> None:
        self.name = name
        self.title = ""
        self.epoch = ""
        self.floor = 0
        self.cursor = 0
        self.access_version = 0
        self.seats: dict[Socket, Seat] = {}
        self.reading: asyncio.Task[None] | None = None
        self.is_ready = False
        """Its log has been read."""
        self.wanted = 0
        """The highest position that anybody spoke of."""
        self.is_filling = False
        self.is_doubted = False
        """Somebody has read another log than the one that the room stands in."""
        self.newest: log.Slice | None = None
        """The newest page, for those who come without a position."""
        self.erased = 0
        """The last change that deleted something."""
        self.reads: dict[tuple[str, int | None], asyncio.Future[log.Slice]] = {}
        self.empty_since: float | None = None
        self.entering = 0
        self.courier: Courier | None = None
        self.group = ""
        self._events_max = events_max
        self._events = 0
        self._ring: deque[Stretch] = deque()
        self._resumptions: dict[int, TextFrame] = {}

    @property
    def ring_floor(self) -> int:
        """Who stands here or further needs no database."""
        return self._ring[0].batch.prev if self._ring else self.cursor

    def add(self, batch: Batch) -> Stretch:
        """Take up a batch that begins where the room stands."""
        if any(erases(event) for _, event in batch.events):
            # What was deleted is not repeated to anybody: who stands before this reads the log, where it is erased.
            self._ring.clear()
            self._events = 0
            self.erased = batch.head
        stretch = Stretch(batch)
        self._ring.append(stretch)
        self._resumptions.clear()
        self.cursor = batch.head
        self._events += len(batch.events)
        while self._events > self._events_max and len(self._ring) > 1:
            self._events -= len(self._ring.popleft().batch.events)
        return stretch

    def count_in(self, epoch: str) -> None:
        """All numbers are of this log from now on."""
        if self.epoch and epoch != self.epoch:
            # Its access version may be an earlier one, with other bans behind it: the next poll asks for everybody.
            self.access_version = -1
        self.epoch = epoch

    def start_at(self, part: log.Slice) -> None:
        """Forget everything and stand where *part* ends."""
        self._ring.clear()
        self._resumptions.clear()
        self._events = 0
        self.count_in(part.epoch)
        self.title, self.floor, self.cursor = part.title, part.floor, part.head
        self.newest = None
        self.erased = 0

    def covers(self, epoch: str, since: int) -> bool:
        """What somebody at *since* has missed is at hand."""
        return (since == 0 or epoch == self.epoch) and self.ring_floor <= since <= self.cursor

    def resumption(self, since: int, title: str) -> TextFrame:
        """What somebody at *since* is told who comes back: the same for all who left together."""
        if since not in self._resumptions:
            missed = self.after(since, None) if since < self.cursor else None
            events = [msgspec.Raw(event) for _, event in missed.batch.events] if missed else []
            joined = Joined(
                self.name, self.title or title, self.epoch, self.floor, since, self.cursor, events
            )
            self._resumptions[since] = TextFrame(encode(joined))
        return self._resumptions[since]

    def after(self, cursor: int, max_bytes: int | None) -> Stretch | None:
        """What follows *cursor*, about *max_bytes* of it or (``None``) all of it; ``None`` if it is not at hand any more."""
        if cursor < self.ring_floor:
            return None
        start = bisect_right(self._ring, cursor, key=lambda stretch: stretch.batch.prev) - 1
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
        return Stretch(Batch(self.name, self.epoch, cursor, head, events))


class Hub:
    """The rooms of one process and event loop. Get it with :func:`current`.

    Args:
        read, tail, states: how the log is read, for tests; see :mod:`django_roomchat.log`.
    """

    def __init__(
        self,
        *,
        read: Callable[..., Awaitable[log.Slice]] | None = None,
        tail: Callable[..., Awaitable[log.Slice]] | None = None,
        states: Callable[..., Awaitable[dict[str, log.State]]] | None = None,
    ) -> None:
        self._read_log = read or _read
        self._read_tail = tail or _tail
        self._read_states = states or _states
        self._rooms: dict[str, HubRoom] = {}
        self.sockets: set[Socket] = set()
        self.watchers: list[Watcher] = []
        self._couriers: dict[str, Courier] = {}
        self._groups: dict[tuple[str, str], set[str]] = {}
        """The rooms of each group, by the layer's alias and the group's name."""
        self._work: set[asyncio.Task[None]] = set()
        self._is_running = False
        self.is_draining = False
        """The process ends; nothing new is begun."""

    # Sockets come and go ------------------------------------------------------------------------------------------

    async def enter(
        self,
        socket: Socket,
        name: str,
        epoch: str = "",
        since: int | None = None,
        *,
        title: str = "",
        access_version: int = 0,
    ) -> None:
        """Put a socket, which may enter, into a room, and bring it up to date.

        Whoever is not live yet hears nothing, and nothing is lost: the room is subscribed to before it is read,
        and what arrives during the read is kept with the room.

        Args:
            socket: gets ``joined``, then everything that happens.
            name: of the room, canonical.
            epoch, since: where the client stands; ``None`` if nowhere.
            title: shown as long as the room does not exist.
            access_version: of the room, when it was looked up whether they may.
        """
        room = self._open(name)
        room.entering += 1
        try:
            await self._make_ready(room)
            frame, read_epoch, head = await self._rejoined(room, socket, epoch, since, title)
        finally:
            room.entering -= 1
        seat = Seat(room, socket, head)
        self._seat(seat)
        if frame is not None:
            socket.write(frame)
        if read_epoch != room.epoch and room.cursor:
            self._doubt(room)
        elif head > room.cursor:
            room.wanted = max(room.wanted, head)
            self._fill(room)
        self._advance(seat)
        if access_version < room.access_version:
            self._start(self._check_access(room, socket))

    async def _rejoined(
        self, room: HubRoom, socket: Socket, epoch: str, since: int | None, title: str
    ) -> tuple[TextFrame | None, str, int]:
        """The same as :meth:`_joined`; a socket that was in the room hears nothing meanwhile, and stays if it fails."""
        before = socket.seats.get(room.name)
        self._unseat(socket, room.name)
        try:
            return await self._joined(room, socket, epoch, since, title)
        except Exception:
            if before is not None:
                self._seat(before)
            raise

    async def _joined(
        self, room: HubRoom, socket: Socket, epoch: str, since: int | None, title: str
    ) -> tuple[TextFrame | None, str, int]:
        """The frame with which a socket begins in a room, if its dialect has one, and the epoch and position at its end."""
        if socket.is_tutorial:
            return None, room.epoch, room.cursor
        if since is not None and room.covers(epoch, since):
            return room.resumption(since, title), room.epoch, room.cursor
        part = await self._read(room, epoch, since)
        return joined_frame(part, title), part.epoch, part.head

    def leave(self, socket: Socket, name: str) -> None:
        """Take a socket out of a room."""
        self._unseat(socket, name)

    def rename(self, socket: Socket) -> None:
        """Who speaks through a socket is called otherwise now: they come anew, and the one of before goes."""
        for name in socket.seats:
            for watcher in self.watchers:
                watcher.entered(socket, name)
                watcher.left(socket, name)

    def add(self, socket: Socket) -> None:
        """A socket was opened."""
        self.sockets.add(socket)
        if not self._is_running:
            self._is_running = True
            bus.subscribe(self._hear_local)
            self._start(self._run())
            everybody = self._courier_of(bus.EVERYBODY)
            if everybody is not None:
                everybody.join(bus.group_name(bus.EVERYBODY))

    def remove(self, socket: Socket) -> None:
        """A socket was closed."""
        self.sockets.discard(socket)
        for name in list(socket.seats):
            self._unseat(socket, name)

    def resume(self, socket: Socket) -> None:
        """A socket's client reads again."""
        for seat in list(socket.seats.values()):
            self._advance(seat)

    def heads_of(self, socket: Socket) -> TextFrame:
        """The ping for a socket."""
        return TextFrame(encode(Heads({name: seat.room.cursor for name, seat in socket.seats.items()})))

    def _seat(self, seat: Seat) -> None:
        seat.room.seats[seat.socket] = seat
        seat.socket.seats[seat.room.name] = seat
        for watcher in self.watchers:
            watcher.entered(seat.socket, seat.room.name)

    def _unseat(self, socket: Socket, name: str) -> None:
        seat = socket.seats.pop(name, None)
        if seat is not None:
            seat.room.seats.pop(socket, None)
            for watcher in self.watchers:
                watcher.left(socket, name)

    # Rooms open and close -----------------------------------------------------------------------------------------

    def _open(self, name: str) -> HubRoom:
        room = self._rooms.get(name)
        if room is None:
            room = self._rooms[name] = HubRoom(name, config().RING_EVENTS)
            self._subscribe(room)
        return room

    def _subscribe(self, room: HubRoom) -> None:
        room.courier = self._courier_of(room.name)
        if room.courier is not None:
            room.group = bus.group_name(room.name)
            rooms = self._groups.setdefault((room.courier.alias, room.group), set())
            rooms.add(room.name)
            if len(rooms) == 1:
                room.courier.join(room.group)

    def _courier_of(self, name: str) -> Courier | None:
        try:
            alias = bus.layer_alias(name)
            if alias not in self._couriers:
                self._couriers[alias] = Courier(alias, self._hear, self._group_joined)
            return self._couriers[alias]
        except Exception as error:
            whose = f"Room {name!r}" if name != bus.EVERYBODY else "What concerns no room"
            reports.warn(
                "no layer", "%s has no channel layer; other processes poll the database: %r", whose, error
            )
            return None

    def _group_joined(self, alias: str, group: str) -> None:
        """What was said before the group had us was not brought to us: look."""
        for name in self._groups.get((alias, group), ()):
            room = self._rooms[name]
            if room.is_ready:
                self._fill(room)

    async def _make_ready(self, room: HubRoom) -> None:
        if room.reading is None:
            room.reading = self._start(self._read_first(room))
        # Shielded: many may wait for it, and one that goes away must not take it from the others.
        await asyncio.shield(room.reading)

    async def _read_first(self, room: HubRoom) -> None:
        try:
            part = await self._read_tail(room.name, changes=config().RING_EVENTS // 2)
        except BaseException:
            room.reading = None
            raise
        room.start_at(part)
        room.access_version = part.access_version
        room.cursor = part.prev
        if part.head > part.prev:
            room.add(batch_of(part))
        room.is_ready = True
        if room.wanted > room.cursor:
            self._fill(room)

    def _close_empty(self, now: float) -> None:
        for room in list(self._rooms.values()):
            if room.seats or room.entering:
                room.empty_since = None
            elif room.empty_since is None:
                room.empty_since = now
            elif now - room.empty_since >= LINGER_SECONDS:
                self._close(room)

    def _close(self, room: HubRoom) -> None:
        del self._rooms[room.name]
        if room.courier is not None:
            key = room.courier.alias, room.group
            self._groups[key].discard(room.name)
            if not self._groups[key]:
                del self._groups[key]
                room.courier.leave(room.group)

    # News -----------------------------------------------------------------------------------------------------------

    def _hear_local(self, news: News) -> None:
        """This process wrote. Its own sockets first; the layer in its own time."""
        self._hear(news)
        courier = self._courier_of(news.room)
        if courier is not None:
            courier.send(bus.group_name(news.room), news)

    def _hear(self, news: News) -> None:
        if isinstance(news, Notice):
            self._hear_notice(news)
            return
        room = self._rooms.get(news.room)
        if room is None:
            return
        if isinstance(news, Access):
            if room.is_ready:
                self._hear_access(room, news)
        elif room.is_ready:
            self._hear_batch(room, news)
        else:
            room.wanted = max(room.wanted, news.head)

    def _hear_notice(self, notice: Notice) -> None:
        handle = _handlers.get(notice.topic)
        if handle is None:
            return  # of a newer version of us
        try:
            handle(self, notice.room, notice.data)
        except Exception as error:
            reports.warn("notice", "A notice about %r was not understood: %r", notice.topic, error)

    def sockets_in(self, name: str) -> list[Socket]:
        """The sockets of this process that are in a room."""
        room = self._rooms.get(name)
        return [] if room is None else [seat.socket for seat in room.seats.values()]

    def sockets_of(self, key: str) -> list[Socket]:
        """The sockets of this process through which somebody speaks."""
        return [socket for socket in self.sockets if socket.key == key]

    def _hear_access(self, room: HubRoom, news: Access) -> None:
        if news.version <= room.access_version:
            return
        # Of the changes in between, nobody said whose they were.
        known = news.key if news.version == room.access_version + 1 else ""
        room.access_version = news.version
        for seat in list(room.seats.values()):
            if not known or seat.socket.key == known:
                self._start(self._check_access(room, seat.socket))

    def ask_again(self, socket: Socket) -> None:
        """Let a socket find out whether it may still be in its rooms."""
        for seat in socket.seats.values():
            self._start(self._check_access(seat.room, socket))

    async def _check_access(self, room: HubRoom, socket: Socket) -> None:
        if not await socket.check_access(room.name):
            # Nobody could say: the next poll finds the version to be another one, and asks again.
            room.access_version = -1

    def _hear_batch(self, room: HubRoom, batch: Batch) -> None:
        room.wanted = max(room.wanted, batch.head)
        if batch.epoch != room.epoch and room.cursor:
            self._fill(room)
        elif batch.head <= room.cursor:
            pass
        elif batch.prev <= room.cursor and batch.events:
            room.count_in(batch.epoch)
            self._tell(room, batch)
        else:
            self._fill(room)

    def _tell(self, room: HubRoom, batch: Batch) -> None:
        if batch.prev < room.cursor:
            new = [event for event in batch.events if event[0] > room.cursor]
            batch = Batch(batch.room, batch.epoch, room.cursor, batch.head, new)
        prev, stretch = room.cursor, room.add(batch)
        for seat in room.seats.values():
            socket = seat.socket
            if seat.cursor == prev and socket.is_ready and not seat.is_reading:
                seat.cursor = batch.head
                for frame in stretch.frames(socket.is_tutorial):
                    socket.write(frame)
            else:
                self._advance(seat)

    def _advance(self, seat: Seat) -> None:
        """Give a socket what follows its position, as long as it takes it."""
        room, socket = seat.room, seat.socket
        while seat.cursor < room.cursor and socket.is_ready and not seat.is_reading and not room.is_doubted:
            stretch = room.after(seat.cursor, FRAME_BYTES)
            if stretch is None:
                seat.is_reading = True
                self._start(self._catch_up(seat))
                return
            seat.cursor = stretch.batch.head
            for frame in stretch.frames(socket.is_tutorial):
                socket.write(frame)

    # Holes ------------------------------------------------------------------------------------------------------------

    def _fill(self, room: HubRoom) -> None:
        """Read the log from where the room stands."""
        if not room.is_filling:
            room.is_filling = True
            self._start(self._read_on(room))

    def _doubt(self, room: HubRoom) -> None:
        """One of the room's sockets has read another log than the others: all start over, in the same one."""
        room.is_doubted = True
        self._fill(room)

    async def _read_on(self, room: HubRoom) -> None:
        try:
            while True:
                cursor, epoch, wanted = room.cursor, room.epoch, room.wanted
                part = await self._read_log(room.name, epoch, None if room.is_doubted else cursor)
                if part.reset is not None:
                    room.is_doubted = False
                    self._restart(room, replace(part, reset="epoch") if part.reset == "new" else part)
                else:
                    self._tell_part(room, part)
                # What was spoken of during the read may be too new for it.
                is_stuck = room.cursor == cursor and room.wanted == wanted
                if (room.cursor >= room.wanted or is_stuck) and not room.is_doubted:
                    room.wanted = room.cursor
                    return
        except Exception as error:
            reports.warn(
                "fill",
                "Room %r could not be read; it is tried again with the next poll: %r",
                room.name,
                error,
            )
        finally:
            room.is_filling = False

    def _tell_part(self, room: HubRoom, part: log.Slice) -> None:
        room.title, room.floor = part.title, part.floor
        if part.head > room.cursor and part.prev <= room.cursor:
            room.count_in(part.epoch)
            self._tell(room, batch_of(part))

    def _restart(self, room: HubRoom, part: log.Slice) -> None:
        """The log is another one, or too much was missed: everybody starts over."""
        room.start_at(part)
        frame = joined_frame(part, part.title)
        for seat in room.seats.values():
            seat.cursor = part.head
            if not seat.socket.is_tutorial:
                seat.socket.write(frame)

    async def _catch_up(self, seat: Seat) -> None:
        """Bring a socket on that is further behind than the room's recent events reach."""
        room, socket = seat.room, seat.socket
        try:
            part = await self._read(room, room.epoch, seat.cursor)
        except Exception as error:
            reports.warn("catch up", "Room %r could not be read for a slow socket: %r", room.name, error)
            socket.close(CLOSE_TOO_SLOW, retry_after=1.0)
            return
        finally:
            seat.is_reading = False
        if socket.seats.get(room.name) is not seat:
            return
        if part.epoch != room.epoch:
            self._doubt(room)
            return
        if part.head < seat.cursor:
            return
        seat.cursor = part.head
        if socket.is_tutorial:
            for frame in tutorial_frames([] if part.reset else batch_of(part).events):
                socket.write(frame)
        elif part.reset is not None:
            socket.write(joined_frame(part, part.title))
        else:
            socket.write(events_frame(batch_of(part)))
        self._advance(seat)

    async def _read(self, room: HubRoom, epoch: str, since: int | None) -> log.Slice:
        """Read the log for one socket; many who ask for the same at the same time cost one read."""
        newest = room.newest
        if (
            since is None
            and newest is not None
            and newest.epoch == room.epoch
            and newest.head >= max(room.ring_floor, room.erased)
        ):
            return newest
        question = epoch, since
        reading = room.reads.get(question)
        if reading is None:
            reading = room.reads[question] = asyncio.ensure_future(self._read_log(room.name, epoch, since))
            reading.add_done_callback(lambda _: room.reads.pop(question, None))
        part = await asyncio.shield(reading)
        if since is None and part.epoch == room.epoch:
            room.newest = part
        return part

    # Time -------------------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        """Poll, ping, and look after what nobody else looks after, as long as there are sockets."""
        try:
            while self._is_needed:
                await self._look_after()
                await self.say_farewell()
        finally:
            self._stop()

    @property
    def _is_needed(self) -> bool:
        return bool(self.sockets or self._rooms) or any(watcher.is_busy for watcher in self.watchers)

    async def _look_after(self) -> None:
        polled = time.monotonic()
        next_ping = polled + config().PING_SECONDS
        while self._is_needed:
            # Nothing tells that time has passed; what can tell anything (news, frames, a client that reads again) is no
            # business of this loop.
            await asyncio.sleep(CHECK_SECONDS)
            now = time.monotonic()
            self._close_stuck(now)
            self._close_empty(now)
            if now >= next_ping:
                next_ping = now + config().PING_SECONDS
                self._ping()
            # Asked anew each time: a layer that went down meanwhile makes it sooner.
            if now - polled >= self._poll_seconds():
                await self._poll()
                polled = time.monotonic()

    async def say_farewell(self) -> None:
        """Leave the groups, so that the layer keeps nothing for a process that is gone."""
        couriers, self._couriers = list(self._couriers.values()), {}
        await asyncio.gather(*(courier.say_farewell() for courier in couriers))

    def _stop(self) -> None:
        self._is_running = False
        bus.unsubscribe()
        for courier in self._couriers.values():
            courier.stop()
        self._couriers.clear()
        threads.close()

    def _poll_seconds(self) -> float:
        down = any(courier.is_down for courier in self._couriers.values())
        seconds = config().POLL_SECONDS_LAYER_DOWN if down else config().POLL_SECONDS
        return seconds * random.uniform(0.9, 1.0)  # noqa: S311  (so that processes do not poll together)

    async def _poll(self) -> None:
        """Compare all rooms with the database, in one query."""
        rooms = {room: (room.cursor, room.access_version) for room in self._rooms.values() if room.is_ready}
        if not rooms:
            return
        try:
            states = await self._read_states([room.name for room in rooms])
        except Exception as error:
            reports.warn("poll", "The rooms could not be compared with the database: %r", error)
            return
        for room, (cursor, version) in rooms.items():
            state = states.get(room.name, log.State())
            room.wanted = max(room.wanted, state.head)
            if not room.cursor:
                room.count_in(state.epoch)
            is_another = state.epoch != room.epoch and room.cursor
            if state.head < cursor == room.cursor:
                # The database has forgotten what was said, as after a failover to a replica that lagged.
                room.is_doubted = True
            if state.head > room.cursor or is_another or room.is_doubted:
                self._fill(room)
                # The layer should have brought that. Perhaps it does not know us any more, as after FLUSHALL.
                if room.courier is not None:
                    room.courier.join(room.group)
            if state.access_version < version == room.access_version:
                # Ours is of another log, or of news that came late from one.
                room.access_version = -1
            self._hear_access(room, Access(room.name, state.access_version, ""))

    def _ping(self) -> None:
        for socket in self.sockets:
            if not socket.is_tutorial and socket.is_ready:
                socket.reply(self.heads_of(socket))

    def _close_stuck(self, now: float) -> None:
        for socket in list(self.sockets):
            if socket.blocked_since is not None and now - socket.blocked_since >= config().SLOW_SECONDS:
                socket.close(CLOSE_TOO_SLOW, retry_after=1.0)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run the work of a chapter beside this one. It takes care of its own errors."""
        self._start(work)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return task


Handler = Callable[[Hub, str, dict[str, Any]], None]
"""Given the hub of the process, the room (empty if there is none) and the data of a notice."""
_handlers: dict[str, Handler] = {}


def handles(topic: str) -> Callable[[Handler], Handler]:
    """A decorator: the function hears all notices about *topic*, on the event loop."""

    def register(handler: Handler) -> Handler:
        _handlers[topic] = handler
        return handler

    return register


_hubs: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = weakref.WeakKeyDictionary()


def current() -> Hub:
    """The hub of the running event loop."""
    loop = asyncio.get_running_loop()
    hub = _hubs.get(loop)
    if hub is None:
        hub = _hubs[loop] = Hub()
    return hub


async def _read(name: str, epoch: str, since: int | None) -> log.Slice:
    settings = config()
    return await threads.in_thread(
        log.read, name, epoch, since, limit=settings.RESUME_MAX_EVENTS, page=settings.PAGE_MESSAGES
    )


async def _tail(name: str, changes: int) -> log.Slice:
    return await threads.in_thread(log.tail, name, changes=changes)


async def _states(names: list[str]) -> dict[str, log.State]:
    return await threads.in_thread(log.states, names)
