"""Mention candidates: the people offered while a name is typed after an ``@``."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async

from django_roomchat import identity, mentions
from django_roomchat.models import Room
from django_roomchat.protocol import Person
from django_roomchat.rooms import lookup

PEOPLE_MAX = 20


def people_of(room: str | Room, prefix: str = "", *, by: Any = None, limit: int = PEOPLE_MAX) -> list[Person]:
    """Return the mention candidates of a room: members and recent authors with a word of their name beginning with *prefix*.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        prefix: the typed beginning of the name; case is ignored.
        by: the acting user or identity, which must be allowed to enter the room. Without one the site acts.
        limit: maximum number of people.

    Returns:
        Each person once, with ``key``, ``name`` and ``avatar``: members first, sorted by name, then recent authors, latest first.

    Raises:
        ChatError: *by* may not enter the room.
    """
    found = lookup.enter_room(identity.identity_of(by), lookup.name_of(room))
    if found.pk is None:
        return []
    known = mentions.known_people(found, " ".join(prefix.split()), limit=limit)
    return [Person(key, name, avatar) for key, name, avatar in known]


async def apeople_of(room: str | Room, prefix: str = "", **options: Any) -> list[Person]:
    """See :func:`people_of`."""
    return await sync_to_async(people_of)(room, prefix, **options)
