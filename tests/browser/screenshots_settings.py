"""The example project at one moment for ever, so that its pictures change only when the page does."""

import os
from datetime import datetime

from django.utils import timezone

from example_project.settings import *  # noqa: F403  (the same project)

_now = datetime.fromisoformat(os.environ["ROOMCHAT_NOW"])
timezone.now = lambda: _now

# Everybody of the story signs in for the pictures.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
