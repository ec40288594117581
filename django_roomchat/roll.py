"""The roll: who is in which room through which process, and which processes are alive. Call all of it in a thread."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import transaction
from django.db.models.functions import Now

from django_roomchat import actions
from django_roomchat.conf import config
from django_roomchat.counter import database
from django_roomchat.models import Presence, Room, ServerProcess
from django_roomchat.protocol import Person

ROOMS_MAX = 500
"""Rooms, or rows, that one query names."""
ROWS_AT_ONCE = 250
"""Rows that are made together."""


def who_is_here(room: str | Room) -> list[Person]:
    """Who is in a room now, in all processes. One query, from anywhere; no policy is asked.

    Args:
        room: its name, however typed, or the room.

    Returns:
        Each person once, with ``key``, ``name`` and ``avatar``, by name. Somebody who has just come or gone shows after a
        second or two; somebody whose connection was lost, after ``PRESENCE_GRACE_SECONDS``.

    Raises:
        BadRoomName: no room can have this name.
    """
    name = room.name if isinstance(room, Room) else actions.canonical_name(room)
    present = Presence.objects.using(database()).filter(room=name, process__alive_at__gte=_leases_end())
    rows = present.order_by("name", "key").values_list("key", "name", "avatar")
    return list({key: Person(key, shown, avatar) for key, shown, avatar in rows}.values())


async def awho_is_here(room: str | Room) -> list[Person]:
    """See :func:`who_is_here`."""
    return await sync_to_async(who_is_here)(room)


def name_here(room: Room, key: str) -> str:
    """What others see of somebody who is in a room now; empty if they are not."""
    present = Presence.objects.using(database()).filter(room=room.name, key=key)
    return present.values_list("name", flat=True).first() or ""


Row = tuple[str, str, Person]
"""Process, room and person."""


@dataclass(slots=True)
class Found:
    """What the table has of other processes."""

    of_rooms: list[Row] = field(default_factory=list)
    """All in the rooms that were asked for."""
    is_listed: bool = True
    """The process that asks has a lease."""
    versions: dict[str, int] = field(default_factory=dict)
    """The last change of every other process that is alive."""
    read: list[str] = field(default_factory=list)
    """Those of which not everything was heard."""
    of_processes: list[Row] = field(default_factory=list)
    """All of theirs."""
    next_end: float = float("inf")
    """Seconds after which the first lease ends that is not renewed."""


def _leases_end() -> Any:
    """By the database's clock, so that nobody's own clock matters: who has not renewed since then is gone."""
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
            raise LookupError("the others took this process for dead")
        for start in range(0, len(dropping), ROOMS_MAX):
            rows.filter(pk__in=dropping[start : start + ROOMS_MAX]).delete()
        # A few at a time: the memory that a process has once taken for rows it keeps.
        people = list(adding.items())
        for start in range(0, len(people), ROWS_AT_ONCE):
            rows.bulk_create(
                Presence(
                    pk=id,
                    process_id=process,
                    room=name,
                    key=person.key,
                    name=person.name,
                    avatar=person.avatar,
                )
                for id, (name, person) in people[start : start + ROWS_AT_ONCE]
            )


def look(process: UUID, unread: list[str], rooms: list[str], heard: dict[str, int] | None) -> Found:
    """Read the rooms *unread*; with *heard* also renew the lease, remove the dead, and read what was not heard of."""
    found = Found()
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
    return [(str(process), room, Person(key, name, avatar)) for process, room, key, name, avatar in rows]


def remove(processes: list[UUID]) -> None:
    with transaction.atomic(using=database()):
        Presence.objects.using(database()).filter(process__in=processes).delete()
        ServerProcess.objects.using(database()).filter(pk__in=processes).delete()


def give_up(process: UUID) -> None:
    """Let the lease end as soon as everybody has had the time to come back to another process."""
    early = max(config().PRESENCE_LEASE_SECONDS - config().PRESENCE_GRACE_SECONDS, 0)
    ServerProcess.objects.using(database()).filter(pk=process).update(
        alive_at=Now() - timedelta(seconds=early)
    )
