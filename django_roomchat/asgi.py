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
from django.urls import re_path

from django_roomchat.consumers import NoSuchSocket
from django_roomchat.routing import websocket_urlpatterns


def websocket_application(*patterns: Any) -> Any:
    """The chat's sockets, with the signed-in user, and a refusal for any other address.

    Args:
        patterns: websocket routes of your own, which come first.
    """
    rest: Any = NoSuchSocket.as_asgi()
    return AuthMiddlewareStack(URLRouter([*patterns, *websocket_urlpatterns, re_path(r"", rest)]))


def with_chat(django_application: Any, *patterns: Any) -> ProtocolTypeRouter:
    """Your Django application with the chat's sockets beside it.

    Args:
        django_application: what ``get_asgi_application()`` returned. Call it before you import this module.
        patterns: websocket routes of your own, which come first.
    """
    return ProtocolTypeRouter({"http": django_application, "websocket": websocket_application(*patterns)})
