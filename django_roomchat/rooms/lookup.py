"""Lookup of rooms by name: find, create and enter a room, and change the rights in it.

Each process caches rooms, so that posting does not begin with a query. The log rejects a post that was checked against an outdated room.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext

from django_roomchat import identity, policy, pubsub
from django_roomchat.conf import config
from django_roomchat.database import database
from django_roomchat.identity import Identity
from django_roomchat.log.announcing import on_commit
from django_roomchat.models import (
    Membership,
    Room,
    RoomLog,
    RoomQuerySet,
)
from django_roomchat.protocol import RoomName
from django_roomchat.text import validation


def title_for(who: Identity, room: Room) -> str:
    """Return the title that *who* sees: the room's title, or in a direct room the name of the other person."""
    return other_in(who, room)[1] or room.title


def other_in(who: Identity, room: Room) -> tuple[str, str]:
    """Return key and name of the other person of a direct room. Both are empty in other rooms, the key also after an erasure."""
    if room.visibility != Room.Visibility.DIRECT:
        return "", ""
    others = Membership.objects.using(database()).filter(room=room).exclude(key=who.key)
    return others.values_list("key", "name").first() or ("", gettext(identity.ERASED_NAME))


REMEMBERED_MAX = 10_000
"""Maximum number of rooms that a process caches, so that posting does not begin with a query."""

remembered: dict[str, Room] = {}


def rooms_named(names: set[str], look_up: bool) -> dict[str, Room]:
    """Return the rooms that exist, by canonical name, from the cache of this process or from the database.

    A cached room can be out of date. The log compares epoch and access version with the row that it locks, and rejects posts
    that were checked against others; the next attempt loads these rooms from the database.
    """
    # A room that is read inside a transaction may be rolled back, so it is not cached.
    may_remember = not transaction.get_connection(database()).in_atomic_block
    rooms = (
        {name: remembered[name] for name in names if name in remembered}
        if may_remember and not look_up
        else {}
    )
    if missing := names - rooms.keys():
        found = logged_rooms().filter(name__in=missing)
        looked_up = {room.name: room for room in found}
        rooms |= looked_up
        if may_remember:
            if len(remembered) > REMEMBERED_MAX:
                remembered.clear()
            remembered.update(looked_up)
    return rooms


def logged_rooms() -> RoomQuerySet:
    # A room that the project created with the ORM has no log before its first message.
    return Room.objects.using(database()).filter(log__isnull=False).select_related("log")


def ensure_room(room: Room) -> Room:
    """Return the room, created if it does not exist."""
    with transaction.atomic(using=database()):
        made, _is_new = Room.objects.using(database()).get_or_create(
            name=room.name, defaults={"title": room.title}
        )
        made.log, _is_new = RoomLog.objects.using(database()).get_or_create(room=made)
    return made


def new_room(name: RoomName) -> Room:
    """Return an unsaved room with the typed name as its title."""
    return Room(name=str(name), title=validation.room_title(name.typed, config().ROOM_NAME_MAX_LENGTH))


def name_of(room: str | Room) -> str:
    """Return the name of a room. A string is returned unchanged.

    Raises:
        TypeError: *room* is neither.
    """
    if isinstance(room, str):
        return room
    if not isinstance(room, Room):
        raise TypeError(f"A room must be a Room or the name of one, not {type(room).__name__}.")
    return room.name


# Access -----------------------------------------------------------------------------------------------------------


def change_access(room: Room, key: str, write: Callable[[Room], Any]) -> int:
    """Change access rights in a room. The change applies at once to open sockets and to posts that are in progress.

    Args:
        room: the room; it is created if it does not exist.
        key: identity key of the person whose rights change; empty if the rights of anybody may change.
        write: called with the room as stored, in the transaction and with the room locked; it makes the change.

    Returns:
        The room's head when the change took effect. Earlier messages have this sequence number or a lower one.
    """
    with transaction.atomic(using=database()):
        pk = (room if room.pk is not None else ensure_room(room)).pk
        # Posting compares the version on this row, under its lock.
        RoomLog.objects.using(database()).filter(pk=pk).update(access_version=F("access_version") + 1)
        locked = logged_rooms().get(pk=pk)
        write(locked)
        on_commit(pubsub.publish, pubsub.Access(locked.name, locked.log.access_version, key))
    return locked.log.head


def lock_room(room: Room) -> None:
    """Lock a room until the transaction ends, as a post does."""
    # An update, because SQLite has no SELECT … FOR UPDATE.
    RoomLog.objects.using(database()).filter(pk=room.pk).update(access_version=F("access_version"))


def room_of(name: str) -> Room:
    """Return the room with this name in any spelling. A room without messages may be unsaved (``pk`` is ``None``).

    Raises:
        BadRoomName: the name is invalid.
    """
    parsed = room_name(name)
    return logged_rooms().filter(name=str(parsed)).first() or new_room(parsed)


def room_name(name: str) -> RoomName:
    """Parse the name of a room. A parsed name is returned unchanged.

    Raises:
        BadRoomName: the name is invalid.
    """
    return name if isinstance(name, RoomName) else RoomName(name, config().ROOM_NAME_MAX_LENGTH)


def canonical_name(name: str) -> str:
    """Return the canonical name of a room.

    Raises:
        BadRoomName: the name is invalid.
    """
    return str(room_name(name))


def enter_room(who: Identity, name: str) -> Room:
    """Return the room for an identity that wants to read it and receive its messages.

    Raises:
        ChatError: the name is invalid, or the policy denies entry.
    """
    room = room_of(name)
    policy.require_entry(who, room)
    return room
