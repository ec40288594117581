"""Earlier texts of edited messages, for sites that keep them (``ROOMCHAT["EDIT_HISTORY"]``)."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.utils.translation import gettext_noop as _

from django_roomchat import identity, policy
from django_roomchat.database import database
from django_roomchat.errors import NotFound
from django_roomchat.models import Message, Room
from django_roomchat.protocol import EarlierText
from django_roomchat.rooms import lookup


def earlier_texts(room: str | Room, seq: int, *, by: Any = None) -> list[EarlierText]:
    """Return the earlier texts of an edited message. A deleted message has none.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        seq: sequence number of the message.
        by: the acting user or identity; the policy's ``can_see_edits`` must allow it. Without one the site acts.

    Returns:
        At most 10 texts, oldest first, each with the time at which it was written.

    Raises:
        ChatError: the message does not exist, or the policy denies it.
    """
    who = identity.identity_of(by)
    found = lookup.enter_room(who, lookup.name_of(room))
    messages = Message.objects.using(database()).filter(room_id=found.pk, seq=seq)
    message = messages.first() if found.pk is not None else None
    if message is None:
        raise NotFound(_("There is no message %(seq)d in this room."), seq=seq)
    if not who.is_site:
        policy.require(policy.policy().can_see_edits(who, found, message))
    return [EarlierText(said["body"], said["at"]) for said in message.data.get("earlier") or ()]


async def aearlier_texts(room: str | Room, seq: int, *, by: Any = None) -> list[EarlierText]:
    """See :func:`earlier_texts`."""
    return await sync_to_async(earlier_texts)(room, seq, by=by)
