"""Reading the history of a room page by page, and deleting old messages according to a retention period."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from django_roomchat import log
from django_roomchat.conf import config
from django_roomchat.database import database, paged, twin
from django_roomchat.errors import BadValue
from django_roomchat.identity import Actor, identity_of
from django_roomchat.models import Message, Room
from django_roomchat.protocol import Event
from django_roomchat.rooms.lookup import canonical_name, enter_room, name_of
from django_roomchat.text import values

# Pruning ----------------------------------------------------------------------------------------------------------


def prune_history(
    *,
    rooms: Iterable[str | Room] | None = None,
    older_than: timedelta | None = None,
    keep: int | None = None,
    dry_run: bool = False,
) -> dict[str, int]:
    """Delete old messages permanently, one room at a time.

    Args:
        rooms: names of rooms in any spelling, or :class:`~django_roomchat.models.Room` objects; ``None`` for all rooms.
        older_than: minimum age of the deleted messages. ``None`` uses the retention period of each room
            (``Room.retention_days``); rooms without one keep messages of any age.
        keep: number of newest messages to keep in each room; ``None`` for no limit.
        dry_run: count the messages without deleting them.

    Returns:
        The number of messages that were (or would be) deleted, by canonical room name. Rooms without any are left out.

    Raises:
        ChatError: a name or a limit is invalid, and nothing is deleted.
            Codes: ``bad_room_name``, ``bad_value``.
    """
    if isinstance(rooms, str):
        raise BadValue("The rooms must be a list of rooms, not a single name.")
    values.iterable(rooms or (), "“rooms”")
    if older_than is not None:
        if values.of_type(older_than, timedelta, "“older_than”") < timedelta(0):
            raise BadValue("The minimum age of the messages cannot be negative.")
        values.after(timezone.now(), older_than, "“older_than”", is_past=True)
    if keep is not None:
        values.sequence_number(keep, "“keep”")
    chosen = Room.objects.using(database())
    if rooms is not None:
        chosen = chosen.filter(name__in=[canonical_name(name_of(room)) for room in rooms])
    pruned = {}
    for room in paged(chosen, "pk"):
        own = timedelta(days=room.retention_days) if room.retention_days else None
        through = _last_to_prune(room, own if older_than is None else older_than, keep)
        if through:
            old = Message.objects.using(database()).filter(room=room, seq__lte=through)
            pruned[room.name] = old.count() if dry_run else log.prune(room.pk, through)
    return {name: count for name, count in pruned.items() if count}


def _last_to_prune(room: Room, older_than: timedelta | None, keep: int | None) -> int:
    messages = Message.objects.using(database()).filter(room=room).order_by("-seq")
    ends = [0]
    if older_than is not None:
        ends += messages.filter(created_at__lt=timezone.now() - older_than).values_list("seq", flat=True)[:1]
    if keep is not None:
        ends += messages.values_list("seq", flat=True)[keep : keep + 1]
    return max(ends)


aprune_history = twin(prune_history)


# History --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class History:
    """A page of a room's messages."""

    room: Room
    messages: list[Event]
    """The messages of this page, newest first."""
    before: int | None
    """Value of ``before`` for the next older page; ``None`` on the last page."""
    epoch: str
    floor: int
    head: int
    """Revision up to which the page includes all changes of its messages."""
    after: int | None = None
    """Value of ``after`` for the next newer page, on pages requested with ``after`` or ``around``; ``None`` if there is none."""


def read_history(
    room: str | Room,
    *,
    by: Actor | None = None,
    before: int | None = None,
    after: int | None = None,
    around: int | None = None,
) -> History:
    """Return a page of a room's messages. Without ``before``, ``after`` or ``around`` it is the newest page.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        by: the acting user or identity, which must be allowed to enter the room. Without one the site acts.
        before: return messages with a lower sequence number than this one.
        after: return messages with a higher sequence number than this one.
        around: return this message and those before and after it.

    Returns:
        At most ``PAGE_MESSAGES`` messages, newest first, with the values for the next page in each direction. A room that does
        not exist yet gives an empty page.

    Raises:
        ChatError: the name is invalid, or the policy denies entry.
            Codes: ``bad_room_name``, ``bad_value``, ``banned``, ``forbidden``, ``members_only``,
            ``name_taken``, ``no_permission``, ``no_such_room``, ``sign_in``.
    """
    for name, seq in (("before", before), ("after", after), ("around", around)):
        if seq is not None:
            values.sequence_number(seq, f"“{name}”")
    found = enter_room(identity_of(by), name_of(room))
    if found.pk is None:
        return History(found, [], None, "", 0, 0)
    # Read the room's position before its messages: a change committed in between is then delivered twice rather than lost.
    state = found.log
    size = config().PAGE_MESSAGES
    newer: list[Event] = []
    has_newer = False
    if around is not None:
        newer, has_newer = log.page_after(found, around, limit=size // 2)
        before, size = around + 1, size - size // 2
    elif after is not None:
        newer, has_newer = log.page_after(found, after, limit=size)
        # Check only whether there are older messages: the client has them already.
        before, size = after + 1, 0
    older, has_older = log.page(found, before, limit=size)
    messages = newer + older
    return History(
        room=found,
        messages=messages,
        before=messages[-1].seq if messages and has_older else None,
        epoch=str(state.epoch),
        floor=state.floor,
        head=state.head,
        after=newer[0].seq if has_newer else None,
    )


aread_history = twin(read_history)
