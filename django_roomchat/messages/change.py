"""Shared steps of every change of a stored message: edits, deletions, reactions and pins.

The permission is checked with the room locked. If the rights in the room have changed since it was loaded, the change is tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from django.utils.translation import gettext_noop as _

from django_roomchat import log
from django_roomchat.errors import Busy, NotFound
from django_roomchat.identity import Identity
from django_roomchat.log.announcing import SendSignals, announce, on_commit
from django_roomchat.messages.types import Posted
from django_roomchat.models import Message, Room
from django_roomchat.rooms.lookup import enter_room, name_of
from django_roomchat.text import values

TRIES = 3
"""Attempts to store or change a message when the room's access version changes between the check and the write."""

RIGHTS_CHANGE = _("Permissions in this room are changing; try again.")


def no_such_message(seq: int) -> NotFound:
    """Return the error for a sequence number that no message of the room has."""
    return NotFound(_("There is no message %(seq)d in this room."), seq=seq)


def require_message(message: Message) -> None:
    """Raise :class:`NotFound` if *message* was deleted."""
    if message.deleted_at is not None:
        raise NotFound(_("Message %(seq)d was deleted."), seq=message.seq)


def change_message(
    room: str | Room,
    seq: int,
    who: Identity,
    make: Callable[[Room, Message], bool],
    *,
    tell: SendSignals,
) -> Posted:
    """Change a message with a callback. Edits, deletions, reactions and pins are built on this function.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        seq: sequence number of the message.
        who: the acting identity, which must be allowed to enter the room.
        make: called with the room and the message while the room is locked. It checks the policy, changes the message and
            returns whether anything changed.
        tell: sends the signals.

    Returns:
        The room and sequence number of the message; ``duplicate`` if nothing changed.

    Raises:
        ChatError: the change is rejected.
    """
    values.sequence_number(seq)
    for _attempt in range(TRIES):
        found = enter_room(who, name_of(room))
        if found.pk is None:
            raise no_such_message(seq)
        version = found.log.access_version
        done = log.change(found.pk, seq, partial(make, found), access_version=version)
        if done is not None:
            if done.events:
                on_commit(announce, found.name, done, tell)
            return Posted(found.name, "", seq, duplicate=not done.events)
    raise Busy(RIGHTS_CHANGE)


def rewrite(room: Room, seqs: Iterable[int], make: Callable[[Message], bool]) -> int:
    """Change several messages of a room in one transaction, without asking the policy.

    Args:
        room: the room of the messages.
        seqs: sequence numbers of the messages.
        make: called with each message. It changes the message and returns whether anything changed.

    Returns:
        The number of messages that were changed.
    """
    done = log.change_many(room.pk, seqs, make)
    if done is None:
        return 0
    if done.events:
        on_commit(announce, room.name, done)
    return len(done.events)
