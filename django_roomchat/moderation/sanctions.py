"""Bans and mutes. A banned person may not enter a room, a muted person may not post in it; both can expire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from django_roomchat import identity, policy
from django_roomchat.database import database, twin
from django_roomchat.errors import BadValue
from django_roomchat.identity import Actor, Identity, Target
from django_roomchat.models import Ban, Mute, Room
from django_roomchat.policy import audit_trail, roles
from django_roomchat.policy.ranks import require_rank
from django_roomchat.rooms import inviters, lookup, presence_table
from django_roomchat.text import validation, values

PAGE_SANCTIONS = 200
"""Maximum number of people in one page."""

Sanctions = type[Ban] | type[Mute]


def ban(
    room: str | Room,
    user: Target,
    *,
    by: Actor | None = None,
    reason: str = "",
    until: datetime | None = None,
) -> int:
    """Ban a person from a room at once. Their open sockets leave it, and no message of theirs is numbered after the ban.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        user: a user of the project, an :class:`~django_roomchat.identity.Identity`, or an identity key.
        by: the acting user or identity, which must be allowed to moderate and have a higher rank than *user*: staff rank above
            owners, and owners above moderators. Nobody can ban themselves. Without one the site acts.
        reason: reason shown to the banned person; up to 300 characters.
        until: end of the ban, as an aware datetime; ``None`` for no end.

    Returns:
        The room's head when the ban took effect. Messages of the banned person have this sequence number or a lower one.

    Raises:
        ChatError: the ban is rejected.
            Codes: ``bad_room_name``, ``bad_text``, ``bad_value``, ``banned``, ``forbidden``,
            ``members_only``, ``name_taken``, ``no_permission``, ``no_such_room``, ``rank``, ``sign_in``,
            ``yourself``.
    """
    return _sanction(Ban, "ban", room, user, by, reason, until)


aban = twin(ban)


def unban(room: str | Room, user: Target, *, by: Actor | None = None) -> int:
    """End a ban at once.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        user: a user of the project, an :class:`~django_roomchat.identity.Identity`, or an identity key.
        by: the acting user or identity, which must be allowed to moderate and have a higher rank than *user*. Without one the
            site acts.

    Returns:
        The room's head when the ban was ended.

    Raises:
        ChatError: the change is rejected.
            Codes: ``bad_room_name``, ``bad_value``, ``banned``, ``forbidden``, ``members_only``,
            ``name_taken``, ``no_permission``, ``no_such_room``, ``rank``, ``sign_in``, ``yourself``.
    """
    return _end(Ban, "unban", room, user, by)


aunban = twin(unban)


def mute(
    room: str | Room,
    user: Target,
    *,
    by: Actor | None = None,
    reason: str = "",
    until: datetime | None = None,
) -> int:
    """Mute a person in a room at once: they can read, but not post, react or pin.

    No message of theirs is numbered after the mute.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        user: a user of the project, an :class:`~django_roomchat.identity.Identity`, or an identity key.
        by: the acting user or identity, which must be allowed to moderate and have a higher rank than *user*. Without one the
            site acts.
        reason: reason shown to the muted person; up to 300 characters.
        until: end of the mute, as an aware datetime; ``None`` for no end.

    Returns:
        The room's head when the mute took effect. Messages of the muted person have this sequence number or a lower one.

    Raises:
        ChatError: the mute is rejected.
            Codes: ``bad_room_name``, ``bad_text``, ``bad_value``, ``banned``, ``forbidden``,
            ``members_only``, ``name_taken``, ``no_permission``, ``no_such_room``, ``rank``, ``sign_in``,
            ``yourself``.
    """
    return _sanction(Mute, "mute", room, user, by, reason, until)


amute = twin(mute)


def unmute(room: str | Room, user: Target, *, by: Actor | None = None) -> int:
    """End a mute at once.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        user: a user of the project, an :class:`~django_roomchat.identity.Identity`, or an identity key.
        by: the acting user or identity, which must be allowed to moderate and have a higher rank than *user*. Without one the
            site acts.

    Returns:
        The room's head when the mute was ended.

    Raises:
        ChatError: the change is rejected.
            Codes: ``bad_room_name``, ``bad_value``, ``banned``, ``forbidden``, ``members_only``,
            ``name_taken``, ``no_permission``, ``no_such_room``, ``rank``, ``sign_in``, ``yourself``.
    """
    return _end(Mute, "unmute", room, user, by)


aunmute = twin(unmute)


@dataclass(frozen=True, slots=True)
class Sanctioned:
    """A person with a ban or a mute in force, or both."""

    key: str
    name: str
    """Display name; empty if the room does not know the person."""
    ban: roles.Sanction | None
    mute: roles.Sanction | None


def list_sanctions(room: str | Room, *, by: Actor | None = None, after: str = "") -> list[Sanctioned]:
    """Return a page of the people with a ban or mute in force in a room. Expired sanctions are left out.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        by: the acting user or identity, which must be allowed to moderate. Without one the site acts.
        after: the key of the last person of the previous page; empty for the first page.

    Returns:
        At most 200 people in the order of their keys, each with their ban and mute.

    Raises:
        ChatError: *by* may not moderate the room.
            Codes: ``bad_room_name``, ``bad_value``, ``banned``, ``forbidden``, ``members_only``,
            ``name_taken``, ``no_permission``, ``no_such_room``, ``sign_in``.
    """
    values.line(after, "after", values.CURSOR_MAX_LENGTH)
    found = lookup.room_of(lookup.name_of(room))
    policy.require_moderation(identity.identity_of(by), found)
    bans, mutes = _in_force(Ban, found, after), _in_force(Mute, found, after)
    names = {key: name for key, (name, _held) in [*mutes.items(), *bans.items()]}
    return [
        Sanctioned(key, names[key], bans.get(key, _NONE)[1], mutes.get(key, _NONE)[1])
        for key in sorted(names)[:PAGE_SANCTIONS]
    ]


alist_sanctions = twin(list_sanctions)


_NONE = "", None


def _in_force(model: Sanctions, room: Room, after: str) -> dict[str, tuple[str, roles.Sanction | None]]:
    held = model.objects.using(database()).in_force().filter(room_id=room.pk, key__gt=after)
    rows = held.order_by("key").values_list("key", "name", "reason", "until")[:PAGE_SANCTIONS]
    return {key: (name, roles.Sanction(reason, until)) for key, name, reason, until in rows}


def _sanction(
    model: Sanctions,
    verb: str,
    room: str | Room,
    user: Target,
    by: Actor | None,
    reason: str,
    until: datetime | None,
) -> int:
    reason = validation.reason(reason)
    until = None if until is None else _stored(until)
    if until is not None and until <= timezone.now():
        raise BadValue(_("The expiry must be in the future."))
    moderator = identity.identity_of(by)

    def write(locked: Room) -> None:
        target = require_rank(moderator, locked, user)
        values = {"reason": reason, "until": until, "by": moderator.user}
        # A person who has never posted has no name in the room's log, but may have one in the presence table.
        if name := target.name or presence_table.name_here(locked, target.key):
            values["name"] = name
        model.objects.using(database()).update_or_create(values, room=locked, key=target.key)
        end = until.isoformat() if until else None
        audit_trail.record(verb, moderator, room=locked.name, target=target, reason=reason, until=end)
        if model is Ban:
            inviters.end_invitations(locked, target, by=moderator)

    return _change(room, user, moderator, write)


def _stored(until: datetime) -> datetime:
    """Validate the end of a sanction, and return it aware or naive as the database stores it."""
    if settings.USE_TZ:
        return values.aware(until, "The expiry")
    if isinstance(until, datetime) and timezone.is_naive(until):
        # timezone.now() is naive, too.
        until = timezone.make_aware(until, timezone.get_default_timezone())
    return timezone.make_naive(values.aware(until, "The expiry"), timezone.get_default_timezone())


def _end(model: Sanctions, verb: str, room: str | Room, user: Target, by: Actor | None) -> int:
    moderator = identity.identity_of(by)

    def write(locked: Room) -> None:
        target = require_rank(moderator, locked, user)
        ended, _by_model = model.objects.using(database()).filter(room=locked, key=target.key).delete()
        if ended:
            audit_trail.record(verb, moderator, room=locked.name, target=target)

    return _change(room, user, moderator, write)


def _change(room: str | Room, user: Target, moderator: Identity, write: Callable[[Room], None]) -> int:
    key = values.key(identity.key_of(user))
    found = lookup.room_of(lookup.name_of(room))
    policy.require_moderation(moderator, found)
    return lookup.change_access(found, key, write)
