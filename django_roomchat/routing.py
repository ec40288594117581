"""WebSocket routes for a ``URLRouter``: ``websocket_urlpatterns``.

They handle every path below ``ws/``, so put your own routes before them.
"""

from __future__ import annotations

from typing import Any

from django.urls import path, re_path

from django_roomchat import pubsub
from django_roomchat.consumers import ChatConsumer, NoSuchSocket

pubsub.import_layers()

_chat: Any = ChatConsumer.as_asgi()

websocket_urlpatterns = [
    path("ws/chat/", _chat),
    path("ws/chat/<str:room_name>/", _chat),
    re_path(r"^ws/", NoSuchSocket.as_asgi()),
]
