"""PgBouncer in transaction mode, which gives each transaction of a connection to any connection of the server."""

import json
import tempfile
from functools import partial
from pathlib import Path

import dj_database_url
import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connections

from django_roomchat import privacy
from django_roomchat.database import paged
from django_roomchat.messages.post import post_message
from django_roomchat.privacy import stream_export
from tests.services import Missing, skip_what_is_missing
from tests.services.pgbouncer import PgBouncer

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def pgbouncer(postgres_url):
    """The test runs on PostgreSQL behind PgBouncer, without DISABLE_SERVER_SIDE_CURSORS."""
    with tempfile.TemporaryDirectory(prefix="roomchat-pgbouncer-") as folder:
        # It runs as another user if this one is root.
        Path(folder).chmod(0o755)
        try:
            pgbouncer = PgBouncer(Path(folder), postgres_url)
        except Missing as missing:
            skip_what_is_missing(missing)
        pgbouncer.start()
        own, own_settings = connections["default"], connections.settings["default"]
        parsed = dj_database_url.parse(pgbouncer.url)
        connections.settings["default"] = {**own_settings, "OPTIONS": {}, **parsed}
        connections["default"] = connections.create_connection("default")
        yield pgbouncer
        connections["default"].close()
        connections.settings["default"] = own_settings
        connections["default"] = own
        pgbouncer.stop()


class Neighbour:
    """Another connection, which takes the connection of the server that was used last, and keeps it."""

    def __init__(self, pgbouncer):
        self._connection = psycopg.connect(pgbouncer.url)

    def take(self):
        self._connection.execute("SELECT 1")

    def close(self):
        self._connection.close()


@pytest.fixture
def neighbour(pgbouncer):
    neighbour = Neighbour(pgbouncer)
    yield neighbour
    neighbour.close()


@pytest.fixture
def ana(pgbouncer):
    ana = User.objects.create_user("ana")
    for body in ("one", "two", "three"):
        post_message("lobby", body, author=ana)
    return ana


def test_a_server_side_cursor_is_lost(ana, neighbour):
    # As QuerySet.iterator() makes one.
    with connections["default"].cursor() as cursor:
        cursor.execute("DECLARE mine CURSOR WITH HOLD FOR SELECT body FROM roomchat_message ORDER BY id")
        cursor.execute("FETCH 1 FROM mine")
        first = cursor.fetchall()
        neighbour.take()

        with pytest.raises(DatabaseError, match='cursor "mine" does not exist'):
            cursor.execute("FETCH 1 FROM mine")

    assert first == [("one",)]


def test_an_export_is_complete(ana, neighbour, monkeypatch):
    monkeypatch.setattr(privacy, "paged", partial(paged, size=1))
    pieces = stream_export(ana)

    text = ""
    while '"body":"one"' not in text:
        text += next(pieces)
    neighbour.take()
    text += "".join(pieces)

    assert [message["body"] for message in json.loads(text)["messages"]] == ["one", "two", "three"]
