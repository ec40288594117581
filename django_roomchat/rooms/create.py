"""Creation of rooms: explicitly, with settings and an owner. A post to a name that is not in use creates an open room without one."""

from __future__ import annotations

from typing import Literal

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop as _

from django_roomchat import identity, policy
from django_roomchat.conf import config
from django_roomchat.database import database, twin
from django_roomchat.errors import BadRoomName, BadValue
from django_roomchat.identity import Actor, Identity
from django_roomchat.models import Membership, Room, RoomLog
from django_roomchat.policy import audit_trail, rate_limits
from django_roomchat.rooms import lookup, system_messages
from django_roomchat.rooms.settings import RETENTION_DAYS_MAX, SLOW_SECONDS_MAX, whole_number
from django_roomchat.text import validation, values


def create_room(
    title: str,
    *,
    by: Actor | None = None,
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
            Codes: ``bad_room_name``, ``bad_value``, ``banned``, ``forbidden``, ``members_only``,
            ``name_taken``, ``no_permission``, ``no_such_room``, ``rate_limited``, ``sign_in``, ``taken``.
    """
    who = identity.identity_of(by)
    for name, flag in (
        ("is_listed", is_listed),
        ("is_announcement", is_announcement),
        ("tells_changes", tells_changes),
    ):
        values.of_type(flag, bool, f"“{name}”")
    is_private = visibility == "private"
    if visibility not in ("open", "private"):
        raise BadValue(_("The visibility must be “open” or “private”."))
    shown = validation.room_title(title, config().ROOM_NAME_MAX_LENGTH)
    if shown.startswith(validation.HIDDEN):
        raise BadRoomName(_("A room's name cannot begin with “~”."))
    room = Room(
        name=validation.hidden_name() if is_private else lookup.canonical_name(title),
        title=shown,
        visibility=visibility,
        is_listed=is_listed,
        is_announcement=is_announcement,
        tells_changes=tells_changes,
        slow_seconds=whole_number(slow_seconds, SLOW_SECONDS_MAX),
        retention_days=whole_number(retention_days, RETENTION_DAYS_MAX) or None,
    )
    if not who.is_site:
        policy.require(policy.policy().can_create(who, room))
    rate_limits.spend("ROOMS", who, rate_limits.address_here())
    try:
        with transaction.atomic(using=database()):
            store_room(room, [] if who.is_site else [(who, Membership.Role.OWNER)])
            audit_trail.record("create_room", who, room=room.name, title=shown, visibility=visibility)
            system_messages.post_system_message(room, "created", who)
    except IntegrityError as error:
        # A caller that may not see the existing room gets the error that entering it gives.
        lookup.enter_room(who, room.name)
        raise BadRoomName(_("A room with this name already exists."), code="taken") from error
    return room


acreate_room = twin(create_room)


def store_room(room: Room, members: list[tuple[Identity, str]]) -> Room:
    """Save a new room with its log and first members and return it. Call it in a transaction."""
    room.save(using=database(), force_insert=True)
    # A room with roles needs an access version above 0 (see django_roomchat.policy.roles).
    room.log = RoomLog.objects.using(database()).create(room=room, access_version=1)
    Membership.objects.using(database()).bulk_create(
        Membership(room=room, key=who.key, name=who.name, user=who.user, role=role) for who, role in members
    )
    return room
