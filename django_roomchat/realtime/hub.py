"""Fan-out inside one process: the rooms in use, the sockets subscribed to them, and the position of each.

One rule holds at every hop. A batch covers the range ``(prev, head]``. A receiver whose cursor is ``c``
ignores the batch if ``head <= c`` and applies it if ``prev <= c < head``. If ``prev > c``, the receiver has
found a gap and reads the log from ``c``.

A socket has no queue of events. It has a cursor, and all sockets of a room share the buffer of the room's
recent events. A slow client therefore receives events later, but loses none.

Gaps are filled by :mod:`~django_roomchat.realtime.gap_recovery`, and found by batches, by a group that was
joined (:mod:`~django_roomchat.realtime.hub_layer`) or by the poll (:mod:`~django_roomchat.realtime.log_poll`).
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from django_roomchat import log, pubsub
from django_roomchat.conf import config
from django_roomchat.protocol import CLOSE_TOO_SLOW, CLOSE_TRY_AGAIN, Heads, encode
from django_roomchat.pubsub import Access, Batch, News, Notice
from django_roomchat.realtime import threads
from django_roomchat.realtime.encoded_frames import batch_of, joined_frame
from django_roomchat.realtime.gap_recovery import GapRecovery
from django_roomchat.realtime.hub_layer import HubLayer
from django_roomchat.realtime.hub_room import HubRoom, Socket, Subscription, Watcher
from django_roomchat.realtime.log_poll import LogPoll
from django_roomchat.realtime.per_loop import per_loop
from django_roomchat.realtime.uvicorn_fast_path import TextFrame
from django_roomchat.throttled_logging import warn_throttled

LINGER_SECONDS = 10.0
"""How long a room is kept in memory after its last socket left, in seconds. A client that reloads the page
finds it ready."""

FRAME_BYTES = 65_536
"""Approximate size of a catch-up frame, in bytes. Small frames make the backpressure of a slow client take
effect early."""

CHECK_SECONDS = 1.0
"""Interval, in seconds, at which the hub looks for blocked sockets and for rooms without sockets."""

E = TypeVar("E")


class Hub:
    """The rooms and sockets of one process and event loop. Get it with :func:`current`.

    Args:
        read, tail, states: functions that read the log, replaceable in tests; see :mod:`django_roomchat.log`.
    """

    def __init__(
        self,
        *,
        read: Callable[..., Awaitable[log.Slice]] | None = None,
        tail: Callable[..., Awaitable[log.Slice]] | None = None,
        states: Callable[..., Awaitable[dict[str, log.State]]] | None = None,
    ) -> None:
        self._read_tail = tail or _tail
        self._rooms: dict[str, HubRoom] = {}
        self.sockets: set[Socket] = set()
        self.watchers: list[Watcher] = []
        self._layer = HubLayer(self._receive, self._fill_again)
        self._gaps = GapRecovery(read or _read, self._send, self._advance, self._start)
        self._log_poll = LogPoll(
            states or _states, self._gaps.fill, self._layer.join_again, self._receive_access
        )
        self._work: set[asyncio.Task[None]] = set()
        self._extensions: dict[Any, Any] = {}
        self._is_running = False
        self.is_draining = False
        """Whether the process is shutting down. Nothing new is started then."""

    # Sockets --------------------------------------------------------------------------------------------

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
        """Subscribe a socket to a room and send it what its client missed. The caller has checked access.

        The process joins the room's group before it reads the log, and keeps batches that arrive during the
        read with the room. The socket receives nothing before ``joined``, and no event is lost.

        Args:
            socket: receives ``joined``, then all events of the room.
            name: canonical name of the room.
            epoch, since: the client's cursor; *since* is ``None`` if it has none.
            title: title to send while the room does not exist.
            access_version: access version of the room when access was checked.
        """
        room = self._open(name)
        room.entering += 1
        try:
            await self._make_ready(room)
            frame, read_epoch, head = await self._joined_frame_of(room, socket, epoch, since, title)
        finally:
            room.entering -= 1
        subscription = Subscription(room, socket, head)
        self._add_subscription(subscription)
        if frame is not None:
            socket.write(frame)
        if read_epoch != room.epoch and room.cursor:
            self._gaps.restart_in_one_log(room)
        elif head > room.cursor:
            room.wanted = max(room.wanted, head)
            self._gaps.fill(room)
        self._advance(subscription)
        if access_version < room.access_version:
            self._start(self._check_access(room, socket))

    async def _joined_frame_of(
        self, room: HubRoom, socket: Socket, epoch: str, since: int | None, title: str
    ) -> tuple[TextFrame | None, str, int]:
        """Call :meth:`_joined_frame` with the socket's present subscription suspended, and restore that
        subscription if the call fails.
        """
        before = socket.subscriptions.get(room.name)
        self._remove_subscription(socket, room.name)
        try:
            return await self._joined_frame(room, socket, epoch, since, title)
        except Exception:
            if before is not None:
                self._add_subscription(before)
            raise

    async def _joined_frame(
        self, room: HubRoom, socket: Socket, epoch: str, since: int | None, title: str
    ) -> tuple[TextFrame | None, str, int]:
        """Return the ``joined`` frame, or ``None`` in the tutorial's format, and the epoch and revision that
        it leads to.
        """
        if socket.is_tutorial:
            return None, room.epoch, room.cursor
        if since is not None and room.covers(epoch, since):
            return room.resumption(since, title), room.epoch, room.cursor
        part = await self._gaps.read(room, epoch, since)
        return joined_frame(part, title), part.epoch, part.head

    def leave(self, socket: Socket, name: str) -> None:
        """Remove a socket's subscription to a room."""
        self._remove_subscription(socket, name)

    def rename(self, socket: Socket) -> None:
        """Notify the watchers that the display name of a socket's identity has changed.

        A watcher sees the new name enter before the former name leaves.
        """
        for name in socket.subscriptions:
            for watcher in self.watchers:
                watcher.entered(socket, name)
                watcher.left(socket, name)

    def add(self, socket: Socket) -> None:
        """Register a socket that was opened."""
        self.sockets.add(socket)
        if not self._is_running:
            self._is_running = True
            pubsub.subscribe(self._receive_own)
            self._start(self._run())
            self._layer.join_broadcast()

    def remove(self, socket: Socket) -> None:
        """Remove a socket that was closed, and its subscriptions."""
        self.sockets.discard(socket)
        for name in list(socket.subscriptions):
            self._remove_subscription(socket, name)

    def resume(self, socket: Socket) -> None:
        """Continue to send to a socket whose client reads again."""
        for subscription in list(socket.subscriptions.values()):
            self._advance(subscription)

    def heads_of(self, socket: Socket) -> TextFrame:
        """Return the ``heads`` frame of a socket, which serves as the ping."""
        return TextFrame(
            encode(
                Heads({name: subscription.room.cursor for name, subscription in socket.subscriptions.items()})
            )
        )

    def _add_subscription(self, subscription: Subscription) -> None:
        subscription.room.subscriptions[subscription.socket] = subscription
        subscription.socket.subscriptions[subscription.room.name] = subscription
        for watcher in self.watchers:
            watcher.entered(subscription.socket, subscription.room.name)

    def _remove_subscription(self, socket: Socket, name: str) -> None:
        subscription = socket.subscriptions.pop(name, None)
        if subscription is not None:
            subscription.room.subscriptions.pop(socket, None)
            for watcher in self.watchers:
                watcher.left(socket, name)

    def extension(self, factory: Callable[[Hub], E]) -> E:
        """Return the hub's instance of an extension, such as typing indicators. It is created on the first call.

        Args:
            factory: the class of the extension; called with the hub.
        """
        if factory not in self._extensions:
            self._extensions[factory] = factory(self)
        extension: E = self._extensions[factory]
        return extension

    def has_extension(self, factory: Callable[[Hub], Any]) -> bool:
        """Return whether :meth:`extension` has created an instance."""
        return factory in self._extensions

    # Rooms ----------------------------------------------------------------------------------------------

    def _open(self, name: str) -> HubRoom:
        room = self._rooms.get(name)
        if room is None:
            room = self._rooms[name] = HubRoom(name, config().RING_EVENTS)
            self._layer.subscribe(room)
        return room

    async def _make_ready(self, room: HubRoom) -> None:
        if room.reading is None:
            room.reading = self._start(self._read_first(room))
        # Shielded: several sockets may wait for the same read, and a socket that is closed must not cancel it
        # for the others.
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
            self._gaps.fill(room)

    def _fill_again(self, room: HubRoom) -> None:
        """Read a room whose group this process has just joined: batches published earlier were not delivered
        to it.
        """
        if room.is_ready:
            self._gaps.fill(room)

    def _close_empty(self, now: float) -> None:
        for room in list(self._rooms.values()):
            if room.subscriptions or room.entering:
                room.empty_since = None
            elif room.empty_since is None:
                room.empty_since = now
            elif now - room.empty_since >= LINGER_SECONDS:
                self._close(room)

    def _close(self, room: HubRoom) -> None:
        del self._rooms[room.name]
        self._layer.unsubscribe(room)

    # Batches and notices --------------------------------------------------------------------------------

    def _receive_own(self, news: News) -> None:
        """Deliver what this process has published to its own sockets first, then send it to the channel
        layer.
        """
        self._receive(news)
        self._layer.send(news)

    def _receive(self, news: News) -> None:
        if isinstance(news, Notice):
            self._receive_notice(news)
            return
        room = self._rooms.get(news.room)
        if room is None:
            return
        try:
            if isinstance(news, Batch):
                self._receive_batch(room, news)
            elif room.is_ready:
                self._receive_access(room, news)
        except Exception as error:
            # The next poll finds that the room is behind, and reads the log.
            warn_throttled("receive", "A change of room %r could not be handled: %r", room.name, error)

    def _receive_notice(self, notice: Notice) -> None:
        handle = _handlers.get(notice.topic)
        if handle is None:
            return  # a topic of a newer version of this package
        try:
            handle(self, notice.room, notice.data)
        except Exception as error:
            warn_throttled("notice", "A notice with topic %r could not be handled: %r", notice.topic, error)

    def sockets_in(self, name: str) -> list[Socket]:
        """Return this process's sockets that are subscribed to a room."""
        room = self._rooms.get(name)
        return [] if room is None else [subscription.socket for subscription in room.subscriptions.values()]

    def sockets_of(self, key: str) -> list[Socket]:
        """Return this process's sockets that are authenticated with *key*."""
        return [socket for socket in self.sockets if socket.key == key]

    def _receive_access(self, room: HubRoom, news: Access) -> None:
        if news.version <= room.access_version:
            return
        # The keys concerned by the skipped versions are unknown.
        known = news.key if news.version == room.access_version + 1 else ""
        room.access_version = news.version
        for subscription in list(room.subscriptions.values()):
            if not known or subscription.socket.key == known:
                self._start(self._check_access(room, subscription.socket))

    def recheck(self, socket: Socket) -> None:
        """Check again whether a socket may stay in its rooms."""
        for subscription in socket.subscriptions.values():
            self._start(self._check_access(subscription.room, socket))

    async def _check_access(self, room: HubRoom, socket: Socket) -> None:
        if not await socket.check_access(room.name):
            # The check failed. The next poll finds a different version and repeats it.
            room.access_version = -1

    def _receive_batch(self, room: HubRoom, batch: Batch) -> None:
        room.wanted = max(room.wanted, batch.head)
        if not room.is_ready:
            pass  # it is being read
        elif batch.epoch != room.epoch and room.cursor:
            self._gaps.fill(room)
        elif batch.head <= room.cursor:
            pass
        elif batch.prev <= room.cursor and batch.events:
            room.set_epoch(batch.epoch)
            self._send(room, batch)
        else:
            self._gaps.fill(room)

    def _send(self, room: HubRoom, batch: Batch) -> None:
        if batch.prev < room.cursor:
            new = [event for event in batch.events if event[0] > room.cursor]
            batch = Batch(batch.room, batch.epoch, room.cursor, batch.head, new)
        prev, encoded = room.cursor, room.add(batch)
        for subscription in room.subscriptions.values():
            socket = subscription.socket
            if subscription.cursor == prev and socket.is_ready and not subscription.is_reading:
                subscription.cursor = batch.head
                try:
                    for frame in encoded.frames(socket.is_tutorial):
                        socket.write(frame)
                except Exception as error:
                    self._close_failed(socket, error)
            else:
                self._advance(subscription)

    def _advance(self, subscription: Subscription) -> None:
        """Send a socket the events after its cursor, for as long as its client reads."""
        room, socket = subscription.room, subscription.socket
        while (
            subscription.cursor < room.cursor
            and socket.is_ready
            and not subscription.is_reading
            and not room.needs_restart
        ):
            encoded = room.after(subscription.cursor, FRAME_BYTES)
            if encoded is None:
                subscription.is_reading = True
                self._start(self._gaps.catch_up(subscription))
                return
            subscription.cursor = encoded.batch.head
            try:
                for frame in encoded.frames(socket.is_tutorial):
                    socket.write(frame)
            except Exception as error:
                self._close_failed(socket, error)

    def _close_failed(self, socket: Socket, error: Exception) -> None:
        """Close a socket that failed, which does not affect the others of its rooms."""
        warn_throttled("write", "An event could not be sent to a socket, which is closed: %r", error)
        socket.close(CLOSE_TRY_AGAIN, retry_after=1.0)

    # Timers ---------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        """Poll, ping and close what is unused, for as long as sockets are open or a watcher is busy."""
        try:
            while self._is_needed:
                await self._run_timers()
                await self.leave_groups()
        finally:
            self._stop()

    @property
    def _is_needed(self) -> bool:
        return bool(self.sockets or self._rooms) or any(watcher.is_busy for watcher in self.watchers)

    async def _run_timers(self) -> None:
        polled = time.monotonic()
        next_ping = polled + config().PING_SECONDS
        while self._is_needed:
            # Only elapsed time is handled here. Batches and frames are handled where they arrive.
            await asyncio.sleep(CHECK_SECONDS)
            now = time.monotonic()
            try:
                self._close_slow(now)
                self._close_empty(now)
                if now >= next_ping:
                    next_ping = now + config().PING_SECONDS
                    self._ping()
                # Computed each time: the interval becomes shorter when a layer fails.
                if now - polled >= self._poll_seconds():
                    await self._poll()
                    polled = time.monotonic()
            except Exception as error:
                warn_throttled("timers", "A timer of the hub failed: %r", error)

    async def leave_groups(self) -> None:
        """Leave all groups, so that the channel layer keeps no messages for this process."""
        await self._layer.close()

    def _stop(self) -> None:
        self._is_running = False
        pubsub.unsubscribe()
        self._layer.stop()
        threads.close()

    def _poll_seconds(self) -> float:
        seconds = config().POLL_SECONDS_LAYER_DOWN if self._layer.is_down else config().POLL_SECONDS
        return seconds * random.uniform(0.9, 1.0)  # noqa: S311  (so that processes do not poll together)

    async def _poll(self) -> None:
        await self._log_poll.compare(self._rooms.values())

    def _ping(self) -> None:
        for socket in self.sockets:
            if not socket.is_tutorial and socket.is_ready:
                socket.reply(self.heads_of(socket))

    def _close_slow(self, now: float) -> None:
        for socket in list(self.sockets):
            if socket.blocked_since is not None and now - socket.blocked_since >= config().SLOW_SECONDS:
                socket.close(CLOSE_TOO_SLOW, retry_after=1.0)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine of another module as a task of the hub. The coroutine handles its own errors."""
        self._start(work)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return task


Handler = Callable[[Hub, str, dict[str, Any]], None]
"""Called with the hub of the process, the room's name (empty if the notice concerns no room) and the data of
the notice."""

_handlers: dict[str, Handler] = {}


def handles(topic: str) -> Callable[[Handler], Handler]:
    """Decorator: register a function as the handler of all notices with this topic. It runs on the event
    loop.
    """

    def register(handler: Handler) -> Handler:
        _handlers[topic] = handler
        return handler

    return register


current = per_loop(Hub)
"""Return the hub of the running event loop."""


async def _read(name: str, epoch: str, since: int | None) -> log.Slice:
    settings = config()
    return await threads.in_thread(
        log.read, name, epoch, since, limit=settings.RESUME_MAX_EVENTS, page=settings.PAGE_MESSAGES
    )


async def _tail(name: str, changes: int) -> log.Slice:
    return await threads.in_thread(log.tail, name, changes=changes)


async def _states(names: list[str]) -> dict[str, log.State]:
    return await threads.in_thread(log.states, names)
