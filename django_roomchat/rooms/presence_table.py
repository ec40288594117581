"""Presence table: the people in each room by process, and the leases of the live processes. Call all functions in a thread."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from django_roomchat.conf import config
from django_roomchat.database import batches, database, twin
from django_roomchat.models import Presence, Room, ServerProcess
from django_roomchat.protocol import Person, person_with_key
from django_roomchat.rooms import lookup

ROOMS_MAX = 500
"""Maximum number of rooms or rows named in one query."""
ROWS_AT_ONCE = 250
"""Number of rows inserted by one statement."""

AVATAR_MAX_LENGTH = Presence._meta.get_field("avatar").max_length or 0
"""Maximum length of the URL of an avatar in the table, in characters. A longer one is left out."""


def who_is_here(room: str | Room) -> list[Person]:
    """Return the people who are in a room now, in all processes. Makes one query; the policy is not asked.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.

    Returns:
        Each person once, with ``key``, ``name`` and ``avatar``, sorted by name. A person who enters or leaves is reflected
        after a second or two; one whose connection is lost is removed after ``PRESENCE_GRACE_SECONDS``.

    Raises:
        BadRoomName: the name is invalid.
            Codes: ``bad_room_name``.
    """
    name = lookup.canonical_name(lookup.name_of(room))
    present = Presence.objects.using(database()).filter(room=name, process__alive_at__gte=_leases_end())
    rows = present.order_by("name", "key").values_list("key", "name", "avatar")
    return list({key: person_with_key(key, shown, avatar) for key, shown, avatar in rows}.values())


awho_is_here = twin(who_is_here)


def name_here(room: Room, key: str) -> str:
    """Return the display name of a person who is in the room now; empty if they are not."""
    present = Presence.objects.using(database()).filter(room=room.name, key=key)
    return present.values_list("name", flat=True).first() or ""


Row = tuple[str, str, Person]
"""Process id, room name and person."""


@dataclass(slots=True)
class PresenceChanges:
    """Presence rows of other processes."""

    of_rooms: list[Row] = field(default_factory=list)
    """All rows of the requested rooms."""
    is_listed: bool = True
    """Whether the calling process has a lease."""
    versions: dict[str, int] = field(default_factory=dict)
    """Latest presence version of every other live process, by process id."""
    read: list[str] = field(default_factory=list)
    """Ids of the processes whose presence changes were not all received."""
    of_processes: list[Row] = field(default_factory=list)
    """All rows of these processes."""
    next_end: float = float("inf")
    """Seconds until the first lease ends, unless it is renewed."""


def _leases_end() -> Any:
    """Return the time before which leases have ended, by the database's clock, so that clocks of processes do not matter."""
    return Now() - timedelta(seconds=config().PRESENCE_LEASE_SECONDS)


def store(
    process: UUID,
    version: int,
    adding: dict[UUID, tuple[str, Person]],
    dropping: list[UUID],
    starts_over: bool,
) -> None:
    processes = ServerProcess.objects.using(database()).filter(pk=process)
    rows = Presence.objects.using(database())
    with transaction.atomic(using=database()):
        renewed = processes.update(alive_at=Now(), version=version)
        if starts_over:
            if not renewed:
                processes.create(pk=process, alive_at=Now(), version=version)
            rows.filter(process=process).delete()
        elif not renewed:
            raise LookupError("other processes removed this process because its lease had ended")
        for some in batches(dropping, ROOMS_MAX):
            rows.filter(pk__in=some).delete()
        # In small batches, because a process does not return the memory that it once allocated for rows.
        for people in batches(list(adding.items()), ROWS_AT_ONCE):
            rows.bulk_create(
                Presence(
                    pk=id,
                    process_id=process,
                    room=name,
                    key=person.key,
                    name=person.name,
                    # A longer URL, such as a signed one, would fail for the people of the whole process.
                    avatar=person.avatar if len(person.avatar) <= AVATAR_MAX_LENGTH else "",
                )
                for id, (name, person) in people
            )


def look(process: UUID, unread: list[str], rooms: list[str], heard: dict[str, int] | None) -> PresenceChanges:
    """Read the rows of the rooms *unread*. With *heard*, also renew the lease, remove dead processes and read missed changes."""
    found = PresenceChanges()
    if unread:
        rows = Presence.objects.using(database()).filter(process__alive_at__gte=_leases_end())
        found.of_rooms = _rows(rows.filter(room__in=unread).exclude(process=process))
    if heard is None:
        return found
    processes = ServerProcess.objects.using(database())
    found.is_listed = bool(processes.filter(pk=process).update(alive_at=Now()))
    lease, dead = config().PRESENCE_LEASE_SECONDS, []
    for id, version, alive_at, now in processes.exclude(pk=process).values_list(
        "pk", "version", "alive_at", Now()
    ):
        left = lease - (now - alive_at).total_seconds()
        if left < 0:
            dead.append(id)
            continue
        found.versions[str(id)] = version
        found.next_end = min(found.next_end, left)
    if dead:
        remove(dead)
    found.read = [id for id, version in found.versions.items() if heard.get(id) != version]
    if found.read:
        theirs = Presence.objects.using(database()).filter(process__in=map(UUID, found.read))
        if len(rooms) <= ROOMS_MAX:
            theirs = theirs.filter(room__in=rooms)
        found.of_processes = _rows(theirs)
    return found


def _rows(found: Any) -> list[Row]:
    rows = found.values_list("process_id", "room", "key", "name", "avatar")
    return [
        (str(process), room, person_with_key(key, name, avatar)) for process, room, key, name, avatar in rows
    ]


def remove(processes: list[UUID]) -> None:
    with transaction.atomic(using=database()):
        Presence.objects.using(database()).filter(process__in=processes).delete()
        ServerProcess.objects.using(database()).filter(pk__in=processes).delete()


def end_lease_early(process: UUID) -> None:
    """Shorten the lease so that it ends once clients have had time to reconnect to another process."""
    early = max(config().PRESENCE_LEASE_SECONDS - config().PRESENCE_GRACE_SECONDS, 0)
    ServerProcess.objects.using(database()).filter(pk=process).update(
        alive_at=Now() - timedelta(seconds=early)
    )
