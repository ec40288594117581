"""Room membership and roles: owner, moderator and member."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import connections
from django.db.models import F, Q
from django.db.models.functions import Greatest, Lower
from django.db.models.lookups import Contains, StartsWith
from django.utils.translation import gettext_noop as _

from django_roomchat import identity, policy
from django_roomchat.database import database, twin
from django_roomchat.errors import BadValue, Forbidden, NotFound
from django_roomchat.identity import Actor, Identity, Target
from django_roomchat.models import Membership, ReadMarker, Room
from django_roomchat.policy import audit_trail, ranks, roles
from django_roomchat.protocol import Role
from django_roomchat.rooms import inviters, lookup, system_messages
from django_roomchat.text import values

PAGE_MEMBERS = 200
"""Maximum number of members in one page."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a room."""

    key: str
    name: str
    role: str
    """``owner``, ``moderator`` or ``member``."""
    since: datetime


def add_member(room: str | Room, user: Target, *, by: Actor | None = None, role: Role = "member") -> bool:
    """Add a person to a room. A person who is a member already keeps their role.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        user: a user of the project, an :class:`~django_roomchat.identity.Identity`, or the identity key of a person who has
            posted in the room.
        by: the acting user or identity. It must be allowed to invite people, and for roles other than ``member`` to manage the
            room; everybody who may enter an open room may add themselves to it as ``member``. Without one the site acts.
        role: ``owner``, ``moderator`` or ``member``.

    Returns:
        Whether the person was added, that is, was not a member before.

    Raises:
        ChatError: the change is rejected.
            Codes: ``bad_room_name``, ``bad_value``, ``banned``, ``direct_room``, ``forbidden``,
            ``members_only``, ``name_taken``, ``no_permission``, ``no_such_person``, ``no_such_room``,
            ``sign_in``.
    """
    actor = identity.identity_of(by)

    def write(locked: Room) -> bool:
        whom = _person(locked, user)
        is_joining = whom.key == actor.key and role == "member" and locked.visibility == Room.Visibility.OPEN
        if is_joining:
            policy.require_entry(actor, locked)
        else:
            inviters.require_inviter(actor, locked, role)
        return admit(locked, whom, role, by=actor)

    return _change(room, actor, identity.key_of(user), write)


aadd_member = twin(add_member)


def admit(room: Room, whom: Identity, role: str, *, by: Identity) -> bool:
    """Add a member and return whether they are new. Call it with the room locked and the permission of *by* checked."""
    if room.visibility == Room.Visibility.DIRECT:
        raise members_are_fixed()
    if whom.is_site:
        raise BadValue(_("The site itself cannot be a member of a room."))
    if (ban := roles.of(whom.key, room).ban) is not None and not by.is_site:
        raise Forbidden(ban.reason or _("This user is banned from this room."), code="banned")
    _membership, is_new = Membership.objects.using(database()).get_or_create(
        {"name": whom.name, "user": whom.user, "role": role}, room=room, key=whom.key
    )
    if is_new:
        # People who join an open room or accept an invitation are not recorded; staff who add themselves in the admin are.
        if whom.key != by.key or by.is_site:
            audit_trail.record("add_member", by, room=room.name, target=whom, role=role)
        system_messages.post_system_message(room, "joined", by, whom=whom)
    return is_new


