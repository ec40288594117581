"""A room over HTTP, for those whose network lets no socket through: the same frames, from the same hub, by the same rules.

Two ways. Server-sent events are one response that goes on; it ends now and then, and whoever comes back says where they stand.
Long polling asks again and again; it passes everywhere, and under WSGI too, where nothing but the log is asked.
What people say goes through ``POST <room>/frames/`` meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from django.db import Error as DatabaseError
from django.utils import translation
from django.utils.translation import gettext_noop as _

from django_roomchat import drain, frames, hub, log, policy, presence, protocol, reports, sessions, verbs
from django_roomchat.conf import config
from django_roomchat.errors import ChatError, TryAgain
from django_roomchat.fastlane import TextFrame
from django_roomchat.identity import Identity
from django_roomchat.models import Room
from django_roomchat.threads import in_thread

RETRY_MS = 1000
"""After which a browser comes back by itself when the response has ended."""
WAIT_MAX_SECONDS = 25.0
"""The longest that a poll is kept. Below the 30 s after which some proxies give up."""
LOOK_SECONDS = 1.0
"""How often the log is looked at where there is no hub (WSGI)."""


class Stream:
    """A response that goes on, as the hub knows it: a socket that cannot hear.

    Make it on the event loop, and iterate over it once: it is in the room for as long as that takes.

    Args:
        who: listens.
        bond: what lets them in.
        room, rights: what :func:`django_roomchat.verbs.enter` gave.
        epoch, since: where the client stands; ``None`` if nowhere.
    """

    is_tutorial = False

    def __init__(
        self,
        who: Identity,
        bond: sessions.Bond,
        room: Room,
        rights: protocol.Rights,
        epoch: str,
        since: int | None,
    ) -> None:
        self.seats: dict[str, hub.Seat] = {}
        self._who = who
        self._bond = bond
        self._room = room
        self._rights = rights
        self._position = epoch, since
        self._language = translation.get_language()
        self._hub = hub.current()
        self._waiting: list[tuple[str, str]] = []
        self._size = 0
        self._replies = 0
        self._taken = 0
        self._news = asyncio.Event()
        self._wake = asyncio.Event()
        self._is_closing = False
        self._task: asyncio.Task[Any] | None = None
        self.blocked_since: float | None = None

    @property
    def who(self) -> Identity:
        return self._who

    @property
    def key(self) -> str:
        return self._who.key

    @property
    def is_ready(self) -> bool:
        return self._size < hub.FRAME_BYTES and not self._is_closing

    # In and out of the room -------------------------------------------------------------------------------------------

    async def _enter(self) -> None:
        self._task = asyncio.current_task()
        self._hub.add(self)
        sessions.current().add(self, self._bond)
        presence.attend(self._hub)
        drain.watch()
        self._say(verbs.welcome(self._who))
        self._say(self._rights)
        version = 0 if self._room.pk is None else self._room.log.access_version
        try:
            await self._hub.enter(
                self, self._room.name, *self._position, title=self._room.title, access_version=version
            )
        except DatabaseError as error:
            reports.warn("database", "The database fails the streams: %r", error)
            self.close(protocol.CLOSE_TRY_AGAIN, retry_after=1.0)

    def _leave(self) -> None:
        self._hub.remove(self)
        sessions.current().remove(self)

    async def check_access(self, name: str) -> bool:
        policy.policy().forget(self._who)
        try:
            _room, rights = await in_thread(verbs.enter, self._who, name, self._language)
            self._say(rights)
        except TryAgain:
            return False
        except ChatError as error:
            if name in self.seats:
                self._hub.leave(self, name)
                with translation.override(self._language):
                    detail = error.detail
                self._say(protocol.Error(error.code, detail, "join", None, name, error.retry_after))
                self.close(protocol.CLOSE_FORBIDDEN)
        return True

    # What the hub writes ----------------------------------------------------------------------------------------------

    def write(self, frame: TextFrame) -> None:
        # The seat stands already where this frame leads.
        seat = self.seats[self._room.name]
        self._put(frame["text"], f"{seat.room.epoch}:{seat.cursor}")
        if _tells(frame["text"]):
            self._news.set()

    def reply(self, frame: TextFrame) -> None:
        self._put(frame["text"], "")

    def call(self, name: str) -> None:
        """Speak under another name from now on."""
        self._who = replace(self._who, name=name, chose_name=True)
        self._hub.rename(self)
        self._say(protocol.Named(name))

    def close(self, code: int, retry_after: float | None = None) -> None:
        if self._is_closing:
            return
        is_stuck = self.blocked_since is not None
        self._is_closing = True
        self._keep(protocol.encode(protocol.Bye(code, protocol.CLOSE_CODES[code], retry_after)), "")
        self._news.set()
        if is_stuck and code == protocol.CLOSE_TOO_SLOW and self._task is not None:
            # It does not take what was written before, so nothing but an end from outside reaches it.
            self._task.cancel()

    def _say(self, frame: Any) -> None:
        self._put(protocol.encode(frame), "")

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
            self.blocked_since = time.monotonic()
        self._waiting.append((text, position))
        self._size += len(text)
        self._wake.set()

    def _take(self) -> list[tuple[str, str]]:
        taken, self._waiting = self._waiting, []
        self._taken += self._size
        self._size = self._replies = 0
        self.blocked_since = None
        self._wake.clear()
        return taken

    # What the client gets ---------------------------------------------------------------------------------------------

    async def events(self) -> AsyncIterator[bytes]:
        """The frames as server-sent events, each that moves the position with the position as its id."""
        yield f"retry: {RETRY_MS}\n\n".encode()
        try:
            await self._enter()
            # Some servers (daphne) take everything for a client that reads nothing. So it ends now and then: who comes
            # back has read it.
            while self._is_closing or self._taken <= config().UNSEEN_MAX_BYTES:
                await self._wake.wait()
                yield b"".join(map(_event, self._take()))
                if self._is_closing and not self._waiting:
                    return
                self._hub.resume(self)
        finally:
            self._leave()

    async def poll(self, seconds: float) -> list[str]:
        """What there is to hear, as soon as there is something, or after *seconds*."""
        try:
            await self._enter()
            try:
                async with asyncio.timeout(seconds):
                    await self._news.wait()
            except TimeoutError:
                pass
            return [text for text, _position in self._take()]
        finally:
            self._leave()


def _tells(text: str) -> bool:
    """Whether a frame brings anything: a client that comes back gets a ``joined`` in any case. In a text the quotes would have backslashes."""
    return '"events":[]' not in text or '"reset":' in text


def _event(frame: tuple[str, str]) -> bytes:
    text, position = frame
    return f"id: {position}\ndata: {text}\n\n".encode() if position else f"data: {text}\n\n".encode()


async def open_stream(who: Identity, bond: sessions.Bond, name: str, epoch: str, since: int | None) -> Stream:
    """A stream of a room, for somebody who may enter it.

    Raises:
        ChatError: they may not, or the process ends.
    """
    if hub.current().is_draining:
        raise TryAgain(_("The server restarts; say it again to the next one."))
    room, rights = await in_thread(verbs.enter, who, name, translation.get_language())
    return Stream(who, bond, room, rights, epoch, since)


async def look(who: Identity, name: str, epoch: str, since: int | None, seconds: float) -> list[str]:
    """The same as :meth:`Stream.poll` where there is no hub: the log is looked at until it has something.

    Raises:
        ChatError: they may not enter, or not any more.
    """
    ends = time.monotonic() + seconds
    while True:
        told = await in_thread(_look, who, name, epoch, since, translation.get_language())
        if _tells(told[-1]) or time.monotonic() >= ends:
            return told
        await asyncio.sleep(min(LOOK_SECONDS, max(0.0, ends - time.monotonic())))


def _look(who: Identity, name: str, epoch: str, since: int | None, language: str | None) -> list[str]:
    room, rights = verbs.enter(who, name, language)
    settings = config()
    part = log.read(room.name, epoch, since, limit=settings.RESUME_MAX_EVENTS, page=settings.PAGE_MESSAGES)
    joined: str = frames.joined_frame(part, room.title)["text"]
    return [protocol.encode(verbs.welcome(who)), protocol.encode(rights), joined]
