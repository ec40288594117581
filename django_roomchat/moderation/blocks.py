"""Blocks: a person who has blocked another exchanges no direct messages with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop as _

from django_roomchat import identity, log
from django_roomchat.database import database, twin
from django_roomchat.errors import BadValue
from django_roomchat.identity import Actor, Identity, Target
from django_roomchat.models import Block, Membership, Room
from django_roomchat.policy import ranks
from django_roomchat.rooms import direct, lookup
from django_roomchat.text import values

BLOCKS_MAX = 1_000
"""Maximum number of people that one person can have blocked."""
PAGE_BLOCKS = 200
"""Maximum number of people in one page."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """A person who is blocked."""

    key: str
    name: str
    """Display name when the person was blocked; empty if it was unknown."""
    since: datetime


def block(user: Target, *, by: Actor) -> bool:
    """Block a person at once: neither of the two can create a direct room with the other, or post, react or pin in theirs.

    Both can still read their direct room. The blocked person is not notified, and is refused with the code ``unreachable``,
    which does not disclose the block. Other rooms are not affected: there, moderators decide.

    Args:
        user: the person to block: a user of the project, an :class:`~django_roomchat.Identity`, or an identity key. The name of
            a key is taken from the direct room of the two people.
        by: the user or identity that blocks.

    Returns:
        Whether the person was blocked now, that is, was not before.

    Raises:
        BadValue: the person is *by* or the site, or *by* has blocked 1,000 people.
            Codes: ``bad_value``, ``too_many``.
    """
    who = identity.person_of(by)
    whom = _person(who, user)
    if who.is_site or identity.is_site_key(whom.key) or who.key == whom.key:
        raise BadValue(_("You can block other users only."))
    with transaction.atomic(using=database()):
        mine = Block.objects.using(database()).filter(by_key=who.key)
        if mine.filter(key=whom.key).exists():
            return False
        if mine.count() >= BLOCKS_MAX:
            raise BadValue(_("You can block at most %(most)d users."), most=BLOCKS_MAX, code="too_many")
        _block, is_new = mine.get_or_create({"by": who.user, "name": whom.name}, by_key=who.key, key=whom.key)
        _change_rights(who.key, whom.key)
    return is_new


ablock = twin(block)


def block_in(room: str | Room, key: str, *, by: Identity) -> bool:
    """Block a person whom *by* has met in a room, under the name that they have there.

    Raises:
        ChatError: *by* may not enter the room, nobody there has this key, or :func:`block` rejects it.
    """
    return block(ranks.met_in(lookup.enter_room(by, lookup.name_of(room)), key), by=by)


def unblock(user: Target, *, by: Actor) -> bool:
    """End a block at once.

    Args:
        user: the blocked person: a user of the project, an :class:`~django_roomchat.Identity`, or an identity key.
        by: the user or identity that had blocked the person.

    Returns:
        Whether the person was blocked.

    Raises:
        BadValue: the key is invalid.
            Codes: ``bad_value``.
    """
    who, key = identity.person_of(by), values.key(identity.key_of(user))
    with transaction.atomic(using=database()):
        ended, _by_model = Block.objects.using(database()).filter(by_key=who.key, key=key).delete()
        if ended:
            _change_rights(who.key, key)
    return bool(ended)


aunblock = twin(unblock)


def list_blocked(*, by: Actor, after: str = "") -> list[Blocked]:
    """Return a page of the people that a person has blocked.

    Args:
        by: the user or identity that has blocked them. Nobody else can read the list.
        after: the key of the last person of the previous page; empty for the first page.

    Returns:
        At most 200 people in the order of their keys.

    Raises:
        BadValue: *after* is invalid.
            Codes: ``bad_value``.
    """
    values.line(after, "after", values.CURSOR_MAX_LENGTH)
    rows = Block.objects.using(database()).filter(by_key=identity.person_of(by).key, key__gt=after)
    return [
        Blocked(*row) for row in rows.order_by("key").values_list("key", "name", "created_at")[:PAGE_BLOCKS]
    ]


alist_blocked = twin(list_blocked)


def _person(who: Identity, user: Target) -> Identity:
    if not isinstance(user, str):
        return identity.person_of(user)
    key = values.key(identity.key_of(user))
    found = direct.find(who.key, key)
    members = Membership.objects.using(database()).filter(room=found, key=key)
    name = members.values_list("name", flat=True).first() if found is not None else None
    return Identity(key, name or "")


def _change_rights(key: str, other: str) -> None:
    """Apply a change of the blocks of two people to their direct room: its sockets, and posts that are in progress."""
    found = direct.find(key, other)
    if found is not None:
        lookup.change_access(found, "", lambda _room: None)
    elif transaction.get_connection(database()).in_atomic_block:
        # A direct room that is created meanwhile does not see the block before the commit.
        log.on_commit(_change_rights, key, other)