def remove_member(room: str | Room, user: Target, *, by: Actor | None = None) -> bool:
    """Remove a person from a room. Their open sockets leave the room at once if it is for members only.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        user: a user of the project, an identity, or an identity key.
        by: the acting user or identity. It must be allowed to moderate and have a higher rank than *user*. Without one the site
            acts.

    Returns:
        Whether the person was a member.

    Raises:
        ChatError: the change is rejected.
            Codes: ``bad_room_name``, ``bad_value``, ``banned``, ``direct_room``, ``forbidden``,
            ``members_only``, ``name_taken``, ``no_permission``, ``no_such_room``, ``rank``, ``sign_in``,
            ``yourself``.
    """
    actor = identity.identity_of(by)

    def write(locked: Room) -> bool:
        whom = ranks.require_rank(actor, locked, user)
        if locked.visibility == Room.Visibility.DIRECT:
            raise members_are_fixed()
        is_ended = _end(locked, whom.key)
        if is_ended:
            audit_trail.record("remove_member", actor, room=locked.name, target=whom)
            inviters.end_invitations(locked, whom, by=actor)
            system_messages.post_system_message(locked, "removed", actor, whom=whom)
        return is_ended

    return _change(room, actor, identity.key_of(user), write)


aremove_member = twin(remove_member)


def leave_room(room: str | Room, *, by: Actor) -> bool:
    """End a person's own membership. The last owner cannot leave while the room has other members.

    A person who leaves a direct room stays a member. The room is read, and not in their room list until the next message;
    :func:`~django_roomchat.block` prevents further messages.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        by: the user or identity that leaves.

    Returns:
        Whether the person was a member; for a direct room, whether they had not left it before.

    Raises:
        ChatError: the person cannot leave: with the code ``last_owner``, another member must become an owner first.
            Codes: ``bad_room_name``, ``bad_value``, ``banned``, ``forbidden``, ``last_owner``,
            ``members_only``, ``name_taken``, ``no_permission``, ``no_such_room``, ``sign_in``.
    """
    whom = identity.person_of(by)

    def write(locked: Room) -> bool:
        policy.require_entry(whom, locked)
        if locked.visibility == Room.Visibility.DIRECT:
            return _leave_direct(locked, whom)
        _require_owner_left(locked, whom.key, is_leaving=True)
        is_ended = _end(locked, whom.key)
        if is_ended:
            inviters.end_invitations(locked, whom, by=whom)
            system_messages.post_system_message(locked, "left", whom, whom=whom)
        return is_ended

    return _change(room, whom, whom.key, write)


aleave_room = twin(leave_room)


def set_role(room: str | Room, user: Target, role: Role, *, by: Actor | None = None) -> bool:
    """Change the role of a member at once. A room keeps at least one owner.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        user: a user of the project, an identity, or an identity key; must be a member.
        role: ``owner``, ``moderator`` or ``member``.
        by: the acting user or identity. It must be allowed to manage the room, and may change its own role and those of members
            of lower rank. Without one the site acts, which may also remove the last owner.

    Returns:
        Whether the role changed.

    Raises:
        ChatError: the change is rejected.
            Codes: ``bad_room_name``, ``bad_value``, ``banned``, ``forbidden``, ``last_owner``,
            ``members_only``, ``name_taken``, ``no_permission``, ``no_such_member``, ``no_such_person``,
            ``no_such_room``, ``rank``, ``sign_in``, ``yourself``.
    """
    actor = identity.identity_of(by)
    if role not in Membership.Role.values:
        raise BadValue(_("The role must be “owner”, “moderator” or “member”."))

    def write(locked: Room) -> bool:
        policy.require_may(actor, locked, "can_manage")
        whom = _person(locked, user)
        if whom.key != actor.key:
            ranks.require_rank(actor, locked, whom)
        held = Membership.objects.using(database()).filter(room=locked, key=whom.key)
        before = held.values_list("role", flat=True).first()
        if before is None:
            raise NotFound(_("This user is not a member of this room."), code="no_such_member")
        if before == role:
            return False
        if role != "owner" and not actor.is_site:
            _require_owner_left(locked, whom.key)
        held.update(role=role)
        audit_trail.record("set_role", actor, room=locked.name, target=whom, before=before, after=role)
        inviters.end_invitations(locked, whom, by=actor)
        system_messages.post_system_message(locked, "role", actor, whom=whom, value=role)
        return True

    return _change(room, actor, identity.key_of(user), write)


aset_role = twin(set_role)


