"""The WebSocket consumer: decodes and handles incoming frames. The hub writes the outgoing ones."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import Error as DatabaseError
from django.utils import translation

from django_roomchat import identity, policy, protocol
from django_roomchat.conf import config
from django_roomchat.errors import (
    ChatError,
    RateLimited,
)
from django_roomchat.identity import Identity, origins, sessions, tickets
from django_roomchat.policy import rate_limits
from django_roomchat.realtime import hub
from django_roomchat.realtime.connection import ASGIMessage, Connection, Scope, Send, language_of
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
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = await _admitted(scope, receive, send)
        # Channels made this copy for us; a reference would keep it for as long as the socket is open.
        del scope
        if connection is None:
            return
        # Not a method of the connection, which would keep one more coroutine for each open socket.
        try:
            await connection.greet()
            while (message := await receive())["type"] != "websocket.disconnect":
                await connection.handle(message.get("text"))
        except asyncio.CancelledError:
            # Cancelled by us, because the client reads nothing, or by the server.
            if not connection.is_closing:
                raise
        finally:
            connection.end()


async def _admitted(scope: Scope, receive: Receive, send: Send) -> Connection | None:
    """Accept or refuse a handshake. Returns ``None`` if the socket was refused."""
    await receive()  # websocket.connect
    if (refusal := _refusal(scope)) is not None:
        _LOGGER.warning("Socket %r refused: %s", scope.get("path", ""), refusal)
        await send({"type": "websocket.close", "code": protocol.CLOSE_FORBIDDEN})
        return None
    try:
        who, binding = await in_thread(_who, scope)
    except DatabaseError as error:
        warn_throttled("who", "Socket refused: the database could not be queried for its identity: %r", error)
        await send({"type": "websocket.close", "code": protocol.CLOSE_TRY_AGAIN})
        return None
    except ChatError as error:
        is_limited = isinstance(error, RateLimited)
        code = protocol.CLOSE_TOO_MANY if is_limited else protocol.CLOSE_SESSION_ENDED
        await _reject(scope, receive, send, error, code)
        return None
    except PermissionDenied as error:
        await _reject(scope, receive, send, policy.denied(error), protocol.CLOSE_FORBIDDEN)
        return None
    except Exception as error:
        error_throttled(
            "socket", "Socket refused: its identity could not be determined: %r", error, error=error
        )
        await send({"type": "websocket.close", "code": protocol.CLOSE_TRY_AGAIN})
        return None
    return Connection(scope, send, who, binding)


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
            protocol.Bye(code, reason, error.retry_after),
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


def _who(scope: Scope) -> tuple[Identity, sessions.SessionBinding]:
    """Return the identity of a handshake and the session that it depends on."""
    language = language_of(scope)
    if (ticket := tickets.ticket_of(scope)) is not None:
        scope = tickets.redeem_ticket(scope, ticket)
    # The name of a guest consists of words in this language.
    with translation.override(language):
        who = identity.who(scope)
    rate_limits.spend("SOCKETS", who, rate_limits.address_of(scope))
    return who, sessions.bind_session(who, scope.get("session"))


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
