"""Deletion of a room with everything in it. Its audit trail is kept."""

from __future__ import annotations

from typing import Any

from django_roomchat import identity, policy
from django_roomchat.database import database, twin
from django_roomchat.identity import Actor
from django_roomchat.models import Membership, Message, Room
from django_roomchat.policy import audit_trail
from django_roomchat.rooms import lookup


def delete_room(room: str | Room, *, by: Actor | None = None) -> bool:
    """Delete a room with its messages, files, members, webhooks and everything else in it. Open sockets leave it at once.

    The audit trail of the room is kept, and its last entry records the deletion with the room's title, unless the room is a
    direct room. To keep the messages, archive the room instead.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        by: the acting user or identity, which must be allowed to manage the room. Without one the site acts.

    Returns:
        Whether the room existed.

    Raises:
        ChatError: *by* may not manage the room.
            Codes: ``bad_room_name``, ``bad_value``, ``banned``, ``forbidden``, ``members_only``,
            ``name_taken``, ``no_permission``, ``no_such_room``, ``sign_in``.
    """
    who = identity.identity_of(by)
    found = lookup.room_of(lookup.name_of(room))
    policy.require_may(who, found, "can_manage")
    if found.pk is None and not Room.objects.using(database()).filter(name=found.name).exists():
        return False

    def write(locked: Room) -> None:
        policy.require_may(who, locked, "can_manage")
        # The title of a direct room is the names of its people, which an erasure would not find here.
        title: dict[str, Any] = {} if locked.visibility == Room.Visibility.DIRECT else {"title": locked.title}
        audit_trail.record(
            "delete_room",
            who,
            room=locked.name,
            **title,
            visibility=locked.visibility,
            messages=Message.objects.using(database()).filter(room=locked).count(),
            members=Membership.objects.using(database()).filter(room=locked).count(),
        )
        # Another object, because deletion clears the primary key.
        Room.objects.using(database()).filter(pk=locked.pk).delete()

    lookup.change_access(found, "", write)
    return True


adelete_room = twin(delete_room)
