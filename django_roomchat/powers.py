"""What somebody may do about somebody else in a room, so that a page offers what will be done and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django_roomchat import actions, identity, moderation, policy, rooms, standing
from django_roomchat.errors import ChatError
from django_roomchat.identity import Identity
from django_roomchat.models import Room


@dataclass(frozen=True, slots=True)
class Look:
    """How somebody stands in a room, as another one sees it."""

    key: str
    name: str
    """Empty if the room does not know them."""
    role: str
    """``owner``, ``moderator``, ``member``, or empty for who is no member."""
    may: list[str]
    """Some of ``write``, ``mute``, ``ban``, ``remove`` and ``role``."""
    ban: standing.Sanction | None = None
    """For moderators."""
    mute: standing.Sanction | None = None
    """For moderators."""


def look_at(room: str | Room, key: str, *, by: Any = None) -> Look:
    """How somebody stands in a room, and what *by* may do about them.

    Args:
        room: its name, however typed, or the room.
        key: whose.
        by: who looks, and must be allowed to enter the room; without one the project itself.

    Raises:
        ChatError: it is refused.
    """
    who = actions.identity_of(by)
    found = actions.enter_room(who, actions.name_of(room))
    target, held = moderation.person(found, key), standing.of(key, found)
    may = [] if identity.is_site_key(key) else list(_powers(who, found, target, held.role))
    is_moderator = _allows(policy.require_moderation, who, found)
    ban, mute = (held.ban, held.mute) if is_moderator else (None, None)
    return Look(key, target.name, held.role, may, ban, mute)


def _powers(who: Identity, room: Room, target: Identity, role: str) -> Iterator[str]:
    is_self = target.key == who.key
    if not is_self and room.visibility != Room.Visibility.DIRECT and _may_write(who, room, target.key):
        yield "write"
    is_above = _allows(moderation.require_rank, who, room, target)
    if is_above:
        yield from ("mute", "ban")
    if is_above and role:
        yield "remove"
    if role and (is_self or is_above) and _allows(policy.require_may, who, room, "can_manage"):
        yield "role"


def _may_write(who: Identity, room: Room, key: str) -> bool:
    try:
        return bool(policy.policy().can_write_to(who, rooms.met_in(room, key)))
    except ChatError:
        return False


def _allows(ask: Callable[..., Any], *about: Any) -> bool:
    try:
        ask(*about)
    except ChatError:
        return False
    return True
