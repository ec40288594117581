"""The example project at one moment for ever, so that its pictures change only when the page does."""

import os
from datetime import datetime
from itertools import count

from django.utils import timezone

from django_roomchat.text import validation
from example_project.settings import *  # noqa: F403  (the same project)

_now = datetime.fromisoformat(os.environ["ROOMCHAT_NOW"])
timezone.now = lambda: _now

# The names of hidden rooms are random, and their colours are derived from the names.
validation.hidden_name = map("~picture-{}".format, count()).__next__

# All users of the example sign in for the screenshots.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

ROOMCHAT = {**globals().get("ROOMCHAT", {}), "MARKDOWN": True}
