"""Invitations: links that make the person who opens them a member of a room. They expire, run out of uses or are revoked."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from django_roomchat import identity, policy
from django_roomchat.database import database, twin
from django_roomchat.errors import BadValue, NotFound
from django_roomchat.identity import Actor, Identity, is_site_key
from django_roomchat.identity.tokens import digest
from django_roomchat.models import Invitation, Membership, Room
from django_roomchat.policy import audit_trail, roles
from django_roomchat.protocol import Role
from django_roomchat.rooms import lookup, members
from django_roomchat.text import values

PAGE_INVITATIONS = 200
"""Maximum number of invitations in one list."""
USES_MAX = 100_000
EXPIRES_IN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Invited:
    """A new invitation."""

    id: int
    """Id of the invitation, used to revoke it."""
    token: str
    """Secret part of the link, ``~/invite/<token>/``. It is returned only once, because the database stores its digest."""
    room: str
    """Canonical name of the room."""
    role: str
    expires_at: datetime | None
    uses_left: int | None
    """Number of people who can still accept it; ``None`` for no limit."""


def invite(
    room: str | Room,
    *,
    by: Actor | None = None,
    role: Role = "member",
    expires_in: timedelta | None = EXPIRES_IN,
    uses: int | None = None,
) -> Invited:
    """Create an invitation to a room.

    An invitation ends when it expires, when its uses are spent, when it is revoked, and when its creator may no longer invite.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        by: the acting user or identity, which must be allowed to invite; for roles other than ``member`` also to manage the
            room. Without one the site acts.
        role: role of the people who accept it.
        expires_in: time until it expires; ``None`` for no expiry. The default is seven days.
        uses: number of people who can accept it, from 1 to 100,000; ``None`` for no limit.

    Returns:
        The invitation with its token, which cannot be retrieved later.

    Raises:
        ChatError: the invitation is rejected.
            Codes: ``bad_room_name``, ``bad_value``, ``banned``, ``direct_room``, ``forbidden``,
            ``members_only``, ``name_taken``, ``no_permission``, ``no_such_room``, ``sign_in``.
    """
    who = identity.identity_of(by)
    found = lookup.enter_room(who, lookup.name_of(room))
    if found.pk is None:
        raise policy.no_such_room()
    members.require_inviter(who, found, role)
    if found.visibility == Room.Visibility.DIRECT:
        raise members.members_are_fixed()
    if uses is not None and (type(uses) is not int or not 1 <= uses <= USES_MAX):
        raise BadValue(_("An invitation can be for 1 to %(most)d people."), most=USES_MAX)
    now = timezone.now()
    expires_at = None if expires_in is None else values.after(now, expires_in, "“expires_in”")
    if expires_at is not None and expires_at <= now:
        raise BadValue(_("The expiry must be in the future."))
    token = secrets.token_urlsafe(24)
    made = Invitation.objects.using(database()).create(
        room=found,
        digest=digest(token),
        role=role,
        by_key=who.key,
        by=who.user,
        expires_at=expires_at,
        uses_left=uses,
    )
    audit_trail.record("invite", who, room=found.name, invitation=made.pk, role=role, uses=uses)
    return Invited(made.pk, token, found.name, role, made.expires_at, uses)


ainvite = twin(invite)


def invitation_of(token: str) -> Invitation:
    """Return the invitation with this token, with its room loaded.

    Raises:
        NotFound: no such invitation exists, or it has ended. The error is the same for both.
    """
    values.of_type(token, str, "“token”")
    found = _open().filter(digest=digest(token)).select_related("room__log", "by").first()
    if found is None or not _is_valid(found, found.room):
        raise _no_such_invitation()
    return found


def accept_invitation(token: str, *, by: Actor) -> Room:
    """Make a person a member of the room of an invitation. If they are a member already, nothing changes and no use is spent.

    Args:
        token: secret part of the link.
        by: the user or identity that becomes a member, and must then be allowed to enter the room.

    Returns:
        The room.

    Raises:
        NotFound: no such invitation exists, or it has ended.
        ChatError: *by* is banned from the room, or the policy denies entry.
            Codes: ``bad_value``, ``banned``, ``direct_room``, ``forbidden``, ``members_only``,
            ``name_taken``, ``no_permission``, ``no_such_invitation``, ``no_such_room``, ``sign_in``.
    """
    person = identity.person_of(by)
    found = invitation_of(token)
    if roles.of(person.key, found.room).is_member:
        return found.room

    def write(locked: Room) -> None:
        if Membership.objects.using(database()).filter(room=locked, key=person.key).exists():
            return
        used = _open().filter(pk=found.pk)
        if not used.update(uses_left=F("uses_left") - 1) or not _is_valid(found, locked):
            raise _no_such_invitation()
        members.admit(locked, person, found.role, by=person)
        policy.require_entry(person, locked)

    lookup.change_access(found.room, person.key, write)
    return found.room


aaccept_invitation = twin(accept_invitation)


def list_invitations(room: str | Room, *, by: Actor | None = None) -> list[Invitation]:
    """Return the invitations to a room that have not ended.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        by: the acting user or identity, which must be allowed to invite. Without one the site acts.

    Returns:
        At most 200 invitations, newest first.

    Raises:
        ChatError: *by* may not invite to the room.
            Codes: ``bad_room_name``, ``bad_value``, ``banned``, ``forbidden``, ``members_only``,
            ``name_taken``, ``no_permission``, ``no_such_room``, ``sign_in``.
    """
    who = identity.identity_of(by)
    found = lookup.enter_room(who, lookup.name_of(room))
    if found.pk is None:
        return []
    policy.require_may(who, found, "can_invite")
    return list(_open().filter(room=found).order_by("-pk")[:PAGE_INVITATIONS])


alist_invitations = twin(list_invitations)


def revoke_invitation(room: str | Room, invitation: int, *, by: Actor | None = None) -> bool:
    """Revoke an invitation. People who have accepted it remain members.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        invitation: ``id`` of the invitation.
        by: the acting user or identity, which must be allowed to invite. Without one the site acts.

    Returns:
        Whether the invitation was revoked; ``False`` if it had ended before.

    Raises:
        ChatError: the change is rejected.
            Codes: ``bad_room_name``, ``bad_value``, ``banned``, ``forbidden``, ``members_only``,
            ``name_taken``, ``no_permission``, ``no_such_room``, ``sign_in``.
    """
    values.sequence_number(invitation, "“invitation”")
    who = identity.identity_of(by)
    found = lookup.enter_room(who, lookup.name_of(room))
    if found.pk is None:
        raise policy.no_such_room()
    policy.require_may(who, found, "can_invite")
    # Accepting holds the same room lock, so an acceptance has either been committed or will fail.
    revoked: list[int] = []

    def write(locked: Room) -> None:
        mine = _open().filter(pk=invitation, room=locked)
        revoked.append(mine.update(revoked_at=timezone.now()))
        if revoked[0]:
            audit_trail.record("revoke_invitation", who, room=locked.name, invitation=invitation)

    lookup.change_access(found, who.key, write)
    return bool(revoked[0])


arevoke_invitation = twin(revoke_invitation)


def _open() -> QuerySet[Invitation]:
    """Return the invitations that have not expired, been used up or been revoked."""
    in_time = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    has_uses = Q(uses_left=None) | Q(uses_left__gt=0)
    return Invitation.objects.using(database()).filter(in_time, has_uses, revoked_at=None)


def _is_valid(invitation: Invitation, room: Room) -> bool:
    """Return whether the creator may still invite: a link does not outlive the rights of its creator."""
    inviter = Identity(invitation.by_key, "", user=invitation.by, is_site=is_site_key(invitation.by_key))
    if invitation.by is not None and not invitation.by.is_active:
        return False
    return policy.allows(members.require_inviter, inviter, room, invitation.role)


def _no_such_invitation() -> NotFound:
    return NotFound(
        _("This invitation is invalid or has expired. Ask for a new one."), code="no_such_invitation"
    )
