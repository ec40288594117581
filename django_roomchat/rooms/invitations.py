"""Invitations: links that make the person who opens them a member of a room. They expire, run out of uses or are revoked.

A person who may invite lists and revokes their own invitations; a moderator lists and revokes all of the room.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from django_roomchat import identity, policy
from django_roomchat.conf import config
from django_roomchat.database import database, twin
from django_roomchat.errors import BadValue, Forbidden, NotFound
from django_roomchat.identity import Actor, Identity
from django_roomchat.identity.tokens import digest
from django_roomchat.models import Invitation, Membership, Room
from django_roomchat.policy import audit_trail, roles
from django_roomchat.protocol import Role
from django_roomchat.rooms import lookup, members
from django_roomchat.rooms.inviters import is_valid, open_invitations, require_inviter
from django_roomchat.text import values

PAGE_INVITATIONS = 50
"""Maximum number of invitations in one page."""
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

    An invitation ends when it expires, when its uses are spent, when it is revoked, and when its creator leaves the room, is
    removed, demoted or banned, or is deleted or erased. It is also invalid while its creator may not invite for another reason.

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
            ``members_only``, ``name_taken``, ``no_permission``, ``no_such_room``, ``sign_in``, ``too_many``.
    """
    who = identity.identity_of(by)
    found = lookup.enter_room(who, lookup.name_of(room))
    if found.pk is None:
        raise policy.no_such_room()
    require_inviter(who, found, role)
    if found.visibility == Room.Visibility.DIRECT:
        raise members.members_are_fixed()
    if uses is not None and (type(uses) is not int or not 1 <= uses <= USES_MAX):
        raise BadValue(_("An invitation can be for 1 to %(most)d people."), most=USES_MAX)
    now = timezone.now()
    expires_at = None if expires_in is None else values.after(now, expires_in, "“expires_in”")
    if expires_at is not None and expires_at <= now:
        raise BadValue(_("The expiry must be in the future."))
    token = secrets.token_urlsafe(24)
    with transaction.atomic(using=database()):
        if not who.is_site:
            lookup.lock_room(found)
            _require_room_for_one(found)
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
    found = open_invitations().filter(digest=digest(token)).select_related("room__log", "by").first()
    if found is None or not is_valid(found, found.room):
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
        used = open_invitations().filter(pk=found.pk)
        if not used.update(uses_left=F("uses_left") - 1) or not is_valid(found, locked):
            raise _no_such_invitation()
        members.admit(locked, person, found.role, by=person)
        policy.require_entry(person, locked)

    lookup.change_access(found.room, person.key, write)
    return found.room


aaccept_invitation = twin(accept_invitation)


def list_invitations(
    room: str | Room, *, by: Actor | None = None, before: int | None = None
) -> list[Invitation]:
    """Return a page of the invitations to a room that have not ended.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        by: the acting user or identity, which must be allowed to invite. It gets its own invitations, and those of all people if
            it may moderate the room. Without one the site acts.
        before: ``id`` of the last invitation of the previous page; ``None`` for the first page.

    Returns:
        At most 50 invitations, newest first.

    Raises:
        ChatError: *by* may not invite to the room.
            Codes: ``bad_room_name``, ``bad_value``, ``banned``, ``forbidden``, ``members_only``,
            ``name_taken``, ``no_permission``, ``no_such_room``, ``sign_in``.
    """
    if before is not None:
        values.sequence_number(before, "“before”")
    who = identity.identity_of(by)
    found = lookup.enter_room(who, lookup.name_of(room))
    if found.pk is None:
        return []
    policy.require_may(who, found, "can_invite")
    rows = _in_scope(who, found).order_by("-pk")
    return list((rows if before is None else rows.filter(pk__lt=before))[:PAGE_INVITATIONS])


alist_invitations = twin(list_invitations)


def revoke_invitation(room: str | Room, invitation: int, *, by: Actor | None = None) -> bool:
    """Revoke an invitation. People who have accepted it remain members.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        invitation: ``id`` of the invitation.
        by: the acting user or identity, which must be allowed to invite, and to moderate the room if another person created the
            invitation. Without one the site acts.

    Returns:
        Whether the invitation was revoked; ``False`` if *by* may not revoke it or if it had ended before.

    Raises:
        ChatError: the change is rejected.
            Codes: ``bad_room_name``, ``bad_value``, ``banned``, ``forbidden``, ``members_only``,
            ``name_taken``, ``no_permission``, ``no_such_room``, ``sign_in``.
    """
    values.sequence_number(invitation, "“invitation”")
    who = identity.identity_of(by)

    def write(locked: Room, mine: QuerySet[Invitation]) -> int:
        count = mine.filter(pk=invitation).update(revoked_at=timezone.now())
        if count:
            audit_trail.record("revoke_invitation", who, room=locked.name, invitation=invitation)
        return count

    return bool(_revoke(room, who, write))


arevoke_invitation = twin(revoke_invitation)


def revoke_invitations(room: str | Room, *, by: Actor | None = None) -> int:
    """Revoke the invitations to a room at once: those that :func:`list_invitations` returns on all its pages.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        by: the acting user or identity, which must be allowed to invite. It revokes its own invitations, and those of all people
            if it may moderate the room. Without one the site acts.

    Returns:
        The number of revoked invitations.

    Raises:
        ChatError: the change is rejected.
            Codes: ``bad_room_name``, ``bad_value``, ``banned``, ``forbidden``, ``members_only``,
            ``name_taken``, ``no_permission``, ``no_such_room``, ``sign_in``.
    """
    who = identity.identity_of(by)

    def write(locked: Room, mine: QuerySet[Invitation]) -> int:
        count = mine.update(revoked_at=timezone.now())
        if count:
            audit_trail.record("revoke_invitations", who, room=locked.name, count=count)
        return count

    return _revoke(room, who, write)


arevoke_invitations = twin(revoke_invitations)


def _revoke(room: str | Room, who: Identity, write: Callable[[Room, QuerySet[Invitation]], int]) -> int:
    """Call *write* with the locked room and the open invitations that *who* may revoke, and return its result."""
    found = lookup.enter_room(who, lookup.name_of(room))
    if found.pk is None:
        raise policy.no_such_room()
    policy.require_may(who, found, "can_invite")
    done: list[int] = []
    # Accepting holds the same room lock, so an acceptance has either been committed or will fail.
    lookup.change_access(found, who.key, lambda locked: done.append(write(locked, _in_scope(who, locked))))
    return done[0]


def _in_scope(who: Identity, room: Room) -> QuerySet[Invitation]:
    """Return the open invitations of *room* that *who* may list and revoke."""
    all_of_room = open_invitations().filter(room=room)
    return (
        all_of_room
        if policy.allows(policy.require_moderation, who, room)
        else all_of_room.filter(by_key=who.key)
    )


def _require_room_for_one(room: Room) -> None:
    """Raise :class:`Forbidden` if the room has as many open invitations as it may have. Call it with the room locked."""
    most = config().ROOM_MAX_INVITATIONS
    if most is not None and open_invitations().filter(room=room).count() >= most:
        raise Forbidden(
            _("This room has %(most)d active invitations already; revoke one first."),
            most=most,
            code="too_many",
        )


def _no_such_invitation() -> NotFound:
    return NotFound(
        _("This invitation is invalid or has expired. Ask for a new one."), code="no_such_invitation"
    )
