"""Ranks of people in a room. A moderator may act only on people of a lower rank: staff are above owners, and owners above moderators."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from django.contrib.auth import get_user_model
from django.utils.translation import gettext_noop as _

from django_roomchat import identity
from django_roomchat.database import database
from django_roomchat.errors import Forbidden, NotFound
from django_roomchat.identity import Identity, Target
from django_roomchat.models import Membership, Message, Room
from django_roomchat.policy import roles
from django_roomchat.policy.permissions import require_moderation
from django_roomchat.policy.policies import policy
from django_roomchat.text import values


def require_rank(moderator: Identity, room: Room, user: Target) -> Identity:
    """Return the identity of *user* if *moderator* has a higher rank in *room*, else raise. Also checked under the lock: roles change."""
    require_moderation(moderator, room)
    target = person(room, user) if isinstance(user, str) else identity.person_of(user)
    if target.key == moderator.key:
        raise Forbidden(_("You cannot do this to yourself; ask another moderator."), code="yourself")
    if not moderator.is_site and _rank(target, room) >= _rank(moderator, room):
        raise Forbidden(_("You cannot do this to a user of your own rank or above."), code="rank")
    return target


def person(room: Room, key: str) -> Identity:
    """Return the identity of a key as the room knows it: from the membership, or the latest message; else without a name."""
    members = Membership.objects.using(database()).filter(room_id=room.pk, key=key)
    messages = Message.objects.using(database()).filter(room_id=room.pk, author_key=key).order_by("-seq")
    known = members.values_list("name", "user_id").first()
    name, user = known or messages.values_list("author_name", "author_id").first() or ("", None)
    users = get_user_model()._default_manager
    return Identity(key, name, user=None if user is None else users.filter(pk=user).first())


Rank = Literal[0, 1, 2, 3, 4]


def _rank(who: Identity, room: Room) -> Rank:
    if who.is_site:
        return 4
    if getattr(who.user, "is_staff", False):
        return 3
    if roles.of(who.key, room).role == Membership.Role.OWNER:
        return 2
    return 1 if policy().can_moderate(who, room) else 0


def met_in(room: Room, key: str) -> Identity:
    """Return the identity of a key as the room knows it: from the membership, or from the latest message.

    Raises:
        NotFound: no member or author in the room has this key.
    """
    found = person(room, key)
    if not found.name or identity.is_site_key(key):
        raise NotFound(_("No such user in this room."), code="no_such_person")
    return replace(found, is_guest=values.is_guest(found.key))
