"""Notifications of messages that have been unread for a while, as a signal with which a project sends e-mails or push messages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import compress, groupby
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from django_roomchat import identity, policy, signals
from django_roomchat.database import batches, database, twin
from django_roomchat.messages.room_list import role_state
from django_roomchat.messages.unread_counts import Position, can_refer, count_messages, counted, have_older
from django_roomchat.models import Ban, Membership, Message, ReadMarker, RoomLog
from django_roomchat.policy import roles
from django_roomchat.text import values

CHUNK = 500
"""Number of read markers processed in one batch."""


def notify_unread(minutes: float = 10) -> int:
    """Send the signal ``unread_for_a_while`` for every user with messages that stay unread. Run it periodically.

    A user is notified of a room once, and again only after they have read it and new messages stay unread. Rooms that the user
    has muted or may not enter are left out. Guests are never notified.

    Args:
        minutes: minimum age of the first unread message, in minutes.

    Returns:
        The number of users for whom the signal was sent.

    Raises:
        BadValue: *minutes* is negative, not a number, or too large.
            Codes: ``bad_value``.
    """
    old = Q(created_at__lte=values.ago(timezone.now(), minutes, "“minutes”"))
    _give_members_markers()
    room, whose, since = OuterRef("room_id"), OuterRef("key"), OuterRef("seq")
    markers = ReadMarker.objects.using(database())
    waiting = markers.filter(
        user__isnull=False, is_muted=False, notified_seq__lte=F("seq"), room__log__head__gt=F("seq")
    )
    late: Any
    if can_refer():
        late = waiting.annotate(late=count_messages(room, whose, since, old, order="seq")).filter(late__gt=0)
    else:
        places = list(waiting.values_list("pk", "room_id", "key", "seq"))
        is_late = have_older([Position(*place[1:]) for place in places], old)
        late = markers.filter(pk__in=[place[0] for place in compress(places, is_late)])
    rows = counted(late.order_by("user_id", "pk"), "user_id", "pk")
    users = 0
    for chunk in _chunks(rows):
        users += _notify({pk: (unread, mentions) for _, pk, unread, mentions in chunk})
    return users


anotify_unread = twin(notify_unread)


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
    for some in batches(list(counts), CHUNK):
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
    roles.prime_cache(who.key, marker.room, role_state(marker))
    return policy.allows(policy.require_entry, who, marker.room)


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
    for some in batches(list(rows), CHUNK):
        ReadMarker.objects.using(database()).bulk_create(
            (ReadMarker(room_id=room, key=key, user_id=user, seq=seq) for room, key, user, seq in some),
            ignore_conflicts=True,
        )
