"""Blocks between two people, which stop the direct messages of both. :mod:`django_roomchat.moderation.blocks` creates and ends them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_noop as _

from django_roomchat.database import database
from django_roomchat.errors import Forbidden
from django_roomchat.models import Block, Membership, Room


@dataclass(frozen=True, slots=True)
class Blocks:
    """Blocks between a person and another one."""

    has_blocked: bool = False
    """Whether the person has blocked the other one."""
    is_blocked: bool = False
    """Whether the other one has blocked the person."""

    def __bool__(self) -> bool:
        return self.has_blocked or self.is_blocked


def of_pair(key: str, other: str) -> Blocks:
    """Return the blocks between two people, as seen by the person with *key*."""
    return _found(key, [other])


def in_room(key: str, room: Room) -> Blocks:
    """Return the blocks between a person and the other person of a direct room; none in other rooms."""
    if room.visibility != Room.Visibility.DIRECT:
        return Blocks()
    others = Membership.objects.using(database()).filter(room_id=room.pk).exclude(key=key)
    return _found(key, others.values("key"))


def _found(key: str, others: Any) -> Blocks:
    rows = Block.objects.using(database()).filter(
        Q(by_key=key, key__in=others) | Q(key=key, by_key__in=others)
    )
    by = set(rows.values_list("by_key", flat=True))
    return Blocks(key in by, bool(by - {key}))


def require_none(blocks: Blocks) -> None:
    """Raise :class:`Forbidden` if there is a block. The error does not disclose a block to the person who is blocked."""
    if blocks.has_blocked:
        raise Forbidden(_("You have blocked this user; unblock them to send messages."), code="blocked")
    if blocks.is_blocked:
        raise Forbidden(_("You cannot send messages to this user."), code="unreachable")
