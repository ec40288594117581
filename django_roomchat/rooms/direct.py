"""Direct rooms, which belong to two people. A digest of their two keys makes the room unique."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop as _

from django_roomchat import identity, policy
from django_roomchat.database import database, twin
from django_roomchat.errors import BadValue
from django_roomchat.identity import Actor, Identity, Target
from django_roomchat.models import Membership, Room
from django_roomchat.policy import blocks, rate_limits
from django_roomchat.policy.ranks import met_in
from django_roomchat.rooms import lookup
from django_roomchat.rooms.create import store_room
from django_roomchat.text import validation

_TITLE_NAME_MAX = validation.NAME_MAX_LENGTH // 2 - 1
"""Maximum length of each name in the title of a direct room, in characters."""


def direct_room(one: Actor, other: Actor) -> Room:
    """Return the direct room of two people, created if they have none.

    Repeated and concurrent calls return the same room, in either order of the arguments. Its two members cannot change.
    The policy is not asked; :func:`write_to` asks it.

    Args:
        one, other: users of the project or identities.

    Returns:
        The direct room.

    Raises:
        ChatError: both are the same person, one is the site, or they have no direct room and one of them has blocked the other.
            Codes: ``bad_value``, ``blocked``, ``unreachable``.
    """
    two = _pair(one, other)
    if (found := find(two[0].key, two[1].key)) is not None:
        return found
    blocks.require_none(blocks.of_pair(two[0].key, two[1].key))
    return _create(two)


adirect_room = twin(direct_room)


def write_to(room: str | Room, user: Target, *, by: Actor) -> Room:
    """Return the direct room with a person met in another room, created if there is none.

    Args:
        room: the room in which they met. *by* must be allowed to enter it, and the other person must be a member of it or have
            posted in it.
        user: the other person: a user of the project, an :class:`~django_roomchat.Identity`, or an identity key.
        by: the user or identity that wants to write. To create the room,
            :meth:`Policy.can_write_to <django_roomchat.Policy.can_write_to>` must allow it, neither of the two may have blocked
            the other, and the room counts under the rate limit ``ROOMS``.

    Returns:
        The direct room.

    Raises:
        ChatError: they have not met in *room*, or the room may not be created.
            Codes: ``bad_room_name``, ``bad_value``, ``banned``, ``blocked``, ``forbidden``, ``members_only``,
            ``name_taken``, ``no_permission``, ``no_such_person``, ``no_such_room``, ``rate_limited``,
            ``sign_in``, ``unreachable``.
    """
    who = identity.person_of(by)
    other = met_in(lookup.enter_room(who, lookup.name_of(room)), identity.key_of(user))
    two = _pair(who, other)
    if (found := find(who.key, other.key)) is not None:
        return found
    _require_new(who, other)
    rate_limits.spend("ROOMS", who, rate_limits.address_here())
    return _create(two)


awrite_to = twin(write_to)


def require_write_to(who: Identity, room: Room, key: str) -> None:
    """Raise :class:`ChatError` unless :func:`write_to` returns a room. The rate limit is not checked."""
    other = met_in(room, key)
    if find(who.key, other.key) is None:
        _require_new(who, other)


def _require_new(who: Identity, other: Identity) -> None:
    policy.require(policy.policy().can_write_to(who, other))
    blocks.require_none(blocks.of_pair(who.key, other.key))


def find(key: str, other: str) -> Room | None:
    """Return the direct room of two people; ``None`` if there is none."""
    return Room.objects.using(database()).filter(direct_key=_digest(key, other)).select_related("log").first()


def title_of(names: Iterable[str]) -> str:
    """Return the title of a direct room, which consists of the names of its people."""
    return ", ".join(name[:_TITLE_NAME_MAX] for name in names)


def _digest(*keys: str) -> str:
    # A digest, because two keys together exceed the length that a unique column may have on every database.
    return hashlib.sha256("\0".join(sorted(keys)).encode()).hexdigest()


def _pair(one: Actor, other: Actor) -> Sequence[Identity]:
    """Return the identities of two people in the order of their keys."""
    two = sorted((identity.identity_of(one), identity.identity_of(other)), key=lambda who: who.key)
    if two[0].key == two[1].key or any(who.is_site for who in two):
        raise BadValue(_("A direct room needs two different users."))
    return two


def _create(two: Sequence[Identity]) -> Room:
    room = Room(
        name=validation.hidden_name(),
        title=title_of(who.name for who in two),
        visibility=Room.Visibility.DIRECT,
        is_listed=False,
        direct_key=_digest(*(who.key for who in two)),
    )
    try:
        with transaction.atomic(using=database()):
            return store_room(room, [(who, Membership.Role.MEMBER) for who in two])
    except IntegrityError:
        # Another process has created the room meanwhile.
        return Room.objects.using(database()).select_related("log").get(direct_key=room.direct_key)
