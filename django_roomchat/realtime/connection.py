"""Connection: an accepted socket, whose frames are decoded, handled and answered."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

from django.db import Error as DatabaseError
from django.http import parse_cookie
from django.utils import translation
from django.utils.translation import gettext_noop as _

from django_roomchat import protocol
from django_roomchat.conf import config
from django_roomchat.errors import (
    BadFrame,
    BadValue,
    Busy,
    ChatError,
    Forbidden,
    NotFound,
    RateLimited,
    TryAgain,
)
from django_roomchat.identity import Identity, sessions
from django_roomchat.messages.types import NewPost, Posted
from django_roomchat.models import Room
from django_roomchat.policy import rate_limits
from django_roomchat.protocol import RoomName
from django_roomchat.realtime import (
    group_commit,
    handlers,
    hub,
    open_sockets,
    read_receipts,
    threads,
    typing_indicators,
    uvicorn_fast_path,
)
from django_roomchat.realtime.hub_socket import HubSocket, unavailable, went_wrong, with_database
from django_roomchat.realtime.send_queue import SendQueue
from django_roomchat.realtime.unseen_bytes import UnseenBytes
from django_roomchat.realtime.uvicorn_fast_path import TextFrame
from django_roomchat.rooms import lookup

_LOGGER = logging.getLogger(__name__)


_NOWHERE: frozenset[str] = frozenset()

ASGIMessage = dict[str, Any]

Scope = dict[str, Any]

Send = Callable[[ASGIMessage], Awaitable[None]]


def language_of(scope: Scope) -> str:
    """Return the language of the page that opens the socket, from its cookie or header, as Django's
    LocaleMiddleware does.
    """
    headers = dict(scope.get("headers", ()))
    cookies = scope.get("cookies") or parse_cookie(headers.get(b"cookie", b"").decode("latin-1"))
    accepted = headers.get(b"accept-language", b"").decode("latin-1")
    request: Any = SimpleNamespace(COOKIES=cookies, META={"HTTP_ACCEPT_LANGUAGE": accepted})
    return translation.get_language_from_request(request)


class Connection(HubSocket):
    """An accepted socket; implements the hub's :class:`~django_roomchat.realtime.hub_room.Socket`."""

    __slots__ = (
        "_frame_rate",
        "_frames_full_at",
        "_group_commit",
        "_send_queue",
        "_own_room",
        "_url_room",
        "_posts",
        "_query",
        "_refusals_full_at",
        "_read_only_in",
        "_task",
        "_unseen",
        "is_closing",
        "is_tutorial",
    )

    def __init__(self, scope: Scope, send: Send, who: Identity, binding: sessions.SessionBinding) -> None:
        super().__init__(who, binding, language_of(scope), rate_limits.address_of(scope))
        self.is_tutorial = not scope.get("subprotocols")
        self._url_room: str | None = scope.get("url_route", {}).get("kwargs", {}).get("room_name")
        self._own_room: RoomName | None = None
        self._query: bytes = scope.get("query_string", b"")
        self._group_commit = group_commit.current()
        self._posts = 0
        self._frame_rate = rate_limits.rate("FRAMES_PER_SOCKET")
        self._frames_full_at = self._refusals_full_at = 0.0
        self.is_closing = False
        self._task = asyncio.current_task()
        self._send_queue = SendQueue(
            uvicorn_fast_path.beneath_sessions(send), config().REPLIES_MAX_BYTES, self
        )
        self._unseen = UnseenBytes(self.subscriptions)
        self._read_only_in = _NOWHERE
        """Rooms in which the socket's identity may not post."""

    async def greet(self) -> None:
        """Accept the socket and subscribe it to its room."""
        self._register()
        if not self.is_tutorial:
            self._accept(protocol.SUBPROTOCOL)
            self._write(handlers.welcome(self._who))
        refusal: ChatError | None = None
        if self._url_room is not None:
            try:
                self._own_room = lookup.room_name(self._url_room)
                epoch, since = self._position()
                await self._enter(self._own_room, epoch, since)
            except ChatError as error:
                refusal = error
            except Exception:
                _LOGGER.exception("%r could not enter room %r", self.key, self._url_room)
                refusal = went_wrong()
        elif self.is_tutorial:
            # The dialect has no frame that names a room.
            refusal = NotFound("The route of this socket has no room_name.", code="no_such_room")
        if self.is_tutorial:
            # The tutorial's page gets no "joined" frame: once the socket is open, it receives every message.
            self._accept(None)
        if refusal is not None:
            self._send_error(refusal, frame="join", room=self._url_room)
            code = protocol.CLOSE_FORBIDDEN if isinstance(refusal, Forbidden) else protocol.CLOSE_NO_SUCH_ROOM
            self.close(protocol.CLOSE_TRY_AGAIN if isinstance(refusal, TryAgain) else code)

    def end(self) -> None:
        """Release a socket that was closed. The consumer has counted it in :mod:`~django_roomchat.realtime.open_sockets`."""
        open_sockets.release(self._who, self._address)
        self._unregister()
        self._send_queue.end()

    def _accept(self, subprotocol: str | None) -> None:
        self._send_queue.write({"type": "websocket.accept", "subprotocol": subprotocol})

    def _position(self) -> tuple[str, int | None]:
        """Return the cursor that the client gives in the query string of the socket's URL."""
        query = parse_qs(self._query.decode("latin-1"))
        return protocol.cursor_of(query.get("epoch", [""])[0], query.get("since", [""])[0])

    # Incoming frames ------------------------------------------------------------------------------------

    def admits_frame(self) -> bool:
        """Apply the frame rate limit to an incoming frame. Returns whether it is handled."""
        return not self.is_closing and self._is_within_rate()

    async def handle(self, text: str | None) -> None:
        """Handle an incoming frame that :meth:`admits_frame` has admitted."""
        frame: protocol.ClientFrame | None = None
        try:
            if self.is_tutorial:
                said = protocol.decode_tutorial(text, config().FRAME_MAX_BYTES)
                await self._dispatch(protocol.Post(id=said.id or uuid.uuid4().hex, body=said.message))
                return
            frame = protocol.decode(text, config().FRAME_MAX_BYTES)
            await self._dispatch(frame)
        except ChatError as error:
            self._send_error(error, *_about(frame))
            if isinstance(error, (BadFrame, BadValue, RateLimited)):
                self._count_refusal()
        except Exception:
            _LOGGER.exception("A frame of %r could not be handled", self._who.key)
            self._send_error(went_wrong(), *_about(frame))

    def _is_within_rate(self) -> bool:
        """Apply the frame rate limit. Returns whether the frame is handled."""
        rate = self._frame_rate
        if rate is None:
            return True
        now = time.monotonic()
        full_at = (self._frames_full_at if self._frames_full_at > now else now) + rate.gap
        if full_at - now <= rate.span:
            self._frames_full_at = full_at
            return True
        sentence = _("Too many frames; wait a moment and try again.")
        self._send_error(RateLimited(sentence, retry_after=round(full_at - now - rate.span + 0.05, 1)))
        self._count_refusal()
        return False

    def _count_refusal(self) -> None:
        """Close a socket that keeps sending frames that are rejected."""
        rate = rate_limits.rate("REFUSALS_PER_SOCKET")
        if rate is None:
            return
        now = time.monotonic()
        self._refusals_full_at = max(self._refusals_full_at, now) + rate.gap
        wait = self._refusals_full_at - now - rate.span
        if wait > 0:
            self.close(protocol.CLOSE_TOO_MANY, retry_after=round(wait + 0.05, 1))

    async def _dispatch(self, frame: protocol.ClientFrame) -> None:
        room = protocol.room_of(frame, self._own_room, config().ROOM_NAME_MAX_LENGTH)
        handle = _ON_THE_LOOP.get(type(frame))
        if handle is None:
            self._write(await with_database(handlers.perform, self._caller(), room, frame))
        elif (waiting := handle(self, room, frame)) is not None:
            await waiting

    def _caller(self) -> handlers.Caller:
        session_key, rooms = self._binding.session_key, list(self.subscriptions)
        return handlers.Caller(
            self._who,
            self._address,
            lambda: sessions.open_session(session_key) if session_key else None,
            lambda: [lookup.room_of(room) for room in rooms],
        )

    def _hello(self, room: None, frame: protocol.Hello) -> None:
        self._write(handlers.welcome(self._who))

    def _ping(self, room: None, frame: protocol.Ping) -> None:
        self.reply(self._hub.heads_of(self))

    def _read(self, room: RoomName, frame: protocol.Read) -> None:
        """Queue a read marker; the markers of all sockets are written together."""
        read_receipts.of(self._hub).put(
            self._who,
            room,
            frame.seq,
            lambda error: self._send_error(error, "read", room=frame.room or None),
        )

    def _post(self, room: RoomName, frame: protocol.Post) -> None:
        """Queue a post; the posts of all sockets are committed together."""
        if self._hub.is_draining:
            raise TryAgain(_("The server is restarting; try again."))
        if self._posts >= config().SOCKET_MAX_POSTS:
            most = config().SOCKET_MAX_POSTS
            raise Busy(
                _("A socket can have at most %(most)d unacknowledged posts; wait for their acks."), most=most
            )
        rate_limits.spend_local("POSTS", self._who, self._address, str(room))
        post = NewPost(
            self._who,
            room,
            frame.body,
            frame.id,
            frame.reply_to,
            address=self._address,
            files=frame.files,
        )
        self._group_commit.put(post, partial(self._answer, post, room))
        self._posts += 1

    async def _search(self, room: RoomName | None, frame: protocol.Search) -> None:
        """Search in turns, step by step. Between two steps the search rests as long as the last one took: on SQLite, Python
        compares the texts, which delays everything else in the process.
        """
        caller = self._caller()
        await with_database(handlers.spend_search, caller)
        steps = handlers.search_steps(caller, room, frame)
        async with threads.searches().turn():
            while True:
                began = time.monotonic()
                if (found := await with_database(next, steps)) is not None:
                    break
                await asyncio.sleep(time.monotonic() - began)
        self._write(handlers.found_frame(frame, found))

    def _type(self, room: RoomName, frame: protocol.Typing) -> None:
        name = str(room)
        self._require_subscription(name)
        if name in self._read_only_in:
            raise Forbidden(_("You cannot post in this room."))
        typing_indicators.of(self._hub).record(self._who, name, on=frame.on)

    def _require_subscription(self, name: str) -> None:
        if name not in self.subscriptions:
            raise NotFound("This socket is not in that room.")

    def _join(self, room: RoomName, frame: protocol.Join) -> Awaitable[None]:
        return self._enter(room, frame.epoch, frame.since)

    async def _enter(self, name: RoomName, epoch: str, since: int | None) -> None:
        room, rights = await with_database(_enter_room, self._who, self._address, name, self._language)
        if room.name not in self.subscriptions and len(self.subscriptions) >= config().SOCKET_MAX_ROOMS:
            most = config().SOCKET_MAX_ROOMS
            sentence = _("A socket can be in at most %(most)d rooms; leave one first.")
            raise Forbidden(sentence, most=most, code="too_many")
        version = 0 if room.pk is None else room.log.access_version
        self._send_rights(rights)
        try:
            await self._hub.enter(self, room.name, epoch, since, title=room.title, access_version=version)
        except DatabaseError as error:
            raise unavailable(error) from error

    def _leave(self, room: RoomName, frame: protocol.Leave) -> None:
        name = str(room)
        self._require_subscription(name)
        self._hub.leave(self, name)
        self._write(protocol.Left(name))

    def _send_rights(self, rights: protocol.Rights) -> None:
        if self.is_tutorial:
            return
        if ("post" not in rights.can) != (rights.room in self._read_only_in):
            self._read_only_in ^= {rights.room}
        self._write(rights)

    def _note_seen(self, room: None, frame: protocol.Seen) -> None:
        if self._unseen.confirm(frame.heads):
            self.on_ready()

    # Outgoing frames ------------------------------------------------------------------------------------

    @property
    def is_ready(self) -> bool:
        return self._unseen.blocked_since is None and self._send_queue.is_ready

    @property
    def blocked_since(self) -> float | None:
        return self._unseen.blocked_since or self._send_queue.blocked_since

    def write(self, frame: TextFrame) -> None:
        self._send_queue.write(frame)
        if not self.is_tutorial:
            self._unseen.add(frame.size)

    def reply(self, frame: TextFrame) -> None:
        self._send_queue.write(frame)

    def send_message(self, message: ASGIMessage) -> None:
        """Send a message of a subclass of the consumer."""
        self._send_queue.write(message)

    def report(self, error: ChatError) -> None:
        """Send an error that concerns no frame."""
        self._send_error(error)

    def close(self, code: int, retry_after: float | None = None, reason: str | None = None) -> None:
        if self.is_closing:
            return
        self.is_closing = True
        if not self._send_queue.is_ready:
            # The client does not read what was written before, so it would not read a close frame either.
            self._send_queue.end()
            if self._task is not None:
                self._task.cancel()
            return
        if not self.is_tutorial:
            self._write(self._bye(code, retry_after, reason))
        reason = reason or protocol.CLOSE_CODES.get(code, "")
        self._send_queue.write({"type": "websocket.close", "code": code, "reason": reason})

    def _answer(self, post: NewPost, room: RoomName, result: Posted | ChatError) -> None:
        self._posts -= 1
        if isinstance(result, ChatError):
            self._send_error(result, "post", post.id, room.typed)
            return
        typing_indicators.of(self._hub).stop(self._who.key, result.room)
        if not self.is_tutorial:
            self._write(protocol.Ack(result.id, result.room, result.seq, result.duplicate))

    def _send_error(
        self, error: ChatError, frame: str | None = None, id: str | None = None, room: str | None = None
    ) -> None:
        told = handlers.error_frame(error, self._language, frame=frame, id=id, room=room)
        if self.is_tutorial:
            self._write(protocol.TutorialError(told.detail, "error", error.code, error.retry_after))
        else:
            self._write(told)

    def on_ready(self) -> None:
        if self.is_ready:
            self._hub.resume(self)

    def on_overflow(self) -> None:
        self.close(protocol.CLOSE_TOO_SLOW)


