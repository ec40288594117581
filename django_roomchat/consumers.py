"""The WebSocket consumer: decodes and handles incoming frames. The hub writes the outgoing ones."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from asgiref.sync import iscoroutinefunction
from channels.exceptions import AcceptConnection, DenyConnection, StopConsumer
from channels.layers import get_channel_layer
from django.core.exceptions import PermissionDenied
from django.db import Error as DatabaseError
from django.utils import translation

from django_roomchat import identity, policy, protocol
from django_roomchat.conf import config
from django_roomchat.conf.hooks import dotted_path
from django_roomchat.errors import (
    ChatError,
    RateLimited,
    TryAgain,
)
from django_roomchat.identity import Identity, origins, sessions, tickets
from django_roomchat.policy import rate_limits
from django_roomchat.realtime import hub, open_sockets
from django_roomchat.realtime.connection import ASGIMessage, Connection, Scope, Send, language_of
from django_roomchat.realtime.hub_socket import went_wrong
from django_roomchat.realtime.threads import in_thread
from django_roomchat.throttled_logging import error_throttled, warn_throttled

_LOGGER = logging.getLogger(__name__)
Receive = Callable[[], Awaitable[ASGIMessage]]


class _Endpoint:
    """The interface that a Channels route expects, without Channels' own dispatch.

    Channels' dispatch gives every socket a channel on the layer, and every frame two tasks and a thread
    switch (110 to 130 µs).
    """

    @classmethod
    def as_asgi(cls) -> Any:
        """Return the ASGI application for a route: one object for all its sockets, without state of any of
        them.
        """
        return cls()

    @property
    def consumer_class(self) -> type:
        """Read by Channels' own tools."""
        return type(self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise NotImplementedError(f"{type(self).__name__} does not serve sockets: define __call__().")


class ChatConsumer(_Endpoint):
    """The consumer of ``ws/chat/<room>/`` (joins the room on connect) and ``ws/chat/`` (rooms are joined with
    ``join``).

    A client that requests the subprotocol ``roomchat.v1`` uses that protocol. A client that requests none
    uses the message format of the Channels tutorial. The room comes from ``room_name`` in the route, as in
    the tutorial's consumer.

    A subclass can override :meth:`connect`, :meth:`receive` and :meth:`disconnect`, and define methods that handle
    messages of the channel layer, as a subclass of Channels' ``AsyncWebsocketConsumer``. Each socket then has an
    instance of its own. Pages, the HTTP transport and Python code do not pass through a consumer: what people may do is
    decided by ``ROOMCHAT["POLICY"]``.

    Raises:
        TypeError: on the definition of a subclass that overrides a method which is not called, or one of the three
            without ``async``; in :meth:`as_asgi` if such a method was set later.
    """

    channel_layer_alias = "default"
    """Channel layer of ``self.channel_layer``. It need not be the layer of the chat."""
    groups: tuple[str, ...] | list[str] = ()
    """Groups of the channel layer that each socket joins, for methods that handle their messages."""
    scope: Scope
    """The ASGI scope, with the user of a ticket. Only subclasses that override a method have it."""
    channel_layer: Any
    """The channel layer. Only subclasses that override a method have it."""
    channel_name: str
    """Channel of the socket. Only subclasses that define a method for messages of the layer, or ``groups``, have it."""

    _is_extended = False
    _is_decided = False
    """Whether the socket has been accepted or refused."""
    _is_accepted = False
    _handlers: frozenset[str] = frozenset()
    """Names of the methods of a subclass that can handle a message of the channel layer."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._find_methods()

    @classmethod
    def _find_methods(cls) -> None:
        """Find the methods that the class overrides, and reject those that are not called."""
        _check_methods(cls)
        added = {name for base in cls.__mro__ if not issubclass(ChatConsumer, base) for name in vars(base)}
        public = {name for name in added if not name.startswith("_") and callable(getattr(cls, name))}
        cls._handlers = frozenset(public.difference(vars(ChatConsumer)))
        cls._is_extended = bool(cls._handlers or cls.groups or _overridden(cls, _METHODS))

    @classmethod
    def as_asgi(cls, **initkwargs: Any) -> Any:
        """Return the ASGI application for a route.

        Args:
            initkwargs: arguments for the constructor of a subclass.
        """
        # Again: a class decorator may have replaced methods after the definition of the class.
        cls._find_methods()
        return _PerSocket(cls, initkwargs) if cls._is_extended else cls(**initkwargs)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._is_extended:
            await self._serve(scope, receive, send)
            return
        connection = (await _admitted(scope, receive, send))[0]
        # Channels made this copy for us; a reference would keep it for as long as the socket is open.
        del scope
        if connection is None:
            return
        # Not a method of the connection, which would keep one more coroutine for each open socket.
        try:
            await connection.greet()
            while (message := await receive())["type"] != "websocket.disconnect":
                if connection.admits_frame():
                    await connection.handle(message.get("text"))
        except asyncio.CancelledError:
            # Cancelled by us, because the client reads nothing, or by the server.
            if not connection.is_closing:
                raise
        finally:
            connection.end()

    # Subclasses that override a method ---------------------------------------------------------------------

    async def connect(self) -> None:
        """Accept the socket. Called after the checks of the handshake, with ``self.scope``.

        An override calls ``super().connect()`` to let the socket in, and :meth:`close`, or nothing, to refuse it with 403.
        It can raise ``PermissionDenied`` or a :class:`~django_roomchat.errors.ChatError`, whose sentence the client
        receives, and Channels' ``DenyConnection``.
        """
        await self.accept()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Handle a frame. Called for each frame within the rate limit ``FRAMES_PER_SOCKET``."""
        await self._connection.handle(text_data)

    async def disconnect(self, code: int) -> None:
        """Called once after the socket has left its rooms, also if it was refused by :meth:`connect`.

        Args:
            code: close code; 1006 if the connection broke or was not accepted.
        """

    async def accept(self) -> None:
        """Accept the socket, and enter the room of the route if the policy allows. Called by :meth:`connect`.

        After :meth:`close` it does nothing.
        """
        if not self._is_decided:
            self._is_decided = self._is_accepted = True
            await self._connection.greet()

    async def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Close the socket, or refuse it with 403 if it has not been accepted.

        Args:
            code: close code; 1000 by default.
            reason: reason for the client.
        """
        if self._is_accepted:
            self._connection.close(code or 1000, reason=reason)
        elif not self._is_decided:
            self._is_decided = True
            await self._refuse(code or 1000)

    async def send(
        self, text_data: str | None = None, bytes_data: bytes | None = None, close: bool | int = False
    ) -> None:
        """Send a frame of your own to this socket. The page ignores frames with a ``type`` that it does not know.

        Args:
            text_data: a text frame.
            bytes_data: a binary frame.
            close: whether the socket is closed after it, or the close code.

        Raises:
            RuntimeError: the socket has not been accepted.
            ValueError: there is neither a text nor bytes.
        """
        if not self._is_accepted:
            raise RuntimeError("Call super().connect() before self.send(): the socket has not been accepted.")
        if text_data is not None:
            self._connection.send_message({"type": "websocket.send", "text": text_data})
        elif bytes_data is not None:
            self._connection.send_message({"type": "websocket.send", "bytes": bytes_data})
        else:
            raise ValueError("Give text_data or bytes_data.")
        if close:
            await self.close(None if close is True else close)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.channel_layer = get_channel_layer(self.channel_layer_alias)
        connection, self.scope = await _admitted(scope, receive, send)
        if connection is None:
            return
        self._connection, self._receive, self._send = connection, receive, send
        listener: asyncio.Task[None] | None = None
        code = 1006
        try:
            await self._open()
            if not self._is_accepted:
                return
            if hasattr(self, "channel_name"):
                listener = asyncio.create_task(self._listen())
            while (message := await receive())["type"] != "websocket.disconnect":
                if connection.admits_frame():
                    await self._handle(message)
            code = message.get("code", 1005)
        except asyncio.CancelledError:
            if not connection.is_closing:
                raise
        finally:
            connection.end()
            if listener is not None:
                listener.cancel()
            await self._end(code)

    async def _open(self) -> None:
        """Call :meth:`connect`, and refuse the socket unless it was accepted. A failure refuses it, too."""
        error: ChatError | None = None
        code = protocol.CLOSE_FORBIDDEN
        try:
            if self.channel_layer is not None and (self._handlers or self.groups):
                self.channel_name = await self.channel_layer.new_channel()
                for group in self.groups:
                    await self.channel_layer.group_add(group, self.channel_name)
            await self.connect()
        except AcceptConnection:
            await self.accept()
        except DenyConnection:
            self._is_decided, self._is_accepted = True, False
            await self._refuse(code)
        except PermissionDenied as denial:
            error = policy.denied(denial)
        except ChatError as refusal:
            error, code = refusal, _close_code(refusal)
        except Exception as failure:
            self._report("connect", failure)
            error, code = went_wrong(), protocol.CLOSE_TRY_AGAIN
        if error is not None and self._is_accepted:
            self._connection.report(error)
            self._connection.close(code)
        elif not self._is_decided:
            self._is_decided = True
            if error is None:
                await self._refuse(code)
            else:
                await _reject(self.scope, self._receive, self._send, error, code)

    async def _refuse(self, code: int) -> None:
        await self._send({"type": "websocket.close", "code": code})

    async def _handle(self, message: ASGIMessage) -> None:
        try:
            if message.get("text") is not None:
                await self.receive(text_data=message["text"])
            else:
                await self.receive(bytes_data=message.get("bytes"))
        except PermissionDenied as denial:
            self._connection.report(policy.denied(denial))
        except ChatError as error:
            self._connection.report(error)
        except Exception as failure:
            self._report("receive", failure)
            self._connection.report(went_wrong())

    async def _listen(self) -> None:
        """Pass messages of the channel layer to the methods of their type."""
        while True:
            try:
                message = await self.channel_layer.receive(self.channel_name)
            except Exception as error:
                # redis-py 8 ends a receive on an idle connection with TimeoutError.
                if type(error).__name__ != "TimeoutError":
                    self._report("receive() of the channel layer", error)
                await asyncio.sleep(LISTEN_PAUSE_SECONDS)
                continue
            name = str(message.get("type", "")).replace(".", "_")
            try:
                if name in self._handlers:
                    await getattr(self, name)(message)
                elif not name.startswith("roomchat_"):
                    warn_throttled(
                        f"handler {name}"[:50],
                        "%r has no method %r for a message of its channel layer.",
                        dotted_path(type(self)),
                        name,
                    )
            except Exception as error:
                self._report(name, error)

    async def _end(self, code: int) -> None:
        try:
            for group in self.groups if hasattr(self, "channel_name") else ():
                await self.channel_layer.group_discard(group, self.channel_name)
            await self.disconnect(code)
        except StopConsumer:
            pass
        except Exception as error:
            self._report("disconnect", error)

    def _report(self, method: str, error: Exception) -> None:
        path = f"{dotted_path(type(self))}.{method}"
        error_throttled(f"consumer {path}", "%r failed: %r", path, error, error=error)


LISTEN_PAUSE_SECONDS = 0.5
"""Time before a subclass receives from its channel layer again after a failure, in seconds."""
_METHODS = ("connect", "receive", "disconnect")
_NOT_CALLED = {
    "websocket_connect": "override connect()",
    "websocket_receive": "override receive()",
    "websocket_disconnect": "override disconnect()",
    "receive_json": "override receive()",
    "dispatch": "override connect(), receive() or disconnect(), or define a method named like the type of the message",
    "accept": "override connect()",
    "close": "override disconnect()",
    "send": "all sockets of a room share one encoded frame; change the text with the setting FILTER, or the look with templates",
}
"""Methods of Channels' consumers that a subclass cannot override, and what takes their place."""


_OWN = dict(vars(ChatConsumer))


def _overridden(cls: type[ChatConsumer], names: Iterable[str]) -> list[str]:
    return [name for name in names if getattr(cls, name, None) is not _OWN.get(name)]


def _check_methods(cls: type[ChatConsumer]) -> None:
    for name in _overridden(cls, _NOT_CALLED):
        raise TypeError(
            f"{dotted_path(cls)} defines {name}(), which ChatConsumer does not call: {_NOT_CALLED[name]}."
        )
    for name in _overridden(cls, _METHODS):
        if not iscoroutinefunction(getattr(cls, name)):
            raise TypeError(
                f"{dotted_path(cls)}.{name}() must be defined with async def. "
                "Query the database with database_sync_to_async(), or decide who may enter with the setting POLICY."
            )


class _PerSocket:
    """ASGI application of a subclass that overrides methods: each socket has an instance of its own."""

    def __init__(self, consumer_class: type[ChatConsumer], initkwargs: dict[str, Any]) -> None:
        self.consumer_class = consumer_class
        self.consumer_initkwargs = initkwargs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.consumer_class(**self.consumer_initkwargs)(scope, receive, send)


async def _admitted(scope: Scope, receive: Receive, send: Send) -> tuple[Connection | None, Scope]:
    """Check a handshake. Returns the connection, or ``None`` if the socket was refused, and the scope with the
    user of a ticket.
    """
    await receive()  # websocket.connect
    if (refusal := _refusal(scope)) is not None:
        _LOGGER.warning("Socket %r refused: %s", scope.get("path", ""), refusal)
        await send({"type": "websocket.close", "code": protocol.CLOSE_FORBIDDEN})
        return None, scope
    try:
        who, binding, filled = await in_thread(_who, scope)
        open_sockets.take(who, rate_limits.address_of(scope))
    except DatabaseError as error:
        await refuse_without_database(send, "the database could not be queried for its identity", error)
        return None, scope
    except ChatError as error:
        is_limited = isinstance(error, RateLimited)
        code = protocol.CLOSE_TOO_MANY if is_limited else protocol.CLOSE_SESSION_ENDED
        await _reject(scope, receive, send, error, code)
        return None, scope
    except PermissionDenied as error:
        await _reject(scope, receive, send, policy.denied(error), protocol.CLOSE_FORBIDDEN)
        return None, scope
    except Exception as error:
        error_throttled(
            "socket", "Socket refused: its identity could not be determined: %r", error, error=error
        )
        await send({"type": "websocket.close", "code": protocol.CLOSE_TRY_AGAIN})
        return None, scope
    return Connection(scope, send, who, binding), filled


async def refuse_without_database(send: Send, what: str, error: DatabaseError) -> None:
    """Refuse a handshake because the database failed.

    Args:
        send: the ``send`` of the ASGI server.
        what: the reason, for the log.
        error: the error of the database.
    """
    warn_throttled("who", "Socket refused: %s: %r", what, error)
    await send({"type": "websocket.close", "code": protocol.CLOSE_TRY_AGAIN})


def _close_code(error: ChatError) -> int:
    """Return the code with which a socket is closed that an error keeps out."""
    if isinstance(error, RateLimited):
        return protocol.CLOSE_TOO_MANY
    return protocol.CLOSE_TRY_AGAIN if isinstance(error, TryAgain) else protocol.CLOSE_FORBIDDEN


async def _reject(scope: Scope, receive: Receive, send: Send, error: ChatError, code: int) -> None:
    """Accept the handshake to send an error, then close. A browser gives a page no details of a failed
    handshake.
    """
    reason = protocol.CLOSE_CODES[code]
    with translation.override(language_of(scope)):
        detail = error.detail
    if scope.get("subprotocols"):
        subprotocol = protocol.SUBPROTOCOL
        frames: list[Any] = [
            protocol.Error(error.code, detail, retry_after=error.retry_after),
            protocol.Bye(code, detail, error.retry_after),
        ]
    else:
        subprotocol, frames = None, [protocol.TutorialError(detail, "error", error.code, error.retry_after)]
    await send({"type": "websocket.accept", "subprotocol": subprotocol})
    for frame in frames:
        await send({"type": "websocket.send", "text": protocol.encode(frame)})
    await send({"type": "websocket.close", "code": code, "reason": reason})
    while (await receive())["type"] != "websocket.disconnect":
        pass


def _refusal(scope: Scope) -> str | None:
    """Return why a handshake is refused, for the server's log; ``None`` if it is not."""
    asked = scope.get("subprotocols") or []
    if hub.current().is_draining:
        return "the process is shutting down"
    if not asked and not config().TUTORIAL_DIALECT:
        return f"it requests no subprotocol; {protocol.SUBPROTOCOL} is supported, and TUTORIAL_DIALECT is off"
    if asked and protocol.SUBPROTOCOL not in asked:
        return (
            f"it requests the subprotocols {', '.join(map(repr, asked))}; {protocol.SUBPROTOCOL} is supported"
        )
    # A ticket proves that the page itself asked. Cookies are sent by the browser whatever page opens the
    # socket.
    return None if tickets.ticket_of(scope) else origins.refusal(scope)


def _who(scope: Scope) -> tuple[Identity, sessions.SessionBinding, Scope]:
    """Return the identity of a handshake, the session that it depends on, and the scope with the user of a ticket."""
    language = language_of(scope)
    if (ticket := tickets.ticket_of(scope)) is not None:
        scope = tickets.redeem_ticket(scope, ticket)
    # The name of a guest consists of words in this language.
    with translation.override(language):
        who = identity.who(scope)
    rate_limits.spend("SOCKETS", who, rate_limits.address_of(scope))
    return who, sessions.bind_session(who, scope.get("session")), scope


class NoSuchSocket(_Endpoint):
    """Refuses sockets that no other route matches. Without it, Channels raises an exception and the server
    responds with 500.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        _LOGGER.warning(
            "Socket %r refused: no route matches. The routing of django_roomchat handles all of ws/: "
            "put your own routes before its websocket_urlpatterns",
            scope.get("path", ""),
        )
        if "websocket.http.response" in scope.get("extensions", {}):
            await send({"type": "websocket.http.response.start", "status": 404, "headers": []})
            await send({"type": "websocket.http.response.body", "body": b"There is no such socket."})
        else:
            await send({"type": "websocket.close", "code": protocol.CLOSE_NO_SUCH_ROOM})
