"""Roles and sanctions of a person in a room. They are loaded once for each access version of the room, which every change of them increments."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from django_roomchat.database import database
from django_roomchat.models import Ban, Membership, Mute, Room
from django_roomchat.policy.blocks import Blocks, in_room

KNOWN_MAX = 20_000
"""Maximum number of role states that a process caches."""


@dataclass(frozen=True, slots=True)
class Sanction:
    """A ban or a mute."""

    reason: str
    until: datetime | None

    @property
    def is_in_force(self) -> bool:
        return self.until is None or self.until > timezone.now()

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the sanction ends; ``None`` if it has no end."""
        return None if self.until is None else max(0.0, (self.until - timezone.now()).total_seconds())


@dataclass(frozen=True, slots=True)
class RoleState:
    """Role and sanctions of a person in a room."""

    role: str = ""
    """``owner``, ``moderator``, ``member``, or empty for a person who is not a member."""
    banned: Sanction | None = None
    muted: Sanction | None = None
    blocks: Blocks = Blocks()
    """Blocks between the person and the other person of a direct room."""

    @property
    def is_member(self) -> bool:
        return bool(self.role)

    @property
    def ban(self) -> Sanction | None:
        """The ban that is in force, or ``None``."""
        return self.banned if self.banned is not None and self.banned.is_in_force else None

    @property
    def mute(self) -> Sanction | None:
        """The mute that is in force, or ``None``."""
        return self.muted if self.muted is not None and self.muted.is_in_force else None


NOBODY = RoleState()
_known: dict[tuple[Any, ...], RoleState] = {}


def of(key: str, room: Room) -> RoleState:
    """Return the role and sanctions of *key* in *room*, as of the room's access version.

    Every change of a role or a sanction increments the access version, under the lock that numbers messages. So a value loaded
    for a version stays true for it, and a room in which no role or sanction was ever set needs no query.
    """
    if room.pk is None or not room.log.access_version:
        return NOBODY
    cache_key = _cache_key(key, room)
    known = _known.get(cache_key) or vars(room).get(_PRIMED, {}).get(cache_key)
    if known is None:
        known = _load(key, room)
        # A value that is read inside a transaction may be rolled back, so it is not cached.
        if not transaction.get_connection(database()).in_atomic_block:
            if len(_known) >= KNOWN_MAX:
                _known.clear()
            _known[cache_key] = known
    return known


def prime_cache(key: str, room: Room, found: RoleState) -> None:
    """Attach a value that was loaded together with *room*, so that :func:`of` returns it without a query."""
    # Attached to the room rather than cached: both may belong to a transaction that is rolled back.
    vars(room).setdefault(_PRIMED, {})[_cache_key(key, room)] = found


_PRIMED = "_roomchat_role_states"


def _cache_key(key: str, room: Room) -> tuple[Any, ...]:
    return room.pk, room.log.epoch, room.log.access_version, key


def _load(key: str, room: Room) -> RoleState:
    where = {"room_id": room.pk, "key": key}
    roles = Membership.objects.using(database()).filter(**where).values_list("role", flat=True)
    bans = Ban.objects.using(database()).filter(**where).values_list("reason", "until")
    mutes = Mute.objects.using(database()).filter(**where).values_list("reason", "until")
    return RoleState(roles.first() or "", _sanction(bans), _sanction(mutes), in_room(key, room))


def _sanction(rows: Iterable[tuple[str, datetime | None]]) -> Sanction | None:
    return next((Sanction(reason, until) for reason, until in rows), None)
