"""One ASGI application for HTTP and WebSocket, for runserver, daphne and uvicorn."""

import os

from django.conf import settings
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")
django_application = get_asgi_application()

from django_roomchat.asgi import with_chat  # noqa: E402  (it imports models, so Django comes first)

if settings.DEBUG:
    # runserver serves static files itself; daphne and uvicorn need this. A production site uses WhiteNoise or
    # a web server.
    django_application = ASGIStaticFilesHandler(django_application)

application = with_chat(django_application)
