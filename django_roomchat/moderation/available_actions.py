"""Moderation actions available to one person about another, so that pages offer only actions that will be accepted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django_roomchat import identity, policy
from django_roomchat.identity import Actor, Identity
from django_roomchat.models import Room
from django_roomchat.policy import blocks, ranks, roles
from django_roomchat.rooms import lookup
from django_roomchat.rooms.direct import require_write_to
from django_roomchat.text import values


@dataclass(frozen=True, slots=True)
class Look:
    """A person in a room as another person sees them."""

    key: str
    name: str
    """Display name; empty if the room does not know the person."""
    role: str
    """``owner``, ``moderator``, ``member``, or empty for a person who is not a member."""
    may: list[str]
    """Available actions, some of ``write``, ``block``, ``mute``, ``ban``, ``remove`` and ``role``."""
    ban: roles.Sanction | None = None
    """The person's ban; only set for moderators."""
    mute: roles.Sanction | None = None
    """The person's mute; only set for moderators."""
    is_blocked: bool = False
    """Whether the looking person has blocked the person."""


def look_at(room: str | Room, key: str, *, by: Actor | None = None) -> Look:
    """Return the role of a person in a room and the actions that *by* may take about them.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        key: identity key of the person.
        by: the user or identity that looks, which must be allowed to enter the room. Without one the site looks.

    Returns:
        The person's name and role, the available actions, and for moderators the ban and the mute.

    Raises:
        ChatError: *by* may not enter the room.
    """
    values.key(key)
    who = identity.identity_of(by)
    found = lookup.enter_room(who, lookup.name_of(room))
    target, held = ranks.person(found, key), roles.of(key, found)
    is_blocked = blocks.of_pair(who.key, key).has_blocked
    may = [] if identity.is_site_key(key) else list(_powers(who, found, target, held.role, is_blocked))
    is_moderator = policy.allows(policy.require_moderation, who, found)
    ban, mute = (held.ban, held.mute) if is_moderator else (None, None)
    return Look(key, target.name, held.role, may, ban, mute, is_blocked)


def _powers(who: Identity, room: Room, target: Identity, role: str, is_blocked: bool) -> Iterator[str]:
    is_self = target.key == who.key
    is_direct = room.visibility == Room.Visibility.DIRECT
    if not (is_self or is_direct or is_blocked) and policy.allows(require_write_to, who, room, target.key):
        yield "write"
    if is_blocked or (target.name and not is_self and not who.is_site):
        yield "block"
    is_above = policy.allows(ranks.require_rank, who, room, target)
    if is_above:
        yield from ("mute", "ban")
    if is_above and role:
        yield "remove"
    if role and (is_self or is_above) and policy.allows(policy.require_may, who, room, "can_manage"):
        yield "role"
