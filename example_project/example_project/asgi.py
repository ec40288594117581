"""One application for HTTP and WebSocket, under runserver, daphne and uvicorn alike."""

import os

from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")
http = get_asgi_application()

# After Django is set up: the chat's consumer imports models.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from django_roomchat.routing import websocket_urlpatterns  # noqa: E402

if settings.DEBUG:
    # runserver serves static files by itself; daphne and uvicorn need this.
    # A real site puts WhiteNoise or a web server here.
    from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler

    http = ASGIStaticFilesHandler(http)

application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": AuthMiddlewareStack(URLRouter(websocket_urlpatterns)),
    }
)
