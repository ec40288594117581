"""Changes of stored messages, pruning, new epochs and verification of the numbering.

Like new messages, changes are numbered under the lock of their room, so that readers that continue from a revision receive them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from uuid import uuid4

from django.db import transaction
from django.db.models import Count, F, Max, Sum
from django.db.models.functions import Greatest
from django.utils.translation import gettext_noop as _

from django_roomchat.database import database
from django_roomchat.errors import NotFound
from django_roomchat.files import records
from django_roomchat.log.drafts import Appended
from django_roomchat.log.events import event_of_row, with_quotes
from django_roomchat.log.sequence import Claim, lock_timeout, set_lock_timeout, take
from django_roomchat.models import Message, RoomLog


def change(
    room: int,
    seq: int,
    make: Callable[[Message], bool],
    *,
    access_version: int | None = None,
) -> Appended | None:
    """Change a message. The change gets the next number. A locked room is waited for as :func:`lock_timeout` allows.

    Args:
        room: primary key of the room.
        seq: sequence number of the message.
        make: function that changes the locked message. It returns whether it changed anything, or raises an
            exception.
        access_version: access version of the room when the permissions were checked; ``None`` for no condition.

    Returns:
        The change, with ``head == prev`` if nothing was changed; ``None`` if the access version has changed.

    Raises:
        NotFound: the message does not exist.
    """
    try:
        with transaction.atomic(using=database()):
            set_lock_timeout(lock_timeout())
            taken = take({room: Claim(1, access_version)}).get(room)
            if taken is None:
                return None
            message = Message.objects.using(database()).filter(room_id=room, seq=seq).first()
            if message is None:
                raise NotFound(_("There is no message %(seq)d in this room."), seq=seq)
            if not make(message):
                raise _Unchanged(Appended(taken.epoch, taken.head - 1, taken.head - 1, [], []))
            _store(message, taken.head, _CHANGEABLE)
            return Appended(
                taken.epoch, taken.head - 1, taken.head, with_quotes(room, [event_of_row(message)]), []
            )
    except _Unchanged as unchanged:
        return unchanged.state


def change_many(room: int, seqs: Iterable[int], make: Callable[[Message], bool]) -> Appended | None:
    """Change messages of a room in one transaction. Each change gets a number.

    Args:
        room: primary key of the room.
        seqs: sequence numbers of the messages. Missing messages are skipped.
        make: function that changes a message, as for :func:`change`. It may also change the author.

    Returns:
        The changes; ``None`` if the room was deleted.
    """
    with transaction.atomic(using=database()):
        if not take({room: Claim(0)}):
            return None
        found = Message.objects.using(database()).filter(room_id=room, seq__in=list(seqs)).order_by("seq")
        changed = [message for message in found if make(message)]
        taken = take({room: Claim(len(changed))})[room]
        prev = taken.head - len(changed)
        for rev, message in enumerate(changed, prev + 1):
            _store(message, rev, (*_CHANGEABLE, *_AUTHORSHIP))
        events = with_quotes(room, [event_of_row(message) for message in changed])
        return Appended(taken.epoch, prev, taken.head, events, [])


_CHANGEABLE = ("rev", "changes", "body", "edited_at", "deleted_at", "pinned_at", "data")

_AUTHORSHIP = ("author_id", "author_key", "author_name", "client_id", "fingerprint")


def _store(message: Message, rev: int, fields: Sequence[str]) -> None:
    message.rev = rev
    message.changes += 1
    changed = {field: getattr(message, field) for field in fields}
    Message.objects.using(database()).filter(pk=message.pk).update(**changed)


class _Unchanged(Exception):
    """Rolls back the transaction, including the allocated number, which is not needed."""

    def __init__(self, state: Appended) -> None:
        self.state = state


def prune(room: int, through: int) -> int:
    """Delete the messages of a room up to a sequence number.

    The floor rises to their latest revision. Readers below the floor receive the newest page again.

    Args:
        room: primary key of the room.
        through: last sequence number to delete.

    Returns:
        Number of deleted messages.
    """
    with transaction.atomic(using=database()):
        if not take({room: Claim(0)}):
            return 0
        old = Message.objects.using(database()).filter(room_id=room, seq__lte=through)
        sums = old.aggregate(count=Count("pk"), rev=Max("rev"), changes=Sum("changes"))
        if sums["count"]:
            RoomLog.objects.using(database()).filter(pk=room).update(
                floor=Greatest("floor", sums["rev"]),
                pruned_changes=F("pruned_changes") + sums["count"] + sums["changes"],
            )
            old.delete()
            records.release(records.rows().filter(room_id=room, seq__lte=through))
        return int(sums["count"])


def start_new_epoch(room: int) -> None:
    """Give the log of a room a new epoch, for example after restoring a backup. All clients then discard what
    they have and start over.

    Args:
        room: primary key of the room.
    """
    RoomLog.objects.using(database()).filter(pk=room).update(epoch=uuid4())


def verify(log: RoomLog) -> list[str]:
    """Verify the numbering of a room: every number must belong to one change of one message.

    Args:
        log: the log of the room.

    Returns:
        Errors, one sentence each; an empty list if the numbering is correct.
    """
    messages = Message.objects.using(database()).filter(room_id=log.pk)
    sums = messages.aggregate(count=Count("pk"), last=Max("rev"), changes=Sum("changes"))
    accounted = sums["count"] + (sums["changes"] or 0) + log.pruned_changes
    found = []
    if accounted != log.head:
        found.append(f"the head is {log.head}, but {accounted} changes are accounted for")
    if (sums["last"] or 0) > log.head:
        found.append(f"a message has the revision {sums['last']}, above the head {log.head}")
    if log.head > max(sums["last"] or 0, log.floor):
        found.append(f"the last change is {sums['last'] or 0}, below the head {log.head}")
    shared = messages.values("rev").annotate(times=Count("pk")).filter(times__gt=1)
    found += [f"the revision {row['rev']} is on {row['times']} messages" for row in shared]
    untouched = messages.filter(changes=0).exclude(rev=F("seq")).count()
    if untouched:
        found.append(f"{untouched} messages have a new revision without a change")
    return found
