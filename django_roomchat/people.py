"""Whom one can call in a room, while a name is being typed behind an ``@``."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async

from django_roomchat import actions, mentions
from django_roomchat.models import Room
from django_roomchat.protocol import Person

PEOPLE_MAX = 20


def people_of(room: str | Room, prefix: str = "", *, by: Any = None, limit: int = PEOPLE_MAX) -> list[Person]:
    """The members of a room and those who have written in it lately, whose name (or a word of it) begins with *prefix*.

    Args:
        room: its name, however typed, or the room.
        prefix: what has been typed of the name; without regard to case.
        by: who asks, and must be allowed to enter; without one the project itself.
        limit: people at most.

    Returns:
        Each person once, with ``key``, ``name`` and ``avatar``: members first, by name, then the others, the latest first.

    Raises:
        ChatError: it is refused.
    """
    found = actions.enter_room(actions.identity_of(by), actions.name_of(room))
    if found.pk is None:
        return []
    known = mentions.known_people(found, " ".join(prefix.split()), limit=limit)
    return [Person(key, name, avatar) for key, name, avatar in known]


async def apeople_of(room: str | Room, prefix: str = "", **options: Any) -> list[Person]:
    """See :func:`people_of`."""
    return await sync_to_async(people_of)(room, prefix, **options)
