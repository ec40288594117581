"""Emoji reactions. The rows of ``Reaction`` are authoritative; each message carries their totals to clients."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop as _

from django_roomchat import identity, policy, signals
from django_roomchat.database import database, twin
from django_roomchat.errors import Forbidden
from django_roomchat.identity import Actor
from django_roomchat.messages.change import change_message, require_message
from django_roomchat.messages.types import Posted
from django_roomchat.models import Message, Reaction, Room
from django_roomchat.protocol import Event
from django_roomchat.text.emoji import bare
from django_roomchat.text.emoji import emoji as single_emoji

KEYS_MAX = 20
"""Maximum number of identity keys that an event lists for each emoji."""
EMOJI_MAX = 20
"""Maximum number of different emoji on one message."""


def react(
    room: str | Room,
    seq: int,
    emoji: str,
    on: bool = True,
    *,
    by: Actor | None = None,
) -> Posted:
    """Add or remove a reaction to a message. The message takes the room's next revision.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        seq: sequence number of the message.
        emoji: a single emoji.
        on: ``True`` adds the reaction, ``False`` removes it.
        by: the acting user or identity, which must be allowed to react. Without one the site acts.

    Returns:
        The room and sequence number of the message; ``duplicate`` if nothing changed.

    Raises:
        ChatError: the reaction is rejected: *emoji* is not a single emoji, the message is deleted, or the policy denies it.
            Codes: ``archived``, ``bad_emoji``, ``bad_room_name``, ``bad_value``, ``banned``,
            ``blocked``, ``busy``, ``forbidden``, ``members_only``, ``muted``, ``name_taken``,
            ``no_permission``, ``no_such_room``, ``not_found``, ``sign_in``, ``too_many``,
            ``unreachable``.
    """
    who, given = identity.identity_of(by), single_emoji(emoji)
    shown = given

    def make(room: Room, message: Message) -> bool:
        nonlocal shown
        policy.require_active(who, room, "can_react")
        require_message(message)
        totals: dict[str, Any] = message.data.get("reactions") or {}
        shown = next((known for known in totals if bare(known) == bare(given)), given)
        if on and shown not in totals and len(totals) >= EMOJI_MAX:
            raise Forbidden(
                _("A message can have at most %(most)d different reactions."), most=EMOJI_MAX, code="too_many"
            )
        if not _write(message, who.key, shown, on):
            return False
        message.data = message.data | {"reactions": _totals(message, shown, totals)}
        if not message.data["reactions"]:
            del message.data["reactions"]
        return True

    def tell(room: str, event: Event) -> None:
        signals.reaction_changed.send_robust(Message, room=room, event=event, emoji=shown, by=who, on=on)

    return change_message(room, seq, who, make, tell=tell)


areact = twin(react)


def _write(message: Message, key: str, shown: str, on: bool) -> bool:
    """Store or delete the reaction and return whether anything changed. The room is locked, so there are no concurrent writes."""
    rows = Reaction.objects.using(database())
    if on:
        return rows.get_or_create(message=message, key=key, emoji=shown)[1]
    return bool(rows.filter(message=message, key=key, emoji=shown).delete()[0])


def _totals(message: Message, changed: str, before: dict[str, Any]) -> dict[str, Any]:
    rows = Reaction.objects.using(database()).filter(message=message, emoji=changed)
    totals = {shown: of for shown, of in before.items() if shown != changed}
    if count := rows.count():
        keys = list(rows.order_by("pk").values_list("key", flat=True)[:KEYS_MAX])
        last = max((of.get("place", 0) for of in before.values()), default=0)
        # JSON objects lose the order of their keys on PostgreSQL, so each total stores its position; see log.
        place = before[changed].get("place", 0) if changed in before else last + 1
        totals[changed] = {"count": count, "keys": keys, "place": place}
    return totals
