"""Explicit room creation, direct rooms and room settings. An open room needs neither: its first message creates it."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, Literal

from asgiref.sync import sync_to_async
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from django_roomchat import actions, identity, lines, policy
from django_roomchat.conf import config
from django_roomchat.database import database
from django_roomchat.errors import BadRoomName, BadValue
from django_roomchat.identity import Identity
from django_roomchat.models import Membership, Room, RoomLog
from django_roomchat.policy import audit_trail, rate_limits
from django_roomchat.policy.ranks import met_in
from django_roomchat.text import validation

SLOW_SECONDS_MAX = 86_400
RETENTION_DAYS_MAX = 36_500


def create_room(
    title: str,
    *,
    by: Any = None,
    visibility: Literal["open", "private"] = "open",
    is_listed: bool = True,
    is_announcement: bool = False,
    tells_changes: bool = False,
    slow_seconds: int = 0,
    retention_days: int = 0,
) -> Room:
    """Create a room.

    Args:
        title: display name of the room. The canonical name of an open room is derived from it; that of a private room is random.
        by: the creator, which becomes the owner and must be allowed to create rooms. Without one the site creates the room, and
            it has no owner until :func:`~django_roomchat.add_member` adds one.
        visibility: ``open``, or ``private`` for members only. It cannot be changed later.
        is_listed: whether the room appears in the room list of those who may enter it.
        is_announcement: whether only moderators may post.
        tells_changes: whether system messages report joined, left and removed members and other changes of the room.
        slow_seconds: minimum time between two messages of one person, in seconds; 0 for none, at most 86400 (a day).
        retention_days: age in days after which ``roomchat_prune`` deletes messages; 0 for never.

    Returns:
        The new room.

    Raises:
        BadRoomName: the title is invalid, or, with the code ``taken``, an open room with this name exists.
        ChatError: *by* may not create the room.
    """
    who = identity.identity_of(by)
    is_private = visibility == "private"
    if visibility not in ("open", "private"):
        raise BadValue(_("The visibility must be “open” or “private”."))
    shown = validation.room_title(title, config().ROOM_NAME_MAX_LENGTH)
    if shown.startswith(validation.HIDDEN):
        raise BadRoomName(_("A room's name cannot begin with “~”."))
    room = Room(
        name=validation.hidden_name() if is_private else actions.canonical_name(title),
        title=shown,
        visibility=visibility,
        is_listed=is_listed,
        is_announcement=is_announcement,
        tells_changes=tells_changes,
        slow_seconds=_whole(slow_seconds, SLOW_SECONDS_MAX),
        retention_days=_whole(retention_days, RETENTION_DAYS_MAX) or None,
    )
    if not who.is_site:
        policy.require(policy.policy().can_create(who, room))
    rate_limits.spend("ROOMS", who, rate_limits.address_here())
    try:
        with transaction.atomic(using=database()):
            _store(room, [] if who.is_site else [(who, Membership.Role.OWNER)])
            audit_trail.record("create_room", who, room=room.name, title=shown, visibility=visibility)
            lines.tell(room, "created", who)
    except IntegrityError as error:
        # A caller that may not see the existing room gets the error that entering it gives.
        actions.enter_room(who, room.name)
        raise BadRoomName(_("A room with this name already exists."), code="taken") from error
    return room


async def acreate_room(title: str, **options: Any) -> Room:
    """See :func:`create_room`."""
    return await sync_to_async(create_room)(title, **options)


def direct_room(one: Any, other: Any) -> Room:
    """Return the direct room of two people, created if they have none.

    Repeated and concurrent calls return the same room, in either order of the arguments. Its two members cannot change.
    The policy is not asked; :func:`write_to` asks it.

    Args:
        one, other: users of the project or identities.

    Returns:
        The direct room.

    Raises:
        BadValue: both are the same person, or one is the site.
    """
    two = sorted((identity.identity_of(one), identity.identity_of(other)), key=lambda who: who.key)
    if two[0].key == two[1].key or any(who.is_site for who in two):
        raise BadValue(_("A direct room needs two different users."))
    # A digest, because two keys together exceed the length that a unique column may have on every database.
    direct_key = hashlib.sha256("\0".join(who.key for who in two).encode()).hexdigest()
    of_two = Room.objects.using(database()).filter(direct_key=direct_key).select_related("log")
    if (found := of_two.first()) is not None:
        return found
    half = validation.NAME_MAX_LENGTH // 2 - 1
    room = Room(
        name=validation.hidden_name(),
        title=", ".join(who.name[:half] for who in two),
        visibility=Room.Visibility.DIRECT,
        is_listed=False,
        direct_key=direct_key,
    )
    try:
        with transaction.atomic(using=database()):
            return _store(room, [(who, Membership.Role.MEMBER) for who in two])
    except IntegrityError:
        # Another process has created the room meanwhile.
        return of_two.get()


async def adirect_room(one: Any, other: Any) -> Room:
    """See :func:`direct_room`."""
    return await sync_to_async(direct_room)(one, other)


def write_to(room: str | Room, key: str, *, by: Any) -> Room:
    """Return the direct room with a person met in another room, created if there is none.

    Args:
        room: the room in which they met. *by* must be allowed to enter it, and the other person must be a member of it or have
            posted in it.
        key: identity key of the other person.
        by: the user or identity that wants to write. :meth:`Policy.can_write_to <django_roomchat.policy.Policy.can_write_to>`
            must allow it.

    Returns:
        The direct room.

    Raises:
        ChatError: they have not met in *room*, or the policy denies it.
    """
    who = identity.identity_of(by)
    other = met_in(actions.enter_room(who, actions.name_of(room)), key)
    policy.require(policy.policy().can_write_to(who, other))
    return direct_room(who, other)


async def awrite_to(room: str | Room, key: str, *, by: Any) -> Room:
    """See :func:`write_to`."""
    return await sync_to_async(write_to)(room, key, by=by)


def configure_room(
    room: str | Room,
    *,
    by: Any = None,
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
    """
    who = identity.identity_of(by)
    found = actions.room_of(actions.name_of(room))
    policy.require_may(who, found, "can_manage")
    days = None if retention_days is None else _whole(retention_days, RETENTION_DAYS_MAX)
    wanted: dict[str, Any] = {
        "title": None if title is None else validation.room_title(title, config().ROOM_NAME_MAX_LENGTH),
        "is_listed": is_listed,
        "is_announcement": is_announcement,
        "tells_changes": tells_changes,
        "slow_seconds": None if slow_seconds is None else _whole(slow_seconds, SLOW_SECONDS_MAX),
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
            lines.tell(locked, "renamed", who, value=locked.title)
        if "archived_at" in new:
            lines.tell(locked, "archived" if is_archived else "unarchived", who)

    actions.change_access(found, "", write)
    return changed[0]


async def aconfigure_room(room: str | Room, **options: Any) -> Room:
    """See :func:`configure_room`."""
    return await sync_to_async(configure_room)(room, **options)


def settings_of(room: str | Room, *, by: Any = None) -> Room:
    """Return a room to a caller that may change its settings.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        by: the acting user or identity, which must be allowed to manage the room. Without one the site acts.

    Returns:
        The room with its current settings.

    Raises:
        ChatError: *by* may not manage the room.
    """
    found = actions.room_of(actions.name_of(room))
    policy.require_may(identity.identity_of(by), found, "can_manage")
    return found


def title_for(who: Identity, room: Room) -> str:
    """Return the title that *who* sees: the room's title, or in a direct room the name of the other person."""
    if room.visibility != Room.Visibility.DIRECT:
        return room.title
    others = Membership.objects.using(database()).filter(room=room).exclude(key=who.key)
    return others.values_list("name", flat=True).first() or room.title


def _store(room: Room, members: list[tuple[Identity, str]]) -> Room:
    """Save a new room with its log and first members and return it. Call it in a transaction."""
    room.save(using=database(), force_insert=True)
    # A room with roles needs an access version above 0 (see django_roomchat.policy.roles).
    room.log = RoomLog.objects.using(database()).create(room=room, access_version=1)
    Membership.objects.using(database()).bulk_create(
        Membership(room=room, key=who.key, name=who.name, user=who.user, role=role) for who, role in members
    )
    return room


def _whole(number: int, most: int) -> int:
    if type(number) is not int or not 0 <= number <= most:
        raise BadValue(_("The value must be a whole number from 0 to %(most)d."), most=most)
    return number


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
