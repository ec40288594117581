"""Keeping a room pleasant: who may not enter it (bans), and who may not post in it (mutes), perhaps for a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from django_roomchat import actions, audit, policy, roll, standing, text
from django_roomchat.counter import database
from django_roomchat.errors import BadValue, Forbidden
from django_roomchat.identity import Identity
from django_roomchat.models import Ban, Membership, Message, Mute, Room

KEY_MAX_LENGTH = 100
PAGE_SANCTIONS = 200
"""People that one answer lists."""

Sanctions = type[Ban] | type[Mute]


def ban(
    room: str | Room, who: Any, *, by: Any = None, reason: str = "", until: datetime | None = None
) -> int:
    """Shut somebody out of a room, at once: their open sockets leave it, and nothing they say is numbered after this.

    Args:
        room: its name, however typed, or the room.
        who: a user of the project, an :class:`~django_roomchat.identity.Identity`, or the key of one.
        by: who bans them, and must be allowed to moderate; without one the project itself.
            Nobody bans themselves or somebody of their own rank or above: owners stand above moderators, and staff above owners.
        reason: told to them; up to 300 characters.
        until: the end of the ban; ``None`` for no end. It ends by itself.

    Returns:
        The room's head when the ban came into force; what they said stands at or below it.

    Raises:
        ChatError: it is refused.
    """
    return _sanction(Ban, "ban", room, who, by, reason, until)


async def aban(room: str | Room, who: Any, **options: Any) -> int:
    """See :func:`ban`."""
    return await sync_to_async(ban)(room, who, **options)


def unban(room: str | Room, who: Any, *, by: Any = None) -> int:
    """End a ban. The arguments and the answer are those of :func:`ban`."""
    return _lift(Ban, "unban", room, who, by)


async def aunban(room: str | Room, who: Any, **options: Any) -> int:
    """See :func:`unban`."""
    return await sync_to_async(unban)(room, who, **options)


def mute(
    room: str | Room, who: Any, *, by: Any = None, reason: str = "", until: datetime | None = None
) -> int:
    """Let somebody read and not post, at once. The arguments and the answer are those of :func:`ban`."""
    return _sanction(Mute, "mute", room, who, by, reason, until)


async def amute(room: str | Room, who: Any, **options: Any) -> int:
    """See :func:`mute`."""
    return await sync_to_async(mute)(room, who, **options)


def unmute(room: str | Room, who: Any, *, by: Any = None) -> int:
    """End a mute. The arguments and the answer are those of :func:`ban`."""
    return _lift(Mute, "unmute", room, who, by)


async def aunmute(room: str | Room, who: Any, **options: Any) -> int:
    """See :func:`unmute`."""
    return await sync_to_async(unmute)(room, who, **options)


@dataclass(frozen=True, slots=True)
class Sanctioned:
    """Somebody who is banned or muted, or both, just now."""

    key: str
    name: str
    """Empty if the room did not know them."""
    ban: standing.Sanction | None
    mute: standing.Sanction | None


def list_sanctions(room: str | Room, *, by: Any = None, after: str = "") -> list[Sanctioned]:
    """Who is banned or muted in a room just now, in the order of their keys: at most 200.

    Args:
        room: its name, however typed, or the room.
        by: who asks, and must be allowed to moderate; without one the project itself.
        after: the key of the last one of the page before.

    Raises:
        ChatError: it is refused.
    """
    found = actions.room_of(actions.name_of(room))
    policy.require_moderation(actions.identity_of(by), found)
    bans, mutes = _in_force(Ban, found, after), _in_force(Mute, found, after)
    names = {key: name for key, (name, _held) in [*mutes.items(), *bans.items()]}
    return [
        Sanctioned(key, names[key], bans.get(key, _NONE)[1], mutes.get(key, _NONE)[1])
        for key in sorted(names)[:PAGE_SANCTIONS]
    ]


async def alist_sanctions(room: str | Room, **options: Any) -> list[Sanctioned]:
    """See :func:`list_sanctions`."""
    return await sync_to_async(list_sanctions)(room, **options)


_NONE = "", None


def _in_force(model: Sanctions, room: Room, after: str) -> dict[str, tuple[str, standing.Sanction | None]]:
    held = model.objects.using(database()).in_force().filter(room_id=room.pk, key__gt=after)
    rows = held.order_by("key").values_list("key", "name", "reason", "until")[:PAGE_SANCTIONS]
    return {key: (name, standing.Sanction(reason, until)) for key, name, reason, until in rows}


def _sanction(
    model: Sanctions, verb: str, room: str | Room, who: Any, by: Any, reason: str, until: datetime | None
) -> int:
    reason = text.reason(reason)
    if until is not None and until <= timezone.now():
        raise BadValue(_("The expiry must be in the future."))
    judge = actions.identity_of(by)

    def write(locked: Room) -> None:
        target = require_rank(judge, locked, who)
        values = {"reason": reason, "until": until, "by": judge.user}
        # Who has never said anything has no name in the room, and may have one among those who are there.
        if name := target.name or roll.name_here(locked, target.key):
            values["name"] = name
        model.objects.using(database()).update_or_create(values, room=locked, key=target.key)
        end = until.isoformat() if until else None
        audit.record(verb, judge, room=locked.name, target=target, reason=reason, until=end)

    return _change(room, who, judge, write)


def _lift(model: Sanctions, verb: str, room: str | Room, who: Any, by: Any) -> int:
    judge = actions.identity_of(by)

    def write(locked: Room) -> None:
        target = require_rank(judge, locked, who)
        ended, _by_model = model.objects.using(database()).filter(room=locked, key=target.key).delete()
        if ended:
            audit.record(verb, judge, room=locked.name, target=target)

    return _change(room, who, judge, write)


def _change(room: str | Room, who: Any, judge: Identity, write: Callable[[Room], None]) -> int:
    key = who if isinstance(who, str) else actions.identity_of(who).key
    if not (0 < len(key) <= KEY_MAX_LENGTH and key.isprintable()):
        raise BadValue(_("A user's key must have 1 to %(most)d visible characters."), most=KEY_MAX_LENGTH)
    found = actions.room_of(actions.name_of(room))
    policy.require_moderation(judge, found)
    return actions.change_access(found, key, write)


def require_rank(judge: Identity, room: Room, who: Any) -> Identity:
    """Whom it concerns, if *judge* stands above them in *room*. Asked under its lock: roles change, too."""
    policy.require_moderation(judge, room)
    target = person(room, who) if isinstance(who, str) else actions.identity_of(who)
    if target.key == judge.key:
        raise Forbidden(_("You cannot do this to yourself; ask another moderator."), code="yourself")
    if not judge.is_site and _rank(target, room) >= _rank(judge, room):
        raise Forbidden(_("You cannot do this to a user of your own rank or above."), code="rank")
    return target


def person(room: Room, key: str) -> Identity:
    """Who has this key, as far as the room knows them: as a member, or from the last thing that they said. Else without a name."""
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
    if standing.of(who.key, room).role == Membership.Role.OWNER:
        return 2
    return 1 if policy.policy().can_moderate(who, room) else 0
