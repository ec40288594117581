"""A ready-made ASGI application, for projects whose only sockets are ours.

::

    from django.core.asgi import get_asgi_application
    django_application = get_asgi_application()

    from django_roomchat.asgi import with_chat
    application = with_chat(django_application)
"""

from __future__ import annotations

from typing import Any

from asgiref.sync import markcoroutinefunction
from channels.auth import AuthMiddleware
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.sessions import CookieMiddleware, SessionMiddleware
from django.db import Error as DatabaseError
from django.urls import re_path

from django_roomchat import reports, tickets
from django_roomchat.consumers import NoSuchSocket
from django_roomchat.protocol import CLOSE_TRY_AGAIN
from django_roomchat.routing import websocket_urlpatterns

_IS_DATABASE_DOWN = "roomchat_is_database_down"


def websocket_application(*patterns: Any) -> Any:
    """The chat's sockets, with the signed-in user, and a refusal for any other address.

    Args:
        patterns: websocket routes of your own, which come first.
    """
    rest: Any = NoSuchSocket.as_asgi()
    routes: Any = URLRouter([*patterns, *websocket_urlpatterns, re_path(r"", rest)])

    # Plain functions, and no copy of the scope: whatever stands between server and consumer is kept for each open socket.

    def enter(scope: dict[str, Any], receive: Any, send: Any) -> Any:
        return _turn_away(receive, send) if _IS_DATABASE_DOWN in scope else routes(scope, receive, send)

    with_user: Any = CookieMiddleware(SessionMiddleware(_AuthMiddleware(enter)))

    def application(scope: dict[str, Any], receive: Any, send: Any) -> Any:
        # In the server's own scope, so that what it logs has no ticket in it.
        tickets.take(scope)
        return with_user(scope, receive, send)

    # What returns a coroutine is as good as what is one; ASGI's oldest kind of application would not take three arguments.
    return markcoroutinefunction(application)


class _AuthMiddleware(AuthMiddleware):
    """Channels' own raises where the database does not say who speaks, and the log has a traceback for each socket."""

    async def resolve_scope(self, scope: Any) -> None:
        try:
            await super().resolve_scope(scope)
        except DatabaseError as error:
            reports.warn("who", "Sockets are refused: the database does not say who speaks: %r", error)
            scope[_IS_DATABASE_DOWN] = True


async def _turn_away(receive: Any, send: Any) -> None:
    await receive()  # websocket.connect
    await send({"type": "websocket.close", "code": CLOSE_TRY_AGAIN})


def with_chat(django_application: Any, *patterns: Any) -> ProtocolTypeRouter:
    """Your Django application with the chat's sockets beside it.

    Args:
        django_application: what ``get_asgi_application()`` returned. Call it before you import this module.
        patterns: websocket routes of your own, which come first.
    """
    return ProtocolTypeRouter({"http": django_application, "websocket": websocket_application(*patterns)})