def _enter_room(
    who: Identity, address: str, name: RoomName, language: str | None
) -> tuple[Room, protocol.Rights]:
    """Enter a room within the rate limit for joining."""
    rate_limits.spend("JOINS", who, address)
    return handlers.enter_room(who, name, language)


_ON_THE_LOOP: dict[type[protocol.Frame], Callable[[Connection, Any, Any], Awaitable[None] | None]] = {
    protocol.Hello: Connection._hello,
    protocol.Join: Connection._join,
    protocol.Leave: Connection._leave,
    protocol.Ping: Connection._ping,
    protocol.Post: Connection._post,
    protocol.Read: Connection._read,
    protocol.Search: Connection._search,
    protocol.Seen: Connection._note_seen,
    protocol.Typing: Connection._type,
}
"""Frames that concern the socket itself, or that are written together with those of other sockets. They are handled on the
event loop. All other frames go to :func:`django_roomchat.realtime.handlers.perform`, like those of HTTP requests.
"""


@hub.handles("guest_named")
def _receive_name(here: hub.Hub, room: str, data: dict[str, Any]) -> None:
    for socket in here.sockets_of(data["key"]):
        socket.set_name(data["name"])


def _about(frame: protocol.ClientFrame | None) -> tuple[str | None, str | None, str | None]:
    """Return the type, id and room of a frame, for the error that answers it."""
    if frame is None:
        return None, None, None
    kind = type(frame).__struct_config__.tag
    return str(kind), getattr(frame, "id", None) or None, getattr(frame, "room", None) or None
