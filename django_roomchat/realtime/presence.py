"""Presence: which people are in which room, across all processes.

Each process has a lease (a row that it renews) and stores its people in a table, at most once a second. It
announces each change through the channel layer with the change's number. A process that misses a number, or
receives no notice, reads the table. A process that has crashed no longer renews its lease, and its people are
removed with the lease.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any
from uuid import UUID, uuid4

import msgspec

from django_roomchat import pubsub
from django_roomchat.conf import config
from django_roomchat.protocol import Here, Person, encode, person_with_key
from django_roomchat.realtime.hub import Hub, handles
from django_roomchat.realtime.hub_room import Socket
from django_roomchat.realtime.threads import in_thread
from django_roomchat.realtime.uvicorn_fast_path import TextFrame
from django_roomchat.rooms import presence_table
from django_roomchat.throttled_logging import warn_throttled

TICK_SECONDS = 1.0
"""Changes within this time, in seconds, are written and announced together."""
NAMED_MAX = 200
"""Maximum number of people listed by name; a room with more sends only their number."""
CHANGES_MAX = 2_000
"""Maximum number of rows written in one transaction. Further rows wait for the next one."""
NOTICE_MAX = 500
"""Maximum number of changes in one notice. If there are more, the other processes read the table."""
AVATAR_MAX_LENGTH = 500


def start(hub: Hub) -> None:
    """Start presence for a hub, unless ``ROOMCHAT["PRESENCE"]`` is off."""
    if config().PRESENCE and not hub.has_extension(Presences):
        hub.watchers.append(hub.extension(Presences))


async def release_lease(hub: Hub) -> None:
    """Release the presence lease at shutdown. The people stay listed for the grace time, in which they
    reconnect to another process.
    """
    if hub.has_extension(Presences):
        await hub.extension(Presences).release_lease()


def expelled(hub: Hub, name: str, key: str) -> None:
    """Remove a person from a room at once, because they may not be in it any more."""
    if hub.has_extension(Presences):
        hub.extension(Presences).expelled(name, key)


class _Entry:
    """A person who is in a room through this process."""

    __slots__ = ("id", "person", "sockets")

    def __init__(self, person: Person) -> None:
        self.id = uuid4()
        """Primary key of the person's row. A changed name gets a new row."""
        self.person = person
        self.sockets = 0


class _PresenceRoom:
    """A room with people connected to this process."""

    __slots__ = ("is_changed", "is_read", "mine", "name", "newcomers", "others", "state", "sent")

    def __init__(self, name: str) -> None:
        self.name = name
        self.mine: dict[str, _Entry] = {}
        self.others: dict[str, dict[str, Person]] = {}
        """People connected to other processes, by process."""
        self.is_read = False
        """Whether the room's rows have been read from the table."""
        self.is_changed = False
        self.sent: dict[str, Person] = {}
        """The people that the room's sockets have been sent."""
        self.state: TextFrame | None = None
        """Encoded frame with the full list, for sockets that join."""
        self.newcomers: set[Socket] = set()
        """Sockets that need the full list: they have just joined, or were blocked when a change was sent."""

    def here(self) -> dict[str, Person]:
        everybody: dict[str, Person] = {}
        for people in self.others.values():
            everybody |= people
        return everybody | {key: entry.person for key, entry in self.mine.items()}

    def change(self) -> TextFrame | None:
        """Update ``sent`` and return the frame that leads from its former state to the present one; ``None``
        if nothing changed.
        """
        before, self.sent, self.is_changed = self.sent, self.here(), False
        joined = [person for key, person in self.sent.items() if before.get(key) != person]
        left = [key for key in before if key not in self.sent]
        if not joined and not left:
            return None
        self.state = None
        count = len(self.sent)
        if count > NAMED_MAX or len(before) > NAMED_MAX:
            return self.whole()
        return TextFrame(encode(Here(self.name, count, None, joined or None, left or None)))

    def whole(self) -> TextFrame:
        if self.state is None:
            count = len(self.sent)
            people = list(self.sent.values()) if count <= NAMED_MAX else None
            self.state = TextFrame(encode(Here(self.name, count, people)))
        return self.state


