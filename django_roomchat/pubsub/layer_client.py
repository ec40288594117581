"""Channel layer client: one channel per process and layer, for any number of sockets.

Failed group joins and receives are retried, failed sends are dropped; no exception is raised.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any

from channels.layers import InMemoryChannelLayer, channel_layers, get_channel_layer

from django_roomchat.pubsub.messages import (
    EVENTS_MAX_BYTES,
    Batch,
    News,
    from_message,
    is_foreign,
    to_message,
)
from django_roomchat.throttled_logging import warn_throttled

QUEUE_MAX = 10_000
"""Maximum number of commands that wait for the layer. While the layer is down they are dropped, as the log has
all changes.
"""
COMMAND_SECONDS = 1.0
"""Timeout of a command, in seconds. A layer that does not respond in this time counts as down."""
PAUSE_SECONDS = 0.5
PAUSE_MAX_SECONDS = 5.0
GROUP_EXPIRY_SECONDS = 86_400.0
"""Group expiry of channels-redis, in seconds: a group removes a member a day after it was added."""
IDENTIFY_SECONDS = 60.0
"""Time after which a message of another database makes this process look its own identifier up again, in seconds."""
RECEIVE_TIMEOUT_SECONDS = 4.0
"""Time after which a receive that raises ``TimeoutError`` counts as idle and not as failed, in seconds.

