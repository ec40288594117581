"""Answers to a message with an emoji. The rows of ``Reaction`` are the truth; the message carries their sums to everybody."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.utils.translation import gettext_noop as _

from django_roomchat import actions, policy, signals
from django_roomchat.actions import Posted
from django_roomchat.counter import database
from django_roomchat.emoji import bare, emoji
from django_roomchat.errors import Forbidden
from django_roomchat.models import Message, Reaction, Room
from django_roomchat.protocol import Event

KEYS_MAX = 20
"""People whom an event names for each emoji."""
EMOJI_MAX = 20
"""Different emoji on one message."""


def react(
    room: str | Room,
    seq: int,
    symbol: str,
    on: bool = True,
    *,
    author: Any = None,
    wait_seconds: float | None = None,
) -> Posted:
    """Answer a message with an emoji, or take that back. The message takes the next number of its room.

    Args:
        room: its name, however typed, or the room.
        seq: the message's place.
        symbol: one emoji.
        on: ``False`` takes it back.
        author: who answers, as for :func:`~django_roomchat.post_message`; without one the project itself.
        wait_seconds: for a locked room, see :func:`django_roomchat.log.append`.

    Returns:
        Where the message stands; ``duplicate`` if it was so already.

    Raises:
        ChatError: it is refused: it is no single emoji, or the message is deleted, or they may not.
    """
    who, given = actions.identity_of(author), emoji(symbol)
    shown = given

    def make(room: Room, message: Message) -> bool:
        nonlocal shown
        policy.require_may(who, room, "can_react")
        actions.require_message(message)
        sums: dict[str, Any] = message.data.get("reactions") or {}
        shown = next((known for known in sums if bare(known) == bare(given)), given)
        if on and shown not in sums and len(sums) >= EMOJI_MAX:
            raise Forbidden(
                _("A message can have at most %(most)d different reactions."), most=EMOJI_MAX, code="too_many"
            )
        if not _write(message, who.key, shown, on):
            return False
        message.data = message.data | {"reactions": _sums(message, shown, sums)}
        if not message.data["reactions"]:
            del message.data["reactions"]
        return True

    def tell(room: str, event: Event) -> None:
        signals.reaction_changed.send_robust(Message, room=room, event=event, emoji=shown, by=who, on=on)

    return actions.change_message(room, seq, who, make, tell=tell, wait_seconds=wait_seconds)


async def areact(room: str | Room, seq: int, symbol: str, on: bool = True, **options: Any) -> Posted:
    """See :func:`react`."""
    return await sync_to_async(react)(room, seq, symbol, on, **options)


def _write(message: Message, key: str, shown: str, on: bool) -> bool:
    """Whether that changed anything. The room is locked, so nobody else does the same now."""
    rows = Reaction.objects.using(database())
    if on:
        return rows.get_or_create(message=message, key=key, emoji=shown)[1]
    return bool(rows.filter(message=message, key=key, emoji=shown).delete()[0])


def _sums(message: Message, changed: str, before: dict[str, Any]) -> dict[str, Any]:
    rows = Reaction.objects.using(database()).filter(message=message, emoji=changed)
    sums = {shown: of for shown, of in before.items() if shown != changed}
    if count := rows.count():
        keys = list(rows.order_by("pk").values_list("key", flat=True)[:KEYS_MAX])
        last = max((of.get("place", 0) for of in before.values()), default=0)
        # PostgreSQL forgets the order of a JSON object's keys; see log.
        place = before[changed].get("place", 0) if changed in before else last + 1
        sums[changed] = {"count": count, "keys": keys, "place": place}
    return sums
