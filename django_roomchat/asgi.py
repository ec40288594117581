"""ASGI application with the chat's WebSocket routes.

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

from django_roomchat.consumers import NoSuchSocket, refuse_without_database
from django_roomchat.identity import tickets
from django_roomchat.routing import websocket_urlpatterns


def websocket_application(*patterns: Any) -> Any:
    """Build the ASGI application for WebSockets: authentication, your routes, the chat's routes, and a rejection
    of all other paths.

    Args:
        patterns: WebSocket routes of your own, which take precedence.

    Returns:
        An ASGI application for the ``websocket`` protocol type.
    """
    rest: Any = NoSuchSocket.as_asgi()
    routes: Any = URLRouter([*patterns, *websocket_urlpatterns, re_path(r"", rest)])

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        # Removes the ticket from the server's own scope, so that the server's access log does not contain it.
        tickets.hide_ticket(scope)
        try:
            scope, send = await _with_user(scope, receive, send)
        except DatabaseError as error:
            # An exception in Channels would log a traceback for each socket.
            await receive()  # websocket.connect
            await refuse_without_database(send, "the user could not be read from the database", error)
            return
        await routes(scope, receive, send)

    return application


async def _with_user(scope: dict[str, Any], receive: Any, send: Any) -> tuple[dict[str, Any], Any]:
    """Run Channels' authentication middleware and return the scope that it filled.

    The middleware has nothing to do afterwards, but each of its layers would keep a copy of the scope while the
    socket is open.
    """
    filled: list[tuple[dict[str, Any], Any]] = []

    async def take(scope: dict[str, Any], receive: Any, send: Any) -> None:
        filled.append((scope, send))

    with_user: Any = AuthMiddlewareStack(take)
    await with_user(scope, receive, send)
    return filled[0]


def with_chat(django_application: Any, *patterns: Any) -> ProtocolTypeRouter:
    """Combine a Django application with the chat's WebSocket routes.

    Args:
        django_application: return value of ``get_asgi_application()``. Call it before you import this module.
        patterns: WebSocket routes of your own, which take precedence.

    Returns:
        An ASGI application for HTTP and WebSockets.
    """
    return ProtocolTypeRouter({"http": django_application, "websocket": websocket_application(*patterns)})
