"""Invitations: links that make whoever opens them a member. Who has one needs nothing else, so it can end in three ways."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from django_roomchat import actions, audit, members, policy, standing
from django_roomchat.counter import database
from django_roomchat.errors import BadValue, ChatError, NotFound
from django_roomchat.identity import Identity, is_site_key
from django_roomchat.members import Role
from django_roomchat.models import Invitation, Membership, Room

PAGE_INVITATIONS = 200
"""Invitations that one answer lists."""
USES_MAX = 100_000
EXPIRES_IN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation that was made."""

    id: int
    """By which it is revoked."""
    token: str
    """The end of the link, ``~/invite/<token>/``. It is told this once: what is stored is its digest."""
    room: str
    """The canonical name."""
    role: str
    expires_at: datetime | None
    uses_left: int | None
    """``None`` for any number."""


def invite(
    room: str | Room,
    *,
    by: Any = None,
    role: Role = "member",
    expires_in: timedelta | None = EXPIRES_IN,
    uses: int | None = None,
) -> Invited:
    """Make an invitation.

    It ends when its time is over, when it was used often enough, when it is revoked, and when who made it may not invite any more.

    Args:
        room: its name, however typed, or the room.
        by: who invites, and must be allowed to: for other roles than ``member`` somebody who may manage the room.
            Without one the project itself.
        role: what those who accept become.
        expires_in: after which it ends; ``None`` for never.
        uses: how many may accept it; ``None`` for any number.

    Raises:
        ChatError: it is refused.
    """
    who = actions.identity_of(by)
    found = actions.enter_room(who, actions.name_of(room))
    if found.pk is None:
        raise policy.no_such_room()
    members.require_inviter(who, found, role)
    if found.visibility == Room.Visibility.DIRECT:
        raise members.same_two_people()
    if uses is not None and (type(uses) is not int or not 1 <= uses <= USES_MAX):
        raise BadValue(_("An invitation can be for 1 to %(most)d people."), most=USES_MAX)
    if expires_in is not None and expires_in <= timedelta(0):
        raise BadValue(_("The expiry must be in the future."))
    token = secrets.token_urlsafe(24)
    made = Invitation.objects.using(database()).create(
        room=found,
        digest=_digest(token),
        role=role,
        by_key=who.key,
        by=who.user,
        expires_at=None if expires_in is None else timezone.now() + expires_in,
        uses_left=uses,
    )
    audit.record("invite", who, room=found.name, invitation=made.pk, role=role, uses=uses)
    return Invited(made.pk, token, found.name, role, made.expires_at, uses)


async def ainvite(room: str | Room, **options: Any) -> Invited:
    """See :func:`invite`."""
    return await sync_to_async(invite)(room, **options)


def invitation_of(token: str) -> Invitation:
    """The invitation of a link, with its room.

    Raises:
        NotFound: there is none, or it has ended: nobody is told which.
    """
    found = _open().filter(digest=_digest(token)).select_related("room__log", "by").first()
    if found is None or not _stands(found, found.room):
        raise _no_such_invitation()
    return found


def accept_invitation(token: str, who: Any) -> Room:
    """Become a member by a link. For who is one already, nothing happens and nothing is used up.

    Args:
        token: the end of the link.
        who: a user of the project or an identity, who could enter the room as a member.

    Returns:
        The room.

    Raises:
        NotFound: there is no such invitation, or it has ended.
        ChatError: they are banned from the room, or the policy does not let them in.
    """
    person = actions.identity_of(who)
    found = invitation_of(token)
    if standing.of(person.key, found.room).is_member:
        return found.room

    def write(locked: Room) -> None:
        if Membership.objects.using(database()).filter(room=locked, key=person.key).exists():
            return
        used = _open().filter(pk=found.pk)
        if not used.update(uses_left=F("uses_left") - 1) or not _stands(found, locked):
            raise _no_such_invitation()
        members.admit(locked, person, found.role, by=person)
        policy.require_entry(person, locked)

    actions.change_access(found.room, person.key, write)
    return found.room


async def aaccept_invitation(token: str, who: Any) -> Room:
    """See :func:`accept_invitation`."""
    return await sync_to_async(accept_invitation)(token, who)


def list_invitations(room: str | Room, *, by: Any = None) -> list[Invitation]:
    """The invitations to a room that have not ended, the newest first: at most 200.

    Args:
        room: its name, however typed, or the room.
        by: who asks, and must be allowed to invite; without one the project itself.
    """
    who = actions.identity_of(by)
    found = actions.enter_room(who, actions.name_of(room))
    if found.pk is None:
        return []
    policy.require_may(who, found, "can_invite")
    return list(_open().filter(room=found).order_by("-pk")[:PAGE_INVITATIONS])


async def alist_invitations(room: str | Room, *, by: Any = None) -> list[Invitation]:
    """See :func:`list_invitations`."""
    return await sync_to_async(list_invitations)(room, by=by)


def revoke_invitation(room: str | Room, invitation: int, *, by: Any = None) -> bool:
    """End an invitation. Who has accepted it remains a member.

    Args:
        room: its name, however typed, or the room.
        invitation: its ``id``.
        by: who revokes it, and must be allowed to invite; without one the project itself.

    Returns:
        Whether it had not ended before.

    Raises:
        ChatError: it is refused.
    """
    who = actions.identity_of(by)
    found = actions.enter_room(who, actions.name_of(room))
    if found.pk is None:
        raise policy.no_such_room()
    policy.require_may(who, found, "can_invite")
    # The room's lock: who accepts it holds that, so an acceptance has either happened or will not.
    revoked: list[int] = []

    def write(locked: Room) -> None:
        mine = _open().filter(pk=invitation, room=locked)
        revoked.append(mine.update(revoked_at=timezone.now()))
        if revoked[0]:
            audit.record("revoke_invitation", who, room=locked.name, invitation=invitation)

    actions.change_access(found, who.key, write)
    return bool(revoked[0])


async def arevoke_invitation(room: str | Room, invitation: int, *, by: Any = None) -> bool:
    """See :func:`revoke_invitation`."""
    return await sync_to_async(revoke_invitation)(room, invitation, by=by)


def _open() -> QuerySet[Invitation]:
    """Those that have not ended, as far as the database can tell."""
    in_time = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    has_uses = Q(uses_left=None) | Q(uses_left__gt=0)
    return Invitation.objects.using(database()).filter(in_time, has_uses, revoked_at=None)


def _stands(invitation: Invitation, room: Room) -> bool:
    """Whoever made it may still invite: a link does not outlive the rights of its maker."""
    inviter = Identity(invitation.by_key, "", user=invitation.by, is_site=is_site_key(invitation.by_key))
    if invitation.by is not None and not invitation.by.is_active:
        return False
    try:
        members.require_inviter(inviter, room, invitation.role)
    except ChatError:
        return False
    return True


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def _no_such_invitation() -> NotFound:
    return NotFound(
        _("This invitation is invalid or has expired. Ask for a new one."), code="no_such_invitation"
    )