class Presences:
    """Presence of one process and event loop. Watches the hub."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._rooms: dict[str, _PresenceRoom] = {}
        self._process = uuid4()
        self._version = 0
        self._adding: dict[UUID, tuple[str, Person]] = {}
        """Rows to be inserted, by id: room and person."""
        self._dropping: dict[UUID, tuple[str, str]] = {}
        """Rows to be deleted, by id: room and key."""
        self._starts_over = True
        """Whether this process's rows in the table are in an unknown state and have to be replaced."""
        self._leaving: dict[tuple[str, str], float] = {}
        """When the grace time of a person whose last socket is closed ends, by room and key; the earliest
        first."""
        self._received: dict[str, int] = {}
        """Number of the last change announced by each other process; -1 if an earlier one was missed."""
        self._notices: list[PresenceNotice] | None = None
        """Notices received while the table is read. They may be newer than the result."""
        self._check_at = 0.0
        self._changed = asyncio.Event()
        self._is_over = False
        self.is_busy = False

    # Sockets ----------------------------------------------------------------------------------------------------------

    def entered(self, socket: Socket, name: str) -> None:
        """Count a socket that has subscribed to a room."""
        room = self._rooms.get(name)
        if room is None:
            room = self._rooms[name] = _PresenceRoom(name)
        who = socket.who
        person = person_with_key(
            who.key, who.name, who.avatar if len(who.avatar) <= AVATAR_MAX_LENGTH else ""
        )
        entry = room.mine.get(person.key)
        if entry is not None and entry.person != person:
            self._drop(room, entry)
            sockets, entry = entry.sockets, None
        else:
            sockets = 0
        if entry is None:
            entry = room.mine[person.key] = _Entry(person)
            entry.sockets = sockets
            self._adding[entry.id] = name, person
            room.is_changed = True
        entry.sockets += 1
        self._leaving.pop((name, person.key), None)
        if not socket.is_tutorial:
            room.newcomers.add(socket)
        self._wake()

    def left(self, socket: Socket, name: str) -> None:
        """Stop counting a socket that has left a room. The person is removed after the grace time."""
        room = self._rooms.get(name)
        entry = None if room is None else room.mine.get(socket.key)
        if room is None or entry is None:
            return  # the socket subscribed before presence was started
        room.newcomers.discard(socket)
        entry.sockets -= 1
        if not entry.sockets:
            self._leaving[name, socket.key] = time.monotonic() + config().PRESENCE_GRACE_SECONDS

    def expelled(self, name: str, key: str) -> None:
        """Remove a person without the grace time, if their last socket has left the room."""
        if self._leaving.pop((name, key), None) is not None:
            room = self._rooms[name]
            self._drop(room, room.mine.pop(key))
            self._wake()

    def _drop(self, room: _PresenceRoom, entry: _Entry) -> None:
        if self._adding.pop(entry.id, None) is None:
            self._dropping[entry.id] = room.name, entry.person.key
        room.is_changed = True

    # Timers ---------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        self._changed.set()
        if not self.is_busy and not self._is_over:
            self.is_busy = True
            self._hub.start(self._run())

    async def _run(self) -> None:
        try:
            while not self._is_over:
                self._changed.clear()
                await self.turn()
                if not self._rooms:
                    await self._remove_lease()
                    if not self._rooms:
                        return
                # At most one turn a second. A change after a second without changes is handled at once.
                await asyncio.sleep(TICK_SECONDS)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(TICK_SECONDS):
                        await self._changed.wait()
        finally:
            self.is_busy = False

    async def turn(self) -> None:
        """Process, store and send the pending changes."""
        self._expire(time.monotonic())
        await self._read(time.monotonic())
        await self._write()
        self._send()
        for name in [name for name, room in self._rooms.items() if not room.mine]:
            del self._rooms[name]

    def _expire(self, now: float) -> None:
        for place, leaves_at in list(self._leaving.items()):
            if leaves_at > now:
                return
            del self._leaving[place]
            name, key = place
            room = self._rooms[name]
            self._drop(room, room.mine.pop(key))

    async def _remove_lease(self) -> None:
        """Delete this process's lease and rows, because no people are left."""
        process, self._process, self._version = self._process, uuid4(), 0
        self._starts_over = True
        self._dropping.clear()
        self._received.clear()
        self._check_at = 0.0
        try:
            await in_thread(presence_table.remove, [process])
        except Exception as error:
            warn_throttled("presence", "The presence lease of this process could not be removed: %r", error)

    async def release_lease(self) -> None:
        self._is_over = True
        if self._starts_over:
            return
        try:
            await in_thread(presence_table.end_lease_early, self._process)
        except Exception as error:
            warn_throttled("presence", "The presence lease of this process could not be ended: %r", error)

    # The table --------------------------------------------------------------------------------------------------------

    async def _write(self) -> None:
        starts_over = self._starts_over
        if starts_over:
            self._dropping.clear()
            self._adding = {
                entry.id: (room.name, entry.person)
                for room in self._rooms.values()
                for entry in room.mine.values()
            }
        adding = _take(self._adding)
        dropping = _take(self._dropping)
        if not adding and not dropping:
            return
        self._starts_over = True  # until the write is known to have succeeded
        self._version += 1
        try:
            await in_thread(
                presence_table.store, self._process, self._version, adding, list(dropping), starts_over
            )
        except Exception as error:
            warn_throttled("presence", "Presence could not be written; it is tried again: %r", error)
            return
        self._starts_over = False
        notice = PresenceNotice(str(self._process), self._version)
        if not starts_over and len(adding) + len(dropping) <= NOTICE_MAX:
            notice.rooms = _by_room(adding, dropping)
        pubsub.publish(pubsub.Notice("presence", msgspec.to_builtins(notice)))

    async def _read(self, now: float) -> None:
        unread = [name for name, room in self._rooms.items() if not room.is_read][: presence_table.ROOMS_MAX]
        is_due = now >= self._check_at
        if not unread and not is_due:
            return
        self._notices = []
        received = dict(self._received) if is_due else None
        try:
            found = await in_thread(presence_table.look, self._process, unread, list(self._rooms), received)
        except Exception as error:
            warn_throttled("presence", "Presence of other processes could not be read: %r", error)
            return
        finally:
            notices, self._notices = self._notices, None
        self._take_rooms(unread, found.of_rooms)
        if received is not None:
            self._take_processes(found)
            self._check_at = now + min(config().PRESENCE_RENEW_SECONDS, found.next_end)
            self._starts_over = self._starts_over or not found.is_listed
        for notice in notices:
            if notice.version > found.versions.get(notice.process, -1):
                self._apply(notice)
                # The notice may be older than what was read for a room, and a later one may have been lost.
                self._received[notice.process] = -1

    def _take_rooms(self, names: Sequence[str], rows: Iterable[presence_table.Row]) -> None:
        for name in names:
            room = self._rooms[name]
            room.others = {}
            room.is_read = room.is_changed = True
        for process, name, person in rows:
            self._rooms[name].others.setdefault(process, {})[person.key] = person

    def _take_processes(self, found: presence_table.PresenceChanges) -> None:
        people: dict[tuple[str, str], dict[str, Person]] = defaultdict(dict)
        for process, name, person in found.of_processes:
            people[name, process][person.key] = person
        for name, room in self._rooms.items():
            for process in [*found.read, *(room.others.keys() - found.versions.keys())]:
                room.is_changed = True
                if (name, process) in people:
                    room.others[process] = people[name, process]
                else:
                    room.others.pop(process, None)
        self._received = dict(found.versions)

    # Other processes --------------------------------------------------------------------------------------------------

    def receive(self, notice: PresenceNotice) -> None:
        """Apply a notice of another process."""
        if notice.process == str(self._process):
            return
        if self._notices is not None:
            self._notices.append(notice)
        self._apply(notice)
        follows = notice.rooms is not None and self._received.get(notice.process) == notice.version - 1
        self._received[notice.process] = notice.version if follows else -1
        if not follows:
            self._check_at = 0.0
        self._changed.set()

    def _apply(self, notice: PresenceNotice) -> None:
        for name, change in (notice.rooms or {}).items():
            room = self._rooms.get(name)
            if room is None:
                continue
            people = room.others.setdefault(notice.process, {})
            for key in change.left:
                people.pop(key, None)
            people.update((person.key, person) for person in change.joined)
            room.is_changed = True

    # Frames to the sockets ------------------------------------------------------------------------------

    def _send(self) -> None:
        for room in self._rooms.values():
            change = room.change() if room.is_changed else None
            if change is not None:
                for socket in self._hub.sockets_in(room.name):
                    if socket.is_tutorial or socket in room.newcomers:
                        continue
                    if socket.is_ready:
                        socket.reply(change)
                    else:
                        room.newcomers.add(socket)
            for socket in [socket for socket in room.newcomers if socket.is_ready]:
                room.newcomers.discard(socket)
                socket.reply(room.whole())


class _Change(msgspec.Struct):
    joined: list[Person] = msgspec.field(default_factory=list)
    left: list[str] = msgspec.field(default_factory=list)


class PresenceNotice(msgspec.Struct, omit_defaults=True):
    """Notice: the changes that a process has written."""

    process: str
    version: int
    rooms: dict[str, _Change] | None = None
    """Changes by room. If omitted, the receiver has to read the table."""


@handles("presence")
def _receive(hub: Hub, room: str, data: dict[str, Any]) -> None:
    if hub.has_extension(Presences):
        hub.extension(Presences).receive(msgspec.convert(data, PresenceNotice))


def _take(waiting: dict[UUID, Any]) -> dict[UUID, Any]:
    taken = dict(islice(waiting.items(), CHANGES_MAX))
    for id in taken:
        del waiting[id]
    return taken


def _by_room(
    adding: dict[UUID, tuple[str, Person]], dropping: dict[UUID, tuple[str, str]]
) -> dict[str, _Change]:
    rooms: dict[str, _Change] = defaultdict(_Change)
    for name, person in adding.values():
        rooms[name].joined.append(person)
    for name, key in dropping.values():
        rooms[name].left.append(key)
    return dict(rooms)
