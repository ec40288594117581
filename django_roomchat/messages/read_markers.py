"""Read markers: the last message of a room that a person has read.

Sockets move many markers at once, so they are written in batches. A marker never moves back, whichever process writes last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from django_roomchat import identity, log, policy, pubsub
from django_roomchat.database import database, twin
from django_roomchat.errors import ChatError
from django_roomchat.identity import Actor, Identity
from django_roomchat.messages.unread_counts import counted
from django_roomchat.models import ReadMarker, Room
from django_roomchat.protocol import Marked
from django_roomchat.rooms import lookup
from django_roomchat.text import values


@dataclass(frozen=True, slots=True)
class Mark:
    """A request to move a read marker."""

    who: Identity
    room: str
    """The room's name in any spelling."""
    seq: int


# Markers ------------------------------------------------------------------------------------------------------------


def mark_read(room: str | Room, seq: int, *, by: Actor) -> Marked:
    """Move a person's read marker in a room forward. A marker never moves back.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        seq: sequence number of the last message read; numbers beyond the last message are lowered to it.
        by: the user or identity whose marker moves, which must be allowed to enter the room.

    Returns:
        The position of the marker (``room``, ``seq``) and the number of ``unread`` messages and ``mentions`` after it, each at
        most 100.

    Raises:
        ChatError: the request is rejected.
            Codes: ``bad_room_name``, ``bad_value``, ``banned``, ``forbidden``, ``members_only``,
            ``name_taken``, ``no_permission``, ``no_such_room``, ``sign_in``.
    """
    [result] = mark_all([Mark(identity.person_of(by), lookup.name_of(room), seq)])
    if isinstance(result, ChatError):
        raise result
    return result


def marker_of(who: Identity, room: Room) -> tuple[int, bool]:
    """Return the sequence number of a person's read marker, 0 without one, and whether they have muted the room."""
    if room.pk is None:
        return 0, False
    rows = ReadMarker.objects.using(database()).filter(room_id=room.pk, key=who.key)
    return rows.values_list("seq", "is_muted").first() or (0, False)


amark_read = twin(mark_read)


def mark_all(marks: Sequence[Mark]) -> list[Marked | ChatError]:
    """Move many read markers in one transaction. Return for each, in order, its new position or the error that rejected it."""
    results: list[Marked | ChatError | None] = [None] * len(marks)
    names: dict[int, str] = {}
    for index, mark in enumerate(marks):
        try:
            values.sequence_number(mark.seq)
            names[index] = lookup.canonical_name(mark.room)
        except ChatError as error:
            results[index] = error
    rooms = {room.name: room for room in lookup.logged_rooms().filter(name__in=set(names.values()))}
    wanted: dict[tuple[int, str], Mark] = {}
    for index, name in names.items():
        mark, room = marks[index], rooms.get(name)
        try:
            if room is None:
                lookup.enter_room(mark.who, mark.room)
                results[index] = Marked(name, 0, 0, 0)
                continue
            policy.require_entry(mark.who, room)
        except ChatError as error:
            results[index] = error
            continue
        before = wanted.get((room.pk, mark.who.key))
        if before is None or before.seq < mark.seq:
            wanted[room.pk, mark.who.key] = mark
    heads = {room.pk: room.log.head for room in rooms.values()}
    counted = _mark(wanted, heads) if wanted else {}
    for index, name in names.items():
        if results[index] is None:
            results[index] = counted[rooms[name].pk, marks[index].who.key]
    return [result for result in results if result is not None]


def _mark(wanted: dict[tuple[int, str], Mark], heads: dict[int, int]) -> dict[tuple[int, str], Marked]:
    markers = ReadMarker.objects.using(database())
    rows_of_people = markers.filter(
        room_id__in={room for room, _ in wanted}, key__in={key for _, key in wanted}
    ).order_by("pk")
    positions = {(room, key): min(mark.seq, heads[room]) for (room, key), mark in wanted.items()}
    now = timezone.now()
    with transaction.atomic(using=database()):
        # Lock the rows in one order, so that two processes cannot deadlock.
        found = [
            marker for marker in rows_of_people.select_for_update() if (marker.room_id, marker.key) in wanted
        ]
        for marker in found:
            # Compared with the row under its lock, because another process may have moved it further.
            marker.seq = Greatest(F("seq"), Value(positions[marker.room_id, marker.key]))
            marker.read_at = now
        markers.bulk_update(found, ["seq", "read_at"])
        missing = wanted.keys() - {(marker.room_id, marker.key) for marker in found}
        markers.bulk_create(
            (
                ReadMarker(
                    room_id=room,
                    key=key,
                    user=wanted[room, key].who.user,
                    seq=positions[room, key],
                    read_at=now,
                )
                for room, key in missing
            ),
            ignore_conflicts=True,
        )
        rows = counted(rows_of_people, "room_id", "key", "room__name", "seq")
        marked = {
            (room, key): Marked(name, seq, unread, mentions)
            for room, key, name, seq, unread, mentions in rows
            if (room, key) in wanted
        }
        notices = [
            [key, done.room, done.seq, done.unread, done.mentions] for (_, key), done in marked.items()
        ]
        log.on_commit(pubsub.publish, pubsub.Notice("read", {"id": uuid4().hex, "marks": notices}))
    return marked


def set_notifications(room: str | Room, *, by: Actor, enabled: bool) -> Room:
    """Turn a person's notifications from a room on or off.

    While they are off, the room is left out of the signal ``unread_for_a_while``. Its unread counts continue.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        by: the user or identity whose notifications are set, which must be allowed to enter the room.
        enabled: ``True`` turns notifications on, as they are at first; ``False`` turns them off.

    Returns:
        The room.

    Raises:
        ChatError: the request is rejected.
            Codes: ``bad_room_name``, ``bad_value``, ``banned``, ``forbidden``, ``members_only``,
            ``name_taken``, ``no_permission``, ``no_such_room``, ``sign_in``.
    """
    values.of_type(enabled, bool, "“enabled”")
    person = identity.person_of(by)
    found = lookup.enter_room(person, lookup.name_of(room))
    if found.pk is not None:
        ReadMarker.objects.using(database()).update_or_create(
            {"is_muted": not enabled},
            {"is_muted": not enabled, "user": person.user},
            room=found,
            key=person.key,
        )
    return found


aset_notifications = twin(set_notifications)
