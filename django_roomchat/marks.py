"""Read markers, unread counts, the room list, and notifications about unread messages.

At most WINDOW messages after a marker are counted, so that the cost does not depend on the length of the room.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import uuid4

from asgiref.sync import sync_to_async
from django.db import models, transaction
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce, Concat, Greatest
from django.utils import timezone

from django_roomchat import identity, log, policy, pubsub, signals
from django_roomchat.database import database
from django_roomchat.errors import BadValue, ChatError
from django_roomchat.files import records
from django_roomchat.identity import Identity
from django_roomchat.models import Ban, Membership, Message, ReadMarker, Room, RoomLog
from django_roomchat.policy import roles
from django_roomchat.protocol import LastMessage, ListedRoom, Marked
from django_roomchat.rooms import lookup

WINDOW = 100
"""Maximum number of messages that are counted."""
ROOMS_MAX = 500
"""Maximum number of rooms in a list."""
CHUNK = 500
"""Number of read markers processed in one batch."""
_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
_IS_LINE = Q(kind=Message.Kind.SYSTEM, data__has_key="line")
"""Condition for system messages, which do not count as unread."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A request to move a read marker."""

    who: Identity
    room: str
    """The room's name in any spelling."""
    seq: int


# Markers ------------------------------------------------------------------------------------------------------------


def mark_read(room: str | Room, seq: int, who: Any) -> Marked:
    """Move a person's read marker in a room forward. A marker never moves back.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        seq: sequence number of the last message read; numbers beyond the last message are lowered to it.
        who: a user of the project or an :class:`~django_roomchat.identity.Identity`, which must be allowed to enter.

    Returns:
        The position of the marker (``room``, ``seq``) and the number of ``unread`` messages and ``mentions`` after it, each at
        most 100.

    Raises:
        ChatError: the request is rejected.
    """
    [result] = mark_all([Mark(identity.identity_of(who), lookup.name_of(room), seq)])
    if isinstance(result, ChatError):
        raise result
    return result


def marker_of(who: Identity, room: Room) -> tuple[int, bool]:
    """Return the sequence number of a person's read marker, 0 without one, and whether they have muted the room."""
    if room.pk is None:
        return 0, False
    rows = ReadMarker.objects.using(database()).filter(room_id=room.pk, key=who.key)
    return rows.values_list("seq", "is_muted").first() or (0, False)


async def amark_read(room: str | Room, seq: int, who: Any) -> Marked:
    """See :func:`mark_read`."""
    return await sync_to_async(mark_read)(room, seq, who)


def mark_all(marks: Sequence[Mark]) -> list[Marked | ChatError]:
    """Move many read markers in one transaction. Return for each, in order, its new position or the error that rejected it."""
    results: list[Marked | ChatError | None] = [None] * len(marks)
    names: dict[int, str] = {}
    for place, mark in enumerate(marks):
        try:
            if mark.seq < 0:
                raise BadValue(f"A sequence number must be 0 or more, not {mark.seq}.")
            names[place] = lookup.canonical_name(mark.room)
        except ChatError as error:
            results[place] = error
    rooms = {room.name: room for room in _rooms().filter(name__in=set(names.values()))}
    wanted: dict[tuple[int, str], Mark] = {}
    for place, name in names.items():
        mark, room = marks[place], rooms.get(name)
        try:
            if room is None:
                lookup.enter_room(mark.who, mark.room)
                results[place] = Marked(name, 0, 0, 0)
                continue
            policy.require_entry(mark.who, room)
        except ChatError as error:
            results[place] = error
            continue
        before = wanted.get((room.pk, mark.who.key))
        if before is None or before.seq < mark.seq:
            wanted[room.pk, mark.who.key] = mark
    heads = {room.pk: room.log.head for room in rooms.values()}
    counted = _mark(wanted, heads) if wanted else {}
    for place, name in names.items():
        if results[place] is None:
            results[place] = counted[rooms[name].pk, marks[place].who.key]
    return [result for result in results if result is not None]


