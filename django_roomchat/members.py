"""Who belongs to a room, and as what: owner, moderator or member."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from asgiref.sync import sync_to_async
from django.db.models import Q
from django.utils.translation import gettext_noop as _

from django_roomchat import actions, audit, lines, moderation, policy, rooms, standing
from django_roomchat.counter import database
from django_roomchat.errors import BadValue, Forbidden, NotFound
from django_roomchat.identity import Identity
from django_roomchat.models import Membership, Room

PAGE_MEMBERS = 200
"""Members that one answer lists."""

Role = Literal["owner", "moderator", "member"]


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who belongs to a room."""

    key: str
    name: str
    role: str
    """``owner``, ``moderator`` or ``member``."""
    since: datetime


def add_member(room: str | Room, who: Any, *, by: Any = None, role: Role = "member") -> bool:
    """Make somebody a member of a room. Who is one already stays what they are.

    Args:
        room: its name, however typed, or the room.
        who: a user of the project, an :class:`~django_roomchat.identity.Identity`, or the key of somebody whom the room knows,
            because they have said something in it.
        by: who adds them: somebody who may invite people, and for other roles than ``member`` who may manage the room; into an
            open room everybody may add themselves. Without one the project itself.
        role: ``owner``, ``moderator`` or ``member``.

    Returns:
        Whether they were no member before.

    Raises:
        ChatError: it is refused.
    """
    doer = actions.identity_of(by)

    def write(locked: Room) -> bool:
        whom = _person(locked, who)
        joins_by_themselves = (
            whom.key == doer.key and role == "member" and locked.visibility == Room.Visibility.OPEN
        )
        if joins_by_themselves:
            policy.require_entry(doer, locked)
        else:
            require_inviter(doer, locked, role)
        return admit(locked, whom, role, by=doer)

    return _change(room, doer, _key_of(who), write)


async def aadd_member(room: str | Room, who: Any, **options: Any) -> bool:
    """See :func:`add_member`."""
    return await sync_to_async(add_member)(room, who, **options)


def admit(room: Room, whom: Identity, role: str, *, by: Identity) -> bool:
    """Make somebody a member, with the room locked. Whoever calls this has asked whether they may."""
    if room.visibility == Room.Visibility.DIRECT:
        raise same_two_people()
    if whom.is_site:
        raise BadValue(_("The site itself cannot be a member of a room."))
    if (ban := standing.of(whom.key, room).ban) is not None and not by.is_site:
        raise Forbidden(ban.reason or _("This user is banned from this room."), code="banned")
    _membership, is_new = Membership.objects.using(database()).get_or_create(
        {"name": whom.name, "user": whom.user, "role": role}, room=room, key=whom.key
    )
    if is_new:
        if whom.key != by.key:
            audit.record("add_member", by, room=room.name, target=whom, role=role)
        lines.tell(room, "joined", by, whom=whom)
    return is_new


def remove_member(room: str | Room, who: Any, *, by: Any = None) -> bool:
    """End somebody's membership, at once: their open sockets leave a room that is for members only.

    Args:
        room: its name, however typed, or the room.
        who: a user of the project, an identity, or the key of one.
        by: who removes them: a moderator or owner of higher rank than theirs; without one the project itself.

    Returns:
        Whether they were a member.

    Raises:
        ChatError: it is refused.
    """
    doer = actions.identity_of(by)

    def write(locked: Room) -> bool:
        whom = moderation.require_rank(doer, locked, who)
        is_ended = _end(locked, whom.key)
        if is_ended:
            audit.record("remove_member", doer, room=locked.name, target=whom)
            lines.tell(locked, "removed", doer, whom=whom)
        return is_ended

    return _change(room, doer, _key_of(who), write)


async def aremove_member(room: str | Room, who: Any, *, by: Any = None) -> bool:
    """See :func:`remove_member`."""
    return await sync_to_async(remove_member)(room, who, by=by)


def leave_room(room: str | Room, who: Any) -> bool:
    """End one's own membership. The last owner cannot, as long as there are other members.

    Args:
        room: its name, however typed, or the room.
        who: a user of the project or an identity.

    Returns:
        Whether they were a member.

    Raises:
        Forbidden: with the code ``last_owner`` they have to make somebody else an owner first.
    """
    whom = actions.identity_of(who)

    def write(locked: Room) -> bool:
        policy.require_entry(whom, locked)
        _require_owner_left(locked, whom.key, is_leaving=True)
        is_ended = _end(locked, whom.key)
        if is_ended:
            lines.tell(locked, "left", whom, whom=whom)
        return is_ended

    return _change(room, whom, whom.key, write)


async def aleave_room(room: str | Room, who: Any) -> bool:
    """See :func:`leave_room`."""
    return await sync_to_async(leave_room)(room, who)


