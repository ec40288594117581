"""Direct rooms, which belong to two people. A digest of their two keys makes the room unique."""

from __future__ import annotations

import hashlib

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop as _

from django_roomchat import identity, policy
from django_roomchat.database import database, twin
from django_roomchat.errors import BadValue
from django_roomchat.identity import Actor, Target
from django_roomchat.models import Membership, Room
from django_roomchat.policy.ranks import met_in
from django_roomchat.rooms import lookup
from django_roomchat.rooms.create import store_room
from django_roomchat.text import validation


def direct_room(one: Actor, other: Actor) -> Room:
    """Return the direct room of two people, created if they have none.

    Repeated and concurrent calls return the same room, in either order of the arguments. Its two members cannot change.
    The policy is not asked; :func:`write_to` asks it.

    Args:
        one, other: users of the project or identities.

    Returns:
        The direct room.

    Raises:
        BadValue: both are the same person, or one is the site.
            Codes: ``bad_value``.
    """
    two = sorted((identity.identity_of(one), identity.identity_of(other)), key=lambda who: who.key)
    if two[0].key == two[1].key or any(who.is_site for who in two):
        raise BadValue(_("A direct room needs two different users."))
    # A digest, because two keys together exceed the length that a unique column may have on every database.
    direct_key = hashlib.sha256("\0".join(who.key for who in two).encode()).hexdigest()
    of_two = Room.objects.using(database()).filter(direct_key=direct_key).select_related("log")
    if (found := of_two.first()) is not None:
        return found
    half = validation.NAME_MAX_LENGTH // 2 - 1
    room = Room(
        name=validation.hidden_name(),
        title=", ".join(who.name[:half] for who in two),
        visibility=Room.Visibility.DIRECT,
        is_listed=False,
        direct_key=direct_key,
    )
    try:
        with transaction.atomic(using=database()):
            return store_room(room, [(who, Membership.Role.MEMBER) for who in two])
    except IntegrityError:
        # Another process has created the room meanwhile.
        return of_two.get()


adirect_room = twin(direct_room)


def write_to(room: str | Room, user: Target, *, by: Actor) -> Room:
    """Return the direct room with a person met in another room, created if there is none.

    Args:
        room: the room in which they met. *by* must be allowed to enter it, and the other person must be a member of it or have
            posted in it.
        user: the other person: a user of the project, an :class:`~django_roomchat.Identity`, or an identity key.
        by: the user or identity that wants to write. :meth:`Policy.can_write_to <django_roomchat.Policy.can_write_to>`
            must allow it.

    Returns:
        The direct room.

    Raises:
        ChatError: they have not met in *room*, or the policy denies it.
            Codes: ``bad_room_name``, ``bad_value``, ``banned``, ``forbidden``, ``members_only``,
            ``name_taken``, ``no_permission``, ``no_such_person``, ``no_such_room``, ``sign_in``.
    """
    who = identity.person_of(by)
    other = met_in(lookup.enter_room(who, lookup.name_of(room)), identity.key_of(user))
    policy.require(policy.policy().can_write_to(who, other))
    return direct_room(who, other)


awrite_to = twin(write_to)
