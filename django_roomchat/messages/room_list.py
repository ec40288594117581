"""Room list of a person, with unread counts and the latest message of each room, in three queries for any number of rooms."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import connections, models
from django.db.models import Case, Exists, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone
from django.utils.translation import gettext

from django_roomchat import identity, log, policy
from django_roomchat.database import database, twin
from django_roomchat.files import records
from django_roomchat.identity import Actor, Identity
from django_roomchat.messages.unread_counts import (
    IS_SYSTEM_MESSAGE,
    Position,
    can_refer,
    count_each,
    count_messages,
    mentions_of,
)
from django_roomchat.models import Ban, Membership, Message, ReadMarker, Room
from django_roomchat.policy import roles
from django_roomchat.protocol import LastMessage, ListedRoom
from django_roomchat.rooms import lookup
from django_roomchat.text import values

ROOMS_MAX = 500
"""Maximum number of rooms in a list."""


def unread(user: Actor, *, limit: int = ROOMS_MAX) -> list[ListedRoom]:
    """Return a person's room list with unread counts. Makes three queries.

    Args:
        user: a user or an identity.
        limit: maximum number of rooms, at most 500. The person's own rooms take precedence.

    Returns:
        The rooms of which the person is a member or which they have read, and the listed open rooms that the policy shows to
        them, sorted by their latest message, newest first. A direct room that the person has left is missing until the next
        message.

    Raises:
        BadValue: *limit* is negative.
            Codes: ``bad_value``.
    """
    values.sequence_number(limit, "“limit”")
    person = identity.person_of(user)
    key = person.key
    member = Membership.objects.using(database()).filter(key=key)
    marker = ReadMarker.objects.using(database()).filter(key=key)
    is_own = Q(pk__in=member.values("room_id")) | Q(pk__in=marker.values("room_id"))
    is_listed = Q(is_listed=True, visibility=Room.Visibility.OPEN, log__head__gt=0)
    found = lookup.logged_rooms().filter(is_own | is_listed)
    own_first = Case(When(is_own, then=0), default=1, output_field=models.IntegerField())
    chosen = list(
        found.order_by(own_first, "-log__changed_at", "-pk").values_list("pk", flat=True)[
            : min(limit, ROOMS_MAX)
        ]
    )
    here = {"room": OuterRef("pk"), "key": key}
    in_force = Ban.objects.filter(Q(until=None) | Q(until__gt=timezone.now()), **here)
    its_marker = ReadMarker.objects.filter(**here)
    its_member = Membership.objects.filter(**here)
    # Without a marker, a member has missed the messages since they became a member.
    since = Case(
        When(Exists(its_marker), then=_always()),
        default=Subquery(its_member.values("created_at")[:1]),
        output_field=models.DateTimeField(),
    )
    is_said = Q(deleted_at=None) & ~IS_SYSTEM_MESSAGE
    annotated = (
        lookup.logged_rooms()
        .filter(pk__in=chosen)
        .annotate(
            seq=Coalesce(Subquery(its_marker.values("seq")[:1]), 0, output_field=models.BigIntegerField()),
            left_seq=Subquery(its_marker.values("left_seq")[:1]),
            muted=Coalesce(Subquery(its_marker.values("is_muted")[:1]), False),
            since=since,
            has_marker=Exists(its_marker),
            role=Coalesce(Subquery(its_member.values("role")[:1]), Value("")),
            is_banned=Exists(in_force),
            newest=Subquery(
                Message.objects.filter(is_said, room=OuterRef("pk")).order_by("-seq").values("pk")[:1]
            ),
            other=Case(
                When(visibility=Room.Visibility.DIRECT, then=Subquery(_other_than(key).values("name")[:1])),
                default=None,
                output_field=models.CharField(),
            ),
        )
        .order_by("-log__changed_at", "-pk")
    )
    rooms: list[Any] = []
    if can_refer():
        pk, seq, missed = OuterRef("pk"), OuterRef("seq"), Q(created_at__gt=OuterRef("since"))
        has_been = Q(has_marker=True) | ~Q(role="")
        mentions = missed & mentions_of(Value(key))
        rooms += annotated.annotate(
            unread=_where(has_been, count_messages(pk, Value(key), seq, missed)),
            mentions=_where(has_been, count_messages(pk, Value(key), seq, mentions)),
        )
    else:
        rooms += annotated
        _count(rooms, key)
    last = _last([room.newest for room in rooms])
    listed = [
        _listed(room, last.get(room.newest))
        for room in rooms
        if not _is_left(room, last.get(room.newest)) and _may_list(person, room)
    ]
    return sorted(listed, key=lambda room: room.last.at if room.last else room.changed_at, reverse=True)


aunread = twin(unread)


def _always() -> Any:
    """Return a time before every message, aware or naive as the database has it."""
    time = Value(datetime(1970, 1, 1, tzinfo=UTC if settings.USE_TZ else None))
    # In the parameters of a query, a time is text for MySQL and MariaDB.
    is_text = connections[database()].vendor == "mysql"
    return Cast(time, models.DateTimeField()) if is_text else time


def _count(rooms: list[Any], key: str) -> None:
    """Set the counts of the rooms, on databases whose query of the rooms cannot count."""
    to_count = []
    for room in rooms:
        room.unread = room.mentions = 0
        if (room.has_marker or room.role) and room.log.head > room.seq:
            to_count.append(room)
    at = [Position(room.pk, key, room.seq, None if room.has_marker else room.since) for room in to_count]
    for room, counts in zip(to_count, count_each(at), strict=True):
        room.unread, room.mentions = counts


def _where(condition: Q, count: Any) -> Case:
    """Return an expression that counts only where the condition is met, else 0."""
    return Case(When(condition, then=count), default=0, output_field=models.IntegerField())


def _other_than(key: str) -> models.QuerySet[Membership]:
    return Membership.objects.filter(room=OuterRef("pk")).exclude(key=key)


def _last(messages: Iterable[int | None]) -> dict[Any, LastMessage]:
    wanted = [message for message in messages if message is not None]
    rows = Message.objects.using(database()).filter(pk__in=wanted)
    return {
        pk: LastMessage(seq, log.iso(at), key, name, records.summary(body, sent)[: log.QUOTE_LENGTH])
        for pk, seq, at, key, name, body, sent in rows.values_list(
            "pk", "seq", "created_at", "author_key", "author_name", "body", "data__files"
        )
    }


def _is_left(room: Any, last: LastMessage | None) -> bool:
    """Return whether the person has left a direct room, and nothing was posted since."""
    return room.left_seq is not None and (last is None or last.seq <= room.left_seq)


def _may_list(who: Identity, room: Any) -> bool:
    if who.is_site:
        return True
    roles.prime_cache(who.key, room, role_state(room))
    if room.role or room.has_marker:
        return policy.allows(policy.require_entry, who, room)
    return not room.is_banned and bool(policy.policy().can_list(who, room))


def role_state(row: Any) -> roles.RoleState:
    """Return the role and ban annotated on a row. Mutes are not loaded, because no check of a list needs them."""
    return roles.RoleState(row.role, roles.Sanction("", None) if row.is_banned else None)


def _listed(room: Any, last: LastMessage | None) -> ListedRoom:
    return ListedRoom(
        name=room.name,
        title=_title(room),
        visibility=room.visibility,
        head=room.log.head,
        changed_at=log.iso(room.log.changed_at),
        role=room.role,
        unread=room.unread,
        mentions=room.mentions,
        last=last,
        muted=room.muted,
        yours=bool(room.role or room.has_marker),
        archived=room.archived_at is not None,
    )


def _title(room: Any) -> str:
    if room.visibility != Room.Visibility.DIRECT:
        return str(room.title)
    # A person who was erased is no longer a member.
    return room.other or gettext(identity.ERASED_NAME)
