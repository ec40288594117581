"""Pinned messages of a room. A pin is a change of the message, so clients receive it like an edit."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from django_roomchat import identity, log, policy, signals
from django_roomchat.database import database, twin
from django_roomchat.errors import Forbidden
from django_roomchat.identity import Actor, Identity
from django_roomchat.log.sequence import Claim, lock_timeout, set_lock_timeout, take
from django_roomchat.messages.change import change_message, require_message
from django_roomchat.messages.types import Posted
from django_roomchat.models import Message, Room
from django_roomchat.policy import audit_trail
from django_roomchat.protocol import Event
from django_roomchat.rooms import lookup, system_messages
from django_roomchat.text import values

PINS_MAX = 50
"""Maximum number of pinned messages in a room."""


def pin_message(room: str | Room, seq: int, on: bool = True, *, by: Actor | None = None) -> Posted:
    """Pin or unpin a message. It keeps its sequence number and takes the room's next revision.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        seq: sequence number of the message.
        on: ``True`` pins the message, ``False`` unpins it.
        by: the acting user or identity, which must be allowed to pin. Without one the site acts.

    Returns:
        The room and sequence number of the message; ``duplicate`` if nothing changed.

    Raises:
        ChatError: the change is rejected.
            Codes: ``archived``, ``bad_room_name``, ``bad_value``, ``banned``, ``blocked``,
            ``busy``, ``forbidden``, ``members_only``, ``muted``, ``name_taken``, ``no_permission``,
            ``no_such_room``, ``not_found``, ``sign_in``, ``too_many``, ``unreachable``.
    """
    who = identity.identity_of(by)

    def make(room: Room, message: Message) -> bool:
        policy.require_active(who, room, "can_pin")
        require_message(message)
        if on == (message.pinned_at is not None):
            return False
        pinned = Message.objects.using(database()).filter(room=room, pinned_at__isnull=False)
        if on and pinned.count() >= PINS_MAX:
            raise Forbidden(
                _("A room can have at most %(most)d pinned messages; unpin one first."),
                most=PINS_MAX,
                code="too_many",
            )
        message.pinned_at = timezone.now() if on else None
        author = Identity(message.author_key, message.author_name)
        audit_trail.record("pin" if on else "unpin", who, room=room.name, target=author, seq=seq)
        return True

    def tell(room: str, event: Event) -> None:
        signals.pin_changed.send_robust(Message, room=room, event=event, by=who, on=on)

    values.sequence_number(seq)
    found = lookup.enter_room(who, lookup.name_of(room))
    with transaction.atomic(using=database()):
        set_lock_timeout(lock_timeout())
        # Lock the room for both writes, so that the system message follows the pin directly.
        if found.pk is not None:
            take({found.pk: Claim(0)})
        done = change_message(room, seq, who, make, tell=tell)
        if on and not done.duplicate:
            system_messages.post_system_message(lookup.room_of(done.room), "pinned", who)
    return done


apin_message = twin(pin_message)


def pinned_messages(room: str | Room, *, by: Actor | None = None) -> list[Event]:
    """Return the pinned messages of a room.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        by: the acting user or identity, which must be allowed to enter the room. Without one the site acts.

    Returns:
        At most 50 messages as events, the most recently pinned first.

    Raises:
        ChatError: *by* may not enter the room.
            Codes: ``bad_room_name``, ``bad_value``, ``banned``, ``forbidden``, ``members_only``,
            ``name_taken``, ``no_permission``, ``no_such_room``, ``sign_in``.
    """
    found = lookup.enter_room(identity.identity_of(by), lookup.name_of(room))
    return log.pinned(found, limit=PINS_MAX)


apinned_messages = twin(pinned_messages)