def _mark(wanted: dict[tuple[int, str], Mark], heads: dict[int, int]) -> dict[tuple[int, str], Marked]:
    markers = ReadMarker.objects.using(database())
    mine = markers.filter(
        room_id__in={room for room, _ in wanted}, key__in={key for _, key in wanted}
    ).order_by("pk")
    places = {place: min(mark.seq, heads[place[0]]) for place, mark in wanted.items()}
    now = timezone.now()
    with transaction.atomic(using=database()):
        # Lock the rows in one order, so that two processes cannot deadlock.
        found = [marker for marker in mine.select_for_update() if (marker.room_id, marker.key) in wanted]
        for marker in found:
            # Compared with the row under its lock, because another process may have moved it further.
            marker.seq = Greatest(F("seq"), Value(places[marker.room_id, marker.key]))
            marker.read_at = now
        markers.bulk_update(found, ["seq", "read_at"])
        missing = wanted.keys() - {(marker.room_id, marker.key) for marker in found}
        markers.bulk_create(
            (
                ReadMarker(
                    room_id=room,
                    key=key,
                    user=wanted[room, key].who.user,
                    seq=places[room, key],
                    read_at=now,
                )
                for room, key in missing
            ),
            ignore_conflicts=True,
        )
        rows = _counted(mine).values_list("room_id", "key", "room__name", "seq", "unread", "mentions")
        marked = {
            (room, key): Marked(name, seq, unread, mentions)
            for room, key, name, seq, unread, mentions in rows
            if (room, key) in wanted
        }
        told = [[key, done.room, done.seq, done.unread, done.mentions] for (_, key), done in marked.items()]
        log.on_commit(pubsub.publish, pubsub.Notice("read", {"id": uuid4().hex, "marks": told}))
    return marked


def mute_notifications(room: str | Room, who: Any, *, on: bool = False) -> Room:
    """Turn a person's notifications from a room off or on.

    A muted room is left out of the signal ``unread_for_a_while``. Its unread counts continue.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        who: a user of the project or an :class:`~django_roomchat.identity.Identity`, which must be allowed to enter.
        on: ``False`` turns notifications off, ``True`` turns them on again.

    Returns:
        The room.

    Raises:
        ChatError: the request is rejected.
    """
    person = identity.identity_of(who)
    found = lookup.enter_room(person, lookup.name_of(room))
    if found.pk is not None:
        ReadMarker.objects.using(database()).update_or_create(
            {"is_muted": not on}, {"is_muted": not on, "user": person.user}, room=found, key=person.key
        )
    return found


async def amute_notifications(room: str | Room, who: Any, *, on: bool = False) -> Room:
    """See :func:`mute_notifications`."""
    return await sync_to_async(mute_notifications)(room, who, on=on)


# Counts -------------------------------------------------------------------------------------------------------------


class _Sum(Subquery):
    """SQL sum of the single column of a subquery."""

    template = "(SELECT COALESCE(SUM(looked_at.n), 0) FROM (%(subquery)s) AS looked_at)"
    output_field = models.IntegerField()


def _sum(room: str, key: Any, seq: Any, condition: Q, *, order: str = "-seq") -> _Sum:
    """Return an expression that counts messages of others after a marker that meet a condition, among at most WINDOW messages.

    Args:
        room, key, seq: references to the outer query: the room's primary key, the marker's identity key and its sequence number.
        condition: condition on a message, in which ``text`` is the message's data as JSON text.
        order: ``-seq`` to look at the last messages, ``seq`` to look at the first.
    """
    counts = Q(deleted_at=None) & ~Q(author_key=key) & ~_IS_LINE & condition
    messages = Message.objects.filter(room=OuterRef(room), seq__gt=seq).order_by(order)
    with_data = messages.annotate(text=Cast("data", models.TextField()))
    return _Sum(
        with_data.annotate(
            n=Case(When(counts, then=1), default=0, output_field=models.IntegerField())
        ).values("n")[:WINDOW]
    )


def _mentions(key: Any) -> Q:
    # All databases and Python serialise JSON with this spacing. No other field in a message's data is called "key".
    return Q(text__contains=Concat(Value('"key": "'), key, Value('"'), output_field=models.TextField()))


