"""A ready-made ASGI application, for projects whose only sockets are ours.

::

    from django.core.asgi import get_asgi_application
    django_application = get_asgi_application()

    from django_roomchat.asgi import with_chat
    application = with_chat(django_application)
"""

from __future__ import annotations

from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.db import Error as DatabaseError
from django.urls import re_path

from django_roomchat import reports, tickets
from django_roomchat.consumers import NoSuchSocket
from django_roomchat.protocol import CLOSE_TRY_AGAIN
from django_roomchat.routing import websocket_urlpatterns


def websocket_application(*patterns: Any) -> Any:
    """The chat's sockets, with the signed-in user, and a refusal for any other address.

    Args:
        patterns: websocket routes of your own, which come first.
    """
    rest: Any = NoSuchSocket.as_asgi()
    routes: Any = URLRouter([*patterns, *websocket_urlpatterns, re_path(r"", rest)])

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        # In the server's own scope, so that what it logs has no ticket in it.
        tickets.take(scope)
        try:
            scope, send = await _with_user(scope, receive, send)
        except DatabaseError as error:
            # Channels would raise, and the log have a traceback for each socket.
            reports.warn("who", "Sockets are refused: the database does not say who speaks: %r", error)
            await receive()  # websocket.connect
            await send({"type": "websocket.close", "code": CLOSE_TRY_AGAIN})
            return
        await routes(scope, receive, send)

    return application


async def _with_user(scope: dict[str, Any], receive: Any, send: Any) -> tuple[dict[str, Any], Any]:
    """The scope as Channels' middleware fills it. None of that has anything to do afterwards, but each of its layers would keep a
    copy of the scope for as long as the socket is open."""
    filled: list[tuple[dict[str, Any], Any]] = []

    async def take(scope: dict[str, Any], receive: Any, send: Any) -> None:
        filled.append((scope, send))

    with_user: Any = AuthMiddlewareStack(take)
    await with_user(scope, receive, send)
    return filled[0]


def with_chat(django_application: Any, *patterns: Any) -> ProtocolTypeRouter:
    """Your Django application with the chat's sockets beside it.

    Args:
        django_application: what ``get_asgi_application()`` returned. Call it before you import this module.
        patterns: websocket routes of your own, which come first.
    """
    return ProtocolTypeRouter({"http": django_application, "websocket": websocket_application(*patterns)})
