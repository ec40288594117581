"""A site whose sockets pass the sign-in gate that the documentation of Channels shows."""

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path

from tests.asgi import django_application  # isort: skip  (it sets Django up)

from django_roomchat import ChatConsumer  # isort: skip


class Gate(ChatConsumer):
    """Lets in signed-in users, and clients that bring the header ``X-Pass``."""

    async def connect(self):
        has_pass = b"x-pass" in dict(self.scope["headers"])
        if self.scope["user"].is_anonymous and not has_pass:
            await self.close()
        else:
            await super().connect()


application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": AuthMiddlewareStack(URLRouter([path("ws/chat/<str:room_name>/", Gate.as_asgi())])),
    }
)
