"""The ASGI application of the test project."""

import os

from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
# The servers of the tests run without DEBUG, and nothing stands before them that would serve static files.
django_application = ASGIStaticFilesHandler(get_asgi_application())

from django_roomchat.asgi import with_chat  # noqa: E402  (it imports models, so Django comes first)

application = with_chat(django_application)