redis-py 8 ends a receive on an idle connection after 5 s (https://github.com/django/channels_redis/issues/422).
"""


class PendingBatch:
    """Pending batch: a queued publication to which later changes of the same room are added until it is sent."""

    __slots__ = ("news", "size")

    def __init__(self, news: News) -> None:
        self.news = news
        self.size = _size_of(news)

    def add(self, news: News) -> bool:
        """Append a batch that directly follows this one.

        Returns:
            Whether it was appended: it must be contiguous, and both together must not exceed
            :data:`~django_roomchat.pubsub.EVENTS_MAX_BYTES`.
        """
        mine = self.news
        if not isinstance(mine, Batch) or not isinstance(news, Batch):
            return False
        if mine.epoch != news.epoch or mine.head != news.prev or not (mine.events and news.events):
            return False
        if self.size + _size_of(news) > EVENTS_MAX_BYTES:
            return False
        self.size += _size_of(news)
        self.news = Batch(mine.room, mine.epoch, mine.prev, news.head, [*mine.events, *news.events])
        return True


def _size_of(news: News) -> int:
    return sum(len(event) for _, event in news.events) if isinstance(news, Batch) else 0


class LayerClient:
    """Joins groups, sends, receives and renews memberships on a channel layer.

    Args:
        alias: alias of the layer in ``CHANNEL_LAYERS``.
        deliver: called with everything that is received.
        joined: called with the alias and the group name after this process was added to a group.
        identify: returns the identifiers of this process's database; called with whether they are looked up again.
    """

    def __init__(
        self,
        alias: str,
        deliver: Callable[[News], None],
        joined: Callable[[str, str], None],
        identify: Callable[[bool], Awaitable[tuple[str, ...]]],
    ) -> None:
        self.alias = alias
        self._identify = identify
        self._databases: tuple[str, ...] = ()
        self._identified = -math.inf
        self._deliver = deliver
        self._joined = joined
        self._layer = _layer_of_our_own(alias)
        self._channel: str | None = None
        self._groups: set[str] = set()
        self._joined_groups: set[str] = set()
        """Groups of which this process may be a member on the layer."""
        self._commands: asyncio.Queue[tuple[str, str, PendingBatch | None]] = asyncio.Queue(QUEUE_MAX)
        self._queued: set[tuple[str, str]] = set()
        self._pending: dict[str, PendingBatch] = {}
        """Pending batches by room. They can be extended until they are sent."""
        self._stale: set[str] = set()
        """Groups whose membership may have been lost while the layer was down."""
        self._sending_down = self._receiving_down = False
        self._asked = 0.0
        """Time of the current or next receive."""
        self._tasks = [asyncio.create_task(self._run_commands()), asyncio.create_task(self._renew())]

    @property
    def is_down(self) -> bool:
        """Whether the layer is known to be failing."""
        # A recovered layer without traffic delivers no message. A failing one raises sooner than this timeout.
        waits = time.monotonic() - self._asked >= RECEIVE_TIMEOUT_SECONDS
        return self._sending_down or (self._receiving_down and not waits)

    def join(self, group: str) -> None:
        """Queue adding this process to a group."""
        self._groups.add(group)
        self._put("join", group)

    def leave(self, group: str) -> None:
        """Queue removing this process from a group."""
        self._groups.discard(group)
        self._put("leave", group)

    def send(self, group: str, news: News) -> None:
        """Queue a publication to a group. It is merged into a pending batch of the same room if it directly follows it.

        Nothing is sent if no other process is in the group.
        """
        if self._is_alone_in(group):
            return
        waiting = self._pending.get(news.room)
        if waiting is not None and waiting.add(news):
            return
        pending = PendingBatch(news)
        if self._put("send", group, pending):
            self._pending[news.room] = pending

    def _is_alone_in(self, group: str) -> bool:
        """Return whether no other process is in the group. Only an in-memory layer can be asked, and it iterates
        over all its channels for each message.
        """
        if not isinstance(self._layer, InMemoryChannelLayer):
            return False
        return self._layer.groups.get(group, {}).keys() <= {self._channel}

    def stop(self) -> None:
        """Cancel all tasks."""
        for task in self._tasks:
            task.cancel()

    async def close(self) -> None:
        """Leave all groups if the layer responds, and cancel all tasks."""
        self.stop()
        with contextlib.suppress(Exception):
            async with asyncio.timeout(COMMAND_SECONDS):
                for group in self._joined_groups:
                    await self._layer.group_discard(group, self._channel)

    def _put(self, kind: str, group: str, pending: PendingBatch | None = None) -> bool:
        if pending is None and (kind, group) in self._queued:
            return True
        try:
            self._commands.put_nowait((kind, group, pending))
        except asyncio.QueueFull:
            if kind == "join":
                self._stale.add(group)
            warn_throttled(
                "full",
                "The channel layer %r does not keep up; other processes read the database.",
                self.alias,
            )
            return False
        self._queued.add((kind, group))
        return True

    # Commands run in order, one at a time, and once. Only group joins are repeated after a failure.

    async def _run_commands(self) -> None:
        while True:
            kind, group, pending = await self._commands.get()
            self._queued.discard((kind, group))
            if pending is not None and self._pending.get(pending.news.room) is pending:
                del self._pending[pending.news.room]
            if pending is not None and self._sending_down and not self._commands.empty():
                # While the layer is down one command is enough to probe it. Other processes poll the database.
                continue
            try:
                # Not wait_for(): before Python 3.12 it can swallow a cancellation, and this task would never end.
                async with asyncio.timeout(COMMAND_SECONDS):
                    await self._run(kind, group, pending)
            except Exception as error:
                self._failed("sending", error)
            else:
                self._worked("sending")

    async def _run(self, kind: str, group: str, pending: PendingBatch | None) -> None:
        if self._channel is None:
            self._databases = await self._identify(False)
            self._channel = await self._layer.new_channel("roomchat")
            self._tasks.append(asyncio.create_task(self._receive(self._channel)))
        if pending is not None:
            await self._layer.group_send(group, to_message(pending.news, self._databases[0]))
        elif kind == "join" and group in self._groups:
            self._joined_groups.add(group)
            await self._layer.group_add(group, self._channel)
            self._stale.discard(group)
            self._joined(self.alias, group)
        elif kind == "leave" and group not in self._groups:
            self._joined_groups.discard(group)
            await self._layer.group_discard(group, self._channel)

    async def _renew(self) -> None:
        """Rejoin all groups before their memberships expire, and soon after a failure."""
        every = (
            min(float(getattr(self._layer, "group_expiry", GROUP_EXPIRY_SECONDS)), GROUP_EXPIRY_SECONDS) / 4
        )
        renewed = time.monotonic()
        while True:
            # Check the state once a second: there is no event to wait for while a layer is down.
            await asyncio.sleep(1.0)
            if time.monotonic() - renewed >= every:
                renewed = time.monotonic()
                self._stale |= self._groups
            # One join is enough to probe a layer that is down.
            for group in list(self._stale & self._groups)[: 1 if self._sending_down else None]:
                self._put("join", group)

    async def _receive(self, channel: str) -> None:
        pause = PAUSE_SECONDS
        while True:
            self._asked = time.monotonic()
            try:
                message = await self._layer.receive(channel)
            except Exception as error:
                waited = time.monotonic() - self._asked
                if type(error).__name__ == "TimeoutError" and waited >= RECEIVE_TIMEOUT_SECONDS:
                    self._worked("receiving")
                    continue
                self._failed("receiving", error)
                # Wait for the layer to recover. Polling serves all sockets meanwhile.
                self._asked = time.monotonic() + pause
                await asyncio.sleep(pause)
                pause = min(2 * pause, PAUSE_MAX_SECONDS)
                continue
            pause = PAUSE_SECONDS
            self._worked("receiving")
            try:
                if is_foreign(message, self._databases) and await self._is_still_foreign(message):
                    continue
                news = from_message(message)
                if news is not None:
                    self._deliver(news)
            except Exception as error:
                warn_throttled("deliver", "A message of the channel layer could not be handled: %r", error)

    async def _is_still_foreign(self, message: Any) -> bool:
        """Return whether a message is about another database. It may be that this one was restored or flushed, so it is
        asked again, but not for every message.
        """
        if time.monotonic() - self._identified >= IDENTIFY_SECONDS:
            self._identified = time.monotonic()
            self._databases = await self._identify(True)
        if not is_foreign(message, self._databases):
            return False
        warn_throttled(
            f"foreign {self.alias}",
            "Another site sends to the channel layer %r; its messages are ignored. Give each site a prefix of its own "
            "in CHANNEL_LAYERS.",
            self.alias,
        )
        return True

    def _failed(self, what: str, error: Exception) -> None:
        self._stale |= self._groups
        self._set(what, True)
        warn_throttled(
            f"layer {self.alias} {what}",
            "The channel layer %r failed while %s; this process reads the database instead: %r",
            self.alias,
            what,
            error,
        )

    def _worked(self, what: str) -> None:
        self._set(what, False)

    def _set(self, what: str, down: bool) -> None:
        if what == "sending":
            self._sending_down = down
        else:
            self._receiving_down = down


def _layer_of_our_own(alias: str) -> Any:
    """Return the layer object for this event loop.

    channels-redis gets an object of its own, as it does not allow receiving on two loops and all users of one
    object share its capacity. An in-memory layer must be the shared object.
    """
    shared = get_channel_layer(alias)
    is_redis = type(shared).__module__.startswith("channels_redis.")
    return channel_layers.make_backend(alias) if is_redis else shared
