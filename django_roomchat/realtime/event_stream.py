"""A room over HTTP, for networks that block WebSocket: the same frames, from the same hub, under the same
rules.

There are two transports. Server-sent events use one long response. It ends now and then, and the client
reconnects with its cursor. Long polling repeats requests. It works in every network, and also under WSGI,
where it reads only the log. With both transports, clients send frames with ``POST <room>/frames/``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from django.db import Error as DatabaseError
from django.utils import translation
from django.utils.translation import gettext_noop as _

from django_roomchat import log, protocol
from django_roomchat.conf import config
from django_roomchat.errors import ChatError, RateLimited, TryAgain
from django_roomchat.identity import Identity, sessions
from django_roomchat.models import Room
from django_roomchat.realtime import encoded_frames, handlers, hub, open_sockets
from django_roomchat.realtime.hub_socket import HubSocket
from django_roomchat.realtime.threads import in_thread
from django_roomchat.realtime.uvicorn_fast_path import TextFrame
from django_roomchat.throttled_logging import warn_throttled

RETRY_MS = 1000
"""Time after which a browser reconnects when the response has ended, in milliseconds."""
WAIT_MAX_SECONDS = 25.0
"""Maximum duration of a poll, in seconds. Some proxies time out after 30 s."""
READ_SECONDS = 1.0
"""Interval, in seconds, at which the log is read where there is no hub (WSGI)."""


class Stream(HubSocket):
    """A streaming response in the role of a socket of the hub. It can only receive.

    Create it on the event loop and iterate over it once; it is subscribed to the room for the duration of the
    iteration.

    Args:
        who: the identity that listens.
        binding: the session that the identity depends on.
        room, rights: the result of :func:`django_roomchat.realtime.handlers.enter_room`.
        epoch, since: the client's cursor; *since* is ``None`` if it has none.
        address: IP address of the client; empty if unknown.
    """

    is_tutorial = False

    def __init__(
        self,
        who: Identity,
        binding: sessions.SessionBinding,
        room: Room,
        rights: protocol.Rights,
        epoch: str,
        since: int | None,
        address: str,
    ) -> None:
        super().__init__(who, binding, translation.get_language(), address)
        self._room = room
        self._rights = rights
        self._position = epoch, since
        self._waiting: list[tuple[str, str]] = []
        self._size = 0
        self._replies = 0
        self._taken = 0
        self._news = asyncio.Event()
        self._wake = asyncio.Event()
        self._is_closing = False
        self._is_counted = False
        self._task: asyncio.Task[Any] | None = None
        self._blocked_since: float | None = None

    @property
    def is_ready(self) -> bool:
        return self._size < hub.FRAME_BYTES and not self._is_closing

    @property
    def blocked_since(self) -> float | None:
        return self._blocked_since

    # Subscription ---------------------------------------------------------------------------------------

    async def _enter(self) -> None:
        self._task = asyncio.current_task()
        try:
            # Again: other streams may have been opened since open_stream().
            open_sockets.take(self._who, self._address)
        except RateLimited as error:
            self._send_error(error)
            self.close(protocol.CLOSE_TOO_MANY, error.retry_after)
            return
        self._is_counted = True
        self._register()
        self._write(handlers.welcome(self._who))
        self._send_rights(self._rights)
        version = 0 if self._room.pk is None else self._room.log.access_version
        try:
            await self._hub.enter(
                self, self._room.name, *self._position, title=self._room.title, access_version=version
            )
        except DatabaseError as error:
            warn_throttled("database", "A stream could not be opened because of the database: %r", error)
            self.close(protocol.CLOSE_TRY_AGAIN, retry_after=1.0)

    def _end(self) -> None:
        self._unregister()
        if self._is_counted:
            open_sockets.release(self._who, self._address)

    # Frames from the hub --------------------------------------------------------------------------------

    def write(self, frame: TextFrame) -> None:
        # The subscription's cursor is already at the end of this frame.
        subscription = self.subscriptions[self._room.name]
        self._put(frame["text"], f"{subscription.room.epoch}:{subscription.cursor}")
        if _has_news(frame["text"]):
            self._news.set()

    def reply(self, frame: TextFrame) -> None:
        self._put(frame["text"], "")

    def close(self, code: int, retry_after: float | None = None) -> None:
        if self._is_closing:
            return
        is_stuck = self._blocked_since is not None
        self._is_closing = True
        self._keep(protocol.encode(self._bye(code, retry_after)), "")
        self._news.set()
        if is_stuck and code == protocol.CLOSE_TOO_SLOW and self._task is not None:
            # The client does not read what was written before, so only cancelling the task ends the response.
            self._task.cancel()

    def _send_error(
        self, error: ChatError, frame: str | None = None, id: str | None = None, room: str | None = None
    ) -> None:
        self._write(handlers.error_frame(error, self._language, frame=frame, id=id, room=room))

    def _put(self, text: str, position: str) -> None:
        if self._is_closing:
            return
        self._keep(text, position)
        if not position:
            self._replies += len(text)
            if self._replies > config().REPLIES_MAX_BYTES:
                self.close(protocol.CLOSE_TOO_SLOW)

    def _keep(self, text: str, position: str) -> None:
        if not self._waiting:
            self._blocked_since = time.monotonic()
        self._waiting.append((text, position))
        self._size += len(text)
        self._wake.set()

    def _take(self) -> list[tuple[str, str]]:
        taken, self._waiting = self._waiting, []
        self._taken += self._size
        self._size = self._replies = 0
        self._blocked_since = None
        self._wake.clear()
        return taken

    # Frames to the client -------------------------------------------------------------------------------

    async def events(self) -> AsyncIterator[bytes]:
        """Yield the frames as server-sent events. An event that moves the client's cursor has the cursor as
        its id.
        """
        yield f"retry: {RETRY_MS}\n\n".encode()
        try:
            await self._enter()
            # Some servers (daphne) accept all data even if the client reads nothing. The response therefore
            # ends now and then: a client that reconnects has read it.
            while self._is_closing or self._taken <= config().UNSEEN_MAX_BYTES:
                await self._wake.wait()
                yield b"".join(map(_event, self._take()))
                if self._is_closing and not self._waiting:
                    return
                self._hub.resume(self)
        finally:
            self._end()

    async def poll(self, seconds: float) -> list[str]:
        """Return the frames for a poll, as soon as there are any, or after *seconds*."""
        try:
            await self._enter()
            try:
                async with asyncio.timeout(seconds):
                    await self._news.wait()
            except TimeoutError:
                pass
            return [text for text, _position in self._take()]
        finally:
            self._end()


def _has_news(text: str) -> bool:
    """Return whether a frame contains news; a client that reconnects always gets a ``joined`` frame.

    JSON would escape the quotes inside a text.
    """
    return '"events":[]' not in text or '"reset":' in text


def _event(frame: tuple[str, str]) -> bytes:
    text, position = frame
    return f"id: {position}\ndata: {text}\n\n".encode() if position else f"data: {text}\n\n".encode()


async def open_stream(
    who: Identity, binding: sessions.SessionBinding, name: str, epoch: str, since: int | None, address: str
) -> Stream:
    """Open a stream of a room.

    Raises:
        ChatError: the identity may not enter the room or has too many sockets and streams open, or the process is shutting
            down.
    """
    if hub.current().is_draining:
        raise TryAgain(_("The server is restarting; try again."))
    open_sockets.require_free(who, address)
    room, rights = await in_thread(handlers.enter_room, who, name, translation.get_language())
    return Stream(who, binding, room, rights, epoch, since, address)


async def poll_log(
    who: Identity, name: str, epoch: str, since: int | None, seconds: float, address: str
) -> list[str]:
    """Long polling without a hub: like :meth:`Stream.poll`, but read the log repeatedly until it has news.

    Raises:
        ChatError: the identity may not enter the room, may no longer stay in it, or has too many sockets and streams open.
    """
    open_sockets.take(who, address)
    try:
        ends = time.monotonic() + seconds
        while True:
            frames = await in_thread(_read_log, who, name, epoch, since, translation.get_language())
            if _has_news(frames[-1]) or time.monotonic() >= ends:
                return frames
            await asyncio.sleep(min(READ_SECONDS, max(0.0, ends - time.monotonic())))
    finally:
        open_sockets.release(who, address)


def _read_log(who: Identity, name: str, epoch: str, since: int | None, language: str | None) -> list[str]:
    room, rights = handlers.enter_room(who, name, language)
    settings = config()
    part = log.read(room.name, epoch, since, limit=settings.RESUME_MAX_EVENTS, page=settings.PAGE_MESSAGES)
    joined: str = encoded_frames.joined_frame(part, room.title)["text"]
    return [protocol.encode(handlers.welcome(who)), protocol.encode(rights), joined]
