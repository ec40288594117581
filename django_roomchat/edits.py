"""What an edited message said before, where the site keeps that (``ROOMCHAT["EDIT_HISTORY"]``)."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.utils.translation import gettext_noop as _

from django_roomchat import actions, policy
from django_roomchat.counter import database
from django_roomchat.errors import NotFound
from django_roomchat.models import Message, Room
from django_roomchat.protocol import EarlierText


def earlier_texts(room: str | Room, seq: int, *, by: Any = None) -> list[EarlierText]:
    """What a message said before it was edited, the oldest first: at most 10 texts. Nothing is left of a deleted one.

    Args:
        room: its name, however typed, or the room.
        seq: the message's place.
        by: who wants to see it, whom ``can_see_edits`` of the policy has to allow it; without one the project itself.

    Raises:
        ChatError: it is refused.
    """
    who = actions.identity_of(by)
    found = actions.enter_room(who, actions.name_of(room))
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