def _counted(markers: models.QuerySet[ReadMarker]) -> Any:
    """Annotate read markers with the number of ``unread`` messages after them and of ``mentions`` among these."""
    whose, since = OuterRef("key"), OuterRef("seq")
    return markers.annotate(
        unread=_sum("room_id", whose, since, Q()),
        mentions=_sum("room_id", whose, since, _mentions(whose)),
    )


def _rooms() -> models.QuerySet[Room]:
    return Room.objects.using(database()).filter(log__isnull=False).select_related("log")


# Room list ------------------------------------------------------------------------------------------------------------


def unread(who: Any, *, limit: int = ROOMS_MAX) -> list[ListedRoom]:
    """Return a person's room list with unread counts. Makes three queries.

    Args:
        who: a user of the project or an :class:`~django_roomchat.identity.Identity`.
        limit: maximum number of rooms, at most 500. The person's own rooms take precedence.

    Returns:
        The rooms of which the person is a member or which they have read, and the listed open rooms that the policy shows to
        them, sorted by their latest message, newest first.
    """
    person = identity.identity_of(who)
    key = person.key
    member = Membership.objects.using(database()).filter(key=key)
    marker = ReadMarker.objects.using(database()).filter(key=key)
    is_own = Q(pk__in=member.values("room_id")) | Q(pk__in=marker.values("room_id"))
    is_listed = Q(is_listed=True, visibility=Room.Visibility.OPEN, log__head__gt=0)
    found = _rooms().filter(is_own | is_listed)
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
        When(Exists(its_marker), then=Value(_ALWAYS)),
        default=Subquery(its_member.values("created_at")[:1]),
        output_field=models.DateTimeField(),
    )
    missed = Q(created_at__gt=OuterRef("since"))
    has_been = Q(has_marker=True) | ~Q(role="")
    is_said = Q(deleted_at=None) & ~_IS_LINE
    rooms = list(
        _rooms()
        .filter(pk__in=chosen)
        .annotate(
            seq=Coalesce(Subquery(its_marker.values("seq")[:1]), 0, output_field=models.BigIntegerField()),
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
        .annotate(
            unread=_where(has_been, _sum("pk", Value(key), OuterRef("seq"), missed)),
            mentions=_where(
                has_been, _sum("pk", Value(key), OuterRef("seq"), missed & _mentions(Value(key)))
            ),
        )
        .order_by("-log__changed_at", "-pk")
    )
    last = _last([room.newest for room in rooms])
    listed = [_listed(room, last.get(room.newest)) for room in rooms if _may_list(person, room)]
    return sorted(listed, key=lambda room: room.last.at if room.last else room.changed_at, reverse=True)


async def aunread(who: Any, *, limit: int = ROOMS_MAX) -> list[ListedRoom]:
    """See :func:`unread`."""
    return await sync_to_async(unread)(who, limit=limit)


def _where(condition: Q, count: _Sum) -> Case:
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


def _may_list(who: Identity, room: Any) -> bool:
    if who.is_site:
        return True
    roles.prime_cache(who.key, room, _standing(room))
    if room.role or room.has_marker:
        return _lets_in(who, room)
    return not room.is_banned and bool(policy.policy().can_list(who, room))


def _standing(row: Any) -> roles.RoleState:
    """Return the role and ban annotated on a row. Mutes are not loaded, because no check of a list needs them."""
    return roles.RoleState(row.role, roles.Sanction("", None) if row.is_banned else None)


def _listed(room: Any, last: LastMessage | None) -> ListedRoom:
    return ListedRoom(
        name=room.name,
        title=room.other or room.title,
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


# Unread notifications ---------------------------------------------------------------------------------------------------


def notify_unread(minutes: float = 10) -> int:
    """Send the signal ``unread_for_a_while`` for every user with messages that stay unread. Run it periodically.

    A user is notified of a room once, and again only after they have read it and new messages stay unread. Rooms that the user
    has muted or may not enter are left out. Guests are never notified.

    Args:
        minutes: minimum age of the first unread message, in minutes.

    Returns:
        The number of users for whom the signal was sent.
    """
    _give_members_markers()
    old = Q(created_at__lte=timezone.now() - timedelta(minutes=minutes))
    whose, since = OuterRef("key"), OuterRef("seq")
    markers = ReadMarker.objects.using(database())
    waiting = markers.filter(
        user__isnull=False, is_muted=False, notified_seq__lte=F("seq"), room__log__head__gt=F("seq")
    )
    late = _counted(waiting.annotate(late=_sum("room_id", whose, since, old, order="seq")).filter(late__gt=0))
    rows = list(late.order_by("user_id", "pk").values_list("user_id", "pk", "unread", "mentions"))
    users = 0
    for chunk in _chunks(rows):
        users += _notify({pk: (unread, mentions) for _, pk, unread, mentions in chunk})
    return users


async def anotify_unread(minutes: float = 10) -> int:
    """See :func:`notify_unread`."""
    return await sync_to_async(notify_unread)(minutes)


def _chunks(rows: list[tuple[Any, int, int, int]]) -> Iterable[list[tuple[Any, int, int, int]]]:
    """Yield batches of about CHUNK rows that keep the rows of each user together."""
    chunk: list[tuple[Any, int, int, int]] = []
    for _, mine in groupby(rows, key=lambda row: row[0]):
        chunk += mine
        if len(chunk) >= CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _notify(counts: dict[int, tuple[int, int]]) -> int:
    markers = ReadMarker.objects.using(database()).filter(notified_seq__lte=F("seq"))
    heads = RoomLog.objects.filter(room=OuterRef("room_id")).values("head")
    here = {"room": OuterRef("room_id"), "key": OuterRef("key")}
    claimed: list[Any] = []
    for some in _portions(list(counts)):
        with transaction.atomic(using=database()):
            # Claim the rows before sending the signal, so that two concurrent runs notify once.
            mine = list(
                markers.filter(pk__in=some).select_for_update().order_by("pk").values_list("pk", flat=True)
            )
            found = ReadMarker.objects.using(database()).filter(pk__in=mine)
            found.update(notified_seq=Subquery(heads))
        claimed += (
            found.select_related("room__log", "user")
            .annotate(
                role=Coalesce(Subquery(Membership.objects.filter(**here).values("role")[:1]), Value("")),
                is_banned=Exists(Ban.objects.filter(Q(until=None) | Q(until__gt=timezone.now()), **here)),
            )
            .order_by("user_id", "-room__log__changed_at")
        )
    users = 0
    claimed.sort(key=lambda marker: str(marker.user_id))
    for _, of_user in groupby(claimed, key=lambda marker: marker.user_id):
        theirs = [marker for marker in of_user if _may_enter(marker)]
        if theirs:
            users += 1
            rooms = [(marker.room, *counts[marker.pk]) for marker in theirs]
            signals.unread_for_a_while.send_robust(ReadMarker, user=theirs[0].user, rooms=rooms)
    return users


def _may_enter(marker: Any) -> bool:
    if not getattr(marker.user, "is_active", True):
        return False
    who = replace(identity.identity_of(marker.user), key=marker.key)
    roles.prime_cache(who.key, marker.room, _standing(marker))
    return _lets_in(who, marker.room)


def _lets_in(who: Identity, room: Room) -> bool:
    try:
        policy.require_entry(who, room)
    except ChatError:
        return False
    return True


def _give_members_markers() -> None:
    """Create missing read markers of members. They start at the last message before the person became a member."""
    has_marker = ReadMarker.objects.filter(room=OuterRef("room"), key=OuterRef("key"))
    before = Message.objects.filter(room=OuterRef("room"), created_at__lte=OuterRef("created_at"))
    rows = (
        Membership.objects.using(database())
        .filter(~Exists(has_marker), user__isnull=False, room__log__head__gt=0)
        .annotate(seq=Coalesce(Subquery(before.order_by("-seq").values("seq")[:1]), 0))
        .values_list("room_id", "key", "user_id", "seq")
    )
    for some in _portions(list(rows)):
        ReadMarker.objects.using(database()).bulk_create(
            (ReadMarker(room_id=room, key=key, user_id=user, seq=seq) for room, key, user, seq in some),
            ignore_conflicts=True,
        )


def _portions(rows: list[Any]) -> Iterable[list[Any]]:
    return (rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK))
