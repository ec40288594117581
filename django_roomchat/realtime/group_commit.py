"""Group commit: posts that arrive during a commit are committed together. Without a commit in progress, a
post is committed at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from django.db import InterfaceError, OperationalError
from django.utils.translation import gettext_noop as _

from django_roomchat.conf import config
from django_roomchat.errors import Busy, ChatError, TryAgain
from django_roomchat.messages.post import post_messages
from django_roomchat.messages.types import NewPost, Posted
from django_roomchat.realtime.per_loop import per_loop
from django_roomchat.realtime.threads import in_thread
from django_roomchat.throttled_logging import warn_throttled

TRIES = 3
"""Attempts for a transaction that the database aborted (deadlock, lost connection, busy). Posts carry ids, so
a repetition is harmless.
"""
RETRY_AFTER_SECONDS = 1.0

_LOGGER = logging.getLogger(__name__)

Answer = Callable[[Posted | ChatError], None]
Waiting = deque[tuple[NewPost, Answer]]


class GroupCommit:
    """The posts of one event loop that wait to be committed.

    A room locked by another transaction gets a separate queue until the lock is released, so that other rooms
    do not wait.
    """

    def __init__(self) -> None:
        self._waiting: Waiting = deque()
        self._queues: dict[str, Waiting] = {}
        self._count = 0
        self._committing = False
        self._tasks: set[asyncio.Task[None]] = set()
        # Separate queues wait for locks in threads. The other half of the thread pool stays free for the
        # remaining rooms.
        self._queue_threads = asyncio.Semaphore(max(1, config().DATABASE_THREADS // 2))

    def put(self, post: NewPost, answer: Answer) -> None:
        """Queue a post to be committed.

        Args:
            post: the post.
            answer: called once, on the event loop, when the post is stored or rejected. Posts to one room are
                answered in their
            order.

        Raises:
            Busy: too many posts are waiting.
        """
        if self._count >= config().INBOX_MAX_POSTS:
            raise Busy(
                _("Too many messages are waiting to be stored; try again."), retry_after=RETRY_AFTER_SECONDS
            )
        self._count += 1
        if (queue := self._queues.get(post.room)) is not None:
            queue.append((post, answer))
            return
        if config().FILTER is not None:
            # The site's content filter may be slow; a separate queue keeps it from delaying other rooms.
            self._open_queue(post.room, [(post, answer)])
            return
        self._waiting.append((post, answer))
        if not self._committing:
            self._committing = True
            self._start(self._commit_waiting())

    async def drain(self) -> None:
        """Wait until every queued post has been answered."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _commit_waiting(self) -> None:
        try:
            while self._waiting:
                batch = _take(self._waiting)
                results = await _store([post for post, _ in batch], wait_seconds=0)
                locked = self._answer(batch, results)
                for room in dict.fromkeys(post.room for post, _ in locked):
                    self._open_queue(room, locked)
        finally:
            self._committing = False

    def _answer(
        self, batch: Sequence[tuple[NewPost, Answer]], results: Sequence[Posted | ChatError | None]
    ) -> list[tuple[NewPost, Answer]]:
        """Answer the senders. Returns the posts whose room is locked."""
        locked = []
        for (post, answer), result in zip(batch, results, strict=True):
            if result is None:
                locked.append((post, answer))
            else:
                self._notify(answer, result)
        return locked

    def _notify(self, answer: Answer, result: Posted | ChatError) -> None:
        self._count -= 1
        try:
            answer(result)
        except Exception:
            # An exception of one callback must not keep the other senders from their answers.
            _LOGGER.exception("The sender of a post could not be answered")

    def _open_queue(self, room: str, locked: Sequence[tuple[NewPost, Answer]]) -> None:
        queue = self._queues.setdefault(room, deque())
        queue.extend(one for one in locked if one[0].room == room)
        queue.extend(one for one in self._waiting if one[0].room == room)
        self._waiting = deque(one for one in self._waiting if one[0].room != room)
        self._start(self._commit_queue(room, queue))

    async def _commit_queue(self, room: str, queue: Waiting) -> None:
        try:
            while queue:
                batch = _take(queue)
                async with self._queue_threads:
                    results = await _store(
                        [post for post, _ in batch], wait_seconds=config().LOCK_TIMEOUT_SECONDS
                    )
                # The lock is free, but the permissions in the room keep changing.
                for _, answer in self._answer(batch, results):
                    self._notify(answer, _try_again())
        finally:
            del self._queues[room]


def _take(waiting: Waiting) -> list[tuple[NewPost, Answer]]:
    return [waiting.popleft() for _ in range(min(len(waiting), config().BATCH_MAX_POSTS))]


async def _store(posts: Sequence[NewPost], *, wait_seconds: float) -> Sequence[Posted | ChatError | None]:
    """Commit the posts in one transaction. If one of them fails, commit them one by one, so that only this
    one fails.
    """
    for _attempt in range(TRIES):
        try:
            return await in_thread(post_messages, posts, wait_seconds=wait_seconds)
        except (OperationalError, InterfaceError) as error:
            trouble: Exception = error
            if wait_seconds:
                break
        except Exception:
            if len(posts) == 1:
                _LOGGER.exception("A post to room %r could not be stored", posts[0].room)
                return [TryAgain(_("The message could not be stored."), retry_after=RETRY_AFTER_SECONDS)]
            return [(await _store([post], wait_seconds=wait_seconds))[0] for post in posts]
    warn_throttled("store", "The database did not store %d posts: %r", len(posts), trouble)
    return [_try_again()] * len(posts)


def _try_again() -> TryAgain:
    return TryAgain(_("The message could not be stored; try again."), retry_after=RETRY_AFTER_SECONDS)


current = per_loop(GroupCommit)
"""Return the group commit of the running event loop."""
