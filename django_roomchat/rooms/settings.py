"""Settings of a room, such as its title, its visibility and its retention period. A change applies at once to open sockets."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_noop as _

from django_roomchat import identity, policy
from django_roomchat.conf import config
from django_roomchat.database import database, twin
from django_roomchat.errors import BadValue
from django_roomchat.identity import Actor
from django_roomchat.models import Room
from django_roomchat.policy import audit_trail
from django_roomchat.rooms import lookup, system_messages
from django_roomchat.text import validation, values

SLOW_SECONDS_MAX = 86_400

RETENTION_DAYS_MAX = 36_500


def configure_room(
    room: str | Room,
    *,
    by: Actor | None = None,
    title: str | None = None,
    is_archived: bool | None = None,
    is_listed: bool | None = None,
    is_announcement: bool | None = None,
    tells_changes: bool | None = None,
    slow_seconds: int | None = None,
    retention_days: int | None = None,
) -> Room:
    """Change the settings of a room. Settings that are left out keep their value.

    The change applies at once to open sockets and to posts that are in progress.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`. Without *by*, a room that does not
            exist is created.
        by: the acting user or identity, which must be allowed to manage the room. Without one the site acts.
        title: display name of the room. The canonical name, and with it the URL, does not change.
        is_archived: whether the room is read-only: no posts, reactions or pins. It can be reopened.
        is_listed: whether the room appears in the room list of those who may enter it.
        is_announcement: whether only moderators may post.
        tells_changes: whether system messages report joined, left and removed members and other changes of the room.
        slow_seconds: minimum time between two messages of one person, in seconds; 0 for none, at most 86400 (a day).
        retention_days: age in days after which ``roomchat_prune`` deletes messages; 0 for never.

    Returns:
        The room with its new settings.

    Raises:
        ChatError: the change is rejected, and nothing is changed.
            Codes: ``bad_room_name``, ``bad_value``, ``banned``, ``forbidden``, ``members_only``,
            ``name_taken``, ``no_permission``, ``no_such_room``, ``sign_in``.
    """
    for name, flag in (
        ("is_archived", is_archived),
        ("is_listed", is_listed),
        ("is_announcement", is_announcement),
        ("tells_changes", tells_changes),
    ):
        if flag is not None:
            values.of_type(flag, bool, f"“{name}”")
    who = identity.identity_of(by)
    found = lookup.room_of(lookup.name_of(room))
    policy.require_may(who, found, "can_manage")
    days = None if retention_days is None else whole_number(retention_days, RETENTION_DAYS_MAX)
    wanted: dict[str, Any] = {
        "title": None if title is None else validation.room_title(title, config().ROOM_NAME_MAX_LENGTH),
        "is_listed": is_listed,
        "is_announcement": is_announcement,
        "tells_changes": tells_changes,
        "slow_seconds": None if slow_seconds is None else whole_number(slow_seconds, SLOW_SECONDS_MAX),
    }
    changed: list[Room] = []

    def write(locked: Room) -> None:
        policy.require_may(who, locked, "can_manage")
        new = {field: value for field, value in wanted.items() if value not in (None, getattr(locked, field))}
        if is_archived is not None and is_archived != (locked.archived_at is not None):
            new["archived_at"] = timezone.now() if is_archived else None
        if days is not None and days != (locked.retention_days or 0):
            new["retention_days"] = days or None
        changed.append(locked)
        if not new:
            return
        for field, value in new.items():
            setattr(locked, field, value)
        Room.objects.using(database()).filter(pk=locked.pk).update(**new)
        audit_trail.record(
            "configure", who, room=locked.name, **{k: _plain(value) for k, value in new.items()}
        )
        if "title" in new:
            system_messages.post_system_message(locked, "renamed", who, value=locked.title)
        if "archived_at" in new:
            system_messages.post_system_message(locked, "archived" if is_archived else "unarchived", who)

    lookup.change_access(found, "", write)
    return changed[0]


aconfigure_room = twin(configure_room)


def settings_of(room: str | Room, *, by: Actor | None = None) -> Room:
    """Return a room to a caller that may change its settings.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        by: the acting user or identity, which must be allowed to manage the room. Without one the site acts.

    Returns:
        The room with its current settings.

    Raises:
        ChatError: *by* may not manage the room.
    """
    found = lookup.room_of(lookup.name_of(room))
    policy.require_may(identity.identity_of(by), found, "can_manage")
    return found


def whole_number(number: int, most: int) -> int:
    if type(number) is not int or not 0 <= number <= most:
        raise BadValue(_("The value must be a whole number from 0 to %(most)d."), most=most)
    return number


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