def set_role(room: str | Room, who: Any, role: Role, *, by: Any = None) -> bool:
    """Make a member owner, moderator or mere member, at once. The last owner remains one.

    Args:
        room: its name, however typed, or the room.
        who: a user of the project, an identity, or the key of one. They are a member already.
        role: ``owner``, ``moderator`` or ``member``.
        by: who gives the role: somebody who may manage the room, to themselves or to people of lower rank;
            without one the project itself.

    Returns:
        Whether they had another role.

    Raises:
        ChatError: it is refused.
    """
    doer = actions.identity_of(by)
    if role not in Membership.Role.values:
        raise BadValue(_("The role must be “owner”, “moderator” or “member”."))

    def write(locked: Room) -> bool:
        policy.require_may(doer, locked, "can_manage")
        whom = _person(locked, who)
        if whom.key != doer.key:
            moderation.require_rank(doer, locked, whom)
        held = Membership.objects.using(database()).filter(room=locked, key=whom.key)
        before = held.values_list("role", flat=True).first()
        if before is None:
            raise NotFound(_("This user is not a member of this room."), code="no_such_member")
        if before == role:
            return False
        if role != "owner" and not doer.is_site:
            _require_owner_left(locked, whom.key)
        held.update(role=role)
        audit.record("set_role", doer, room=locked.name, target=whom, before=before, after=role)
        lines.tell(locked, "role", doer, whom=whom, value=role)
        return True

    return _change(room, doer, _key_of(who), write)


async def aset_role(room: str | Room, who: Any, role: Role, *, by: Any = None) -> bool:
    """See :func:`set_role`."""
    return await sync_to_async(set_role)(room, who, role, by=by)


def list_members(room: str | Room, *, by: Any = None, after: str = "", prefix: str = "") -> list[Member]:
    """The members of a room, in the order of their keys: at most 200.

    Args:
        room: its name, however typed, or the room.
        by: who asks, and must be allowed to enter the room; without one the project itself.
        after: the key of the last one of the page before.
        prefix: only those of whose name a word begins with this, without regard to case.
    """
    found = actions.enter_room(actions.identity_of(by), actions.name_of(room))
    if found.pk is None:
        return []
    rows = Membership.objects.using(database()).filter(room=found, key__gt=after).order_by("key")
    if wanted := " ".join(prefix.split()):
        rows = rows.filter(Q(name__istartswith=wanted) | Q(name__icontains=f" {wanted}"))
    return [Member(*row) for row in rows.values_list("key", "name", "role", "created_at")[:PAGE_MEMBERS]]


async def alist_members(room: str | Room, **options: Any) -> list[Member]:
    """See :func:`list_members`."""
    return await sync_to_async(list_members)(room, **options)


def require_inviter(who: Identity, room: Room, role: str) -> None:
    """Raise :class:`ChatError` unless *who* may bring people into *room* in this *role*."""
    if role not in Membership.Role.values:
        raise BadValue(_("The role must be “owner”, “moderator” or “member”."))
    policy.require_may(who, room, "can_invite")
    if role != "member":
        policy.require_may(who, room, "can_manage")


def _change(room: str | Room, doer: Identity, key: str, write: Callable[[Room], bool]) -> bool:
    """Change who belongs to a room, with the room locked."""
    # Asked here for a quick no, and again under the lock: the room may have become another meanwhile.
    found = actions.enter_room(doer, actions.name_of(room))
    if found.pk is None and not doer.is_site:
        raise policy.no_such_room()
    done: list[bool] = []
    actions.change_access(found, key, lambda locked: done.append(write(locked)))
    return done[0]


def _end(room: Room, key: str) -> bool:
    if room.visibility == Room.Visibility.DIRECT:
        raise same_two_people()
    return bool(Membership.objects.using(database()).filter(room=room, key=key).delete()[0])


def _require_owner_left(room: Room, key: str, *, is_leaving: bool = False) -> None:
    """Raise :class:`Forbidden` if *key* is the only owner; who is the only member may leave."""
    members = Membership.objects.using(database()).filter(room=room)
    owners = set(members.filter(role=Membership.Role.OWNER).values_list("key", flat=True)[:2])
    if owners == {key} and not (is_leaving and not members.exclude(key=key).exists()):
        raise Forbidden(
            _("You are the only owner of this room; make someone else an owner first."), code="last_owner"
        )


def _person(room: Room, who: Any) -> Identity:
    return rooms.met_in(room, who) if isinstance(who, str) else actions.identity_of(who)


def _key_of(who: Any) -> str:
    return who if isinstance(who, str) else actions.identity_of(who).key


def same_two_people() -> Forbidden:
    return Forbidden(_("The members of a direct room cannot be changed."), code="direct_room")
