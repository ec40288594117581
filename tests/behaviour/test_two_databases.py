"""A chat in a database of its own, with a router. Its settings need a run of their own."""

import os
import subprocess
import sys

from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType

from django_roomchat.checks import check_roomchat
from tests.services.server import ROOT


def test_users_and_the_chat_in_a_database_of_their_own_do_everything():
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment["DJANGO_SETTINGS_MODULE"] = "tests.two_databases.settings"
    # The migrations of three databases would take most of the time.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nomigrations"]

    done = subprocess.run(
        [*command, "--ds=tests.two_databases.settings", "tests/two_databases/checks.py"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 passed" in done.stdout


class Router:
    """Keeps one model in another database than the chat."""

    def __init__(self, model):
        self._model = model

    def db_for_write(self, model, **hints):
        return "other" if model is self._model else None


def test_users_in_another_database_are_a_warning(settings):
    found = {}
    for model in (User, ContentType):
        settings.DATABASE_ROUTERS = [Router(model)]
        found[model._meta.label] = [one.msg for one in check_roomchat(None) if one.id == "roomchat.W022"]

    reason = (
        "Rows of the chat refer to users and content types, which a database cannot do across its border."
    )
    assert found == {
        label: [
            f"The chat is in the database 'default', but DATABASE_ROUTERS keep {label} in another one. {reason}"
        ]
        for label in ("auth.User", "contenttypes.ContentType")
    }
