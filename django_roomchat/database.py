"""Alias of the database that holds all tables of the chat."""

from __future__ import annotations

from django.db import router

from django_roomchat.models import RoomLog


def database() -> str:
    """Return the alias of the log's database. All data of the chat is read from and written to it."""
    return router.db_for_write(RoomLog)