def list_members(
    room: str | Room, *, by: Actor | None = None, after: str = "", prefix: str = ""
) -> list[Member]:
    """Return a page of a room's members.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        by: the acting user or identity, which must be allowed to enter the room. Without one the site acts.
        after: the key of the last member of the previous page; empty for the first page.
        prefix: return only members with a word of their name that begins with this prefix, ignoring case.

    Returns:
        At most 200 members in the order of their keys; empty if the room does not exist.

    Raises:
        ChatError: *by* may not enter the room.
            Codes: ``bad_room_name``, ``bad_value``, ``banned``, ``forbidden``, ``members_only``,
            ``name_taken``, ``no_permission``, ``no_such_room``, ``sign_in``.
    """
    values.line(after, "after", values.CURSOR_MAX_LENGTH)
    values.line(prefix, "prefix", values.PREFIX_MAX_LENGTH)
    found = lookup.enter_room(identity.identity_of(by), lookup.name_of(room))
    if found.pk is None:
        return []
    rows = Membership.objects.using(database()).filter(room=found, key__gt=after).order_by("key")
    if wanted := " ".join(prefix.split()):
        rows = rows.filter(has_word(wanted))
    return [Member(*row) for row in rows.values_list("key", "name", "role", "created_at")[:PAGE_MEMBERS]]


alist_members = twin(list_members)


def has_word(prefix: str, *, space: str = " ") -> Q:
    """Return the condition for memberships with a word of the name that begins with a prefix, ignoring case.

    Args:
        prefix: the prefix.
        space: what precedes every word but the first.
    """
    if connections[database()].vendor == "mysql":
        # The collation of the column may ignore diacritics, too.
        name = Lower("name")
        return Q(StartsWith(name, prefix.lower())) | Q(Contains(name, f"{space}{prefix}".lower()))
    return Q(name__istartswith=prefix) | Q(name__icontains=f"{space}{prefix}")


def _change(room: str | Room, actor: Identity, key: str, write: Callable[[Room], bool]) -> bool:
    """Change the members of a room with the room locked, and return the result of *write*."""
    # Checked here to reject early, and again under the lock, because the room may have changed meanwhile.
    found = lookup.enter_room(actor, lookup.name_of(room))
    if found.pk is None and not actor.is_site:
        raise policy.no_such_room()
    done: list[bool] = []
    lookup.change_access(found, key, lambda locked: done.append(write(locked)))
    return done[0]


def _end(room: Room, key: str) -> bool:
    return bool(Membership.objects.using(database()).filter(room=room, key=key).delete()[0])


def _leave_direct(room: Room, whom: Identity) -> bool:
    """Mark a direct room as read and left. The lock of the room separates earlier messages from later ones."""
    head = room.log.head
    markers = ReadMarker.objects.using(database())
    marker, is_new = markers.get_or_create(
        {"user": whom.user, "seq": head, "left_seq": head}, room=room, key=whom.key
    )
    if not is_new:
        markers.filter(pk=marker.pk).update(seq=Greatest(F("seq"), head), left_seq=head)
    return is_new or marker.left_seq != head


def _require_owner_left(room: Room, key: str, *, is_leaving: bool = False) -> None:
    """Raise :class:`Forbidden` if *key* is the only owner. An only owner who is the only member may leave."""
    members = Membership.objects.using(database()).filter(room=room)
    owners = set(members.filter(role=Membership.Role.OWNER).values_list("key", flat=True)[:2])
    if owners == {key} and not (is_leaving and not members.exclude(key=key).exists()):
        raise Forbidden(
            _("You are the only owner of this room; make someone else an owner first."), code="last_owner"
        )


def _person(room: Room, user: Target) -> Identity:
    return ranks.met_in(room, user) if isinstance(user, str) else identity.identity_of(user)


def members_are_fixed() -> Forbidden:
    return Forbidden(_("The members of a direct room cannot be changed."), code="direct_room")
