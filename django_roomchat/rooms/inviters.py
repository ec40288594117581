"""The right to invite people to a room, and the end of a person's invitations together with that right."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from django_roomchat import policy
from django_roomchat.database import database
from django_roomchat.errors import BadValue
from django_roomchat.identity import Identity, is_site_key
from django_roomchat.models import Invitation, Membership, Room
from django_roomchat.policy import audit_trail


def require_inviter(who: Identity, room: Room, role: str) -> None:
    """Raise :class:`ChatError` unless *who* may add people to *room* with this *role*."""
    if role not in Membership.Role.values:
        raise BadValue(_("The role must be “owner”, “moderator” or “member”."))
    policy.require_may(who, room, "can_invite")
    if role != "member":
        policy.require_may(who, room, "can_manage")


def open_invitations() -> QuerySet[Invitation]:
    """Return the invitations that have not expired, been used up or been revoked."""
    in_time = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    has_uses = Q(uses_left=None) | Q(uses_left__gt=0)
    return Invitation.objects.using(database()).filter(in_time, has_uses, revoked_at=None)


def is_valid(invitation: Invitation, room: Room) -> bool:
    """Return whether the creator may still invite: a link does not outlive the rights of its creator."""
    inviter = Identity(invitation.by_key, "", user=invitation.by, is_site=is_site_key(invitation.by_key))
    if invitation.by is not None and not invitation.by.is_active:
        return False
    return policy.allows(require_inviter, inviter, room, invitation.role)


def end_invitations(room: Room, inviter: Identity, *, by: Identity) -> None:
    """Revoke the invitations that a person may no longer give. They stay revoked if the person gets the right again.

    Call it after a change that takes rights away, with the room locked.

    Args:
        room: the locked room.
        inviter: the person whose rights have changed.
        by: the identity that changed them, for the audit trail.
    """
    theirs = open_invitations().filter(room=room, by_key=inviter.key).select_related("by")
    if ended := [one.pk for one in theirs if not is_valid(one, room)]:
        open_invitations().filter(pk__in=ended).update(revoked_at=timezone.now())
        audit_trail.record("revoke_invitations", by, room=room.name, target=inviter, count=len(ended))
