"""Held messages: posts that the content filter holds until a moderator releases or refuses them."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from django_roomchat.database import database, twin
from django_roomchat.errors import Busy
from django_roomchat.files import records
from django_roomchat.identity import Actor, Identity
from django_roomchat.messages.post import post_messages
from django_roomchat.messages.types import NewPost, Posted
from django_roomchat.models import HeldMessage
from django_roomchat.moderation.reports import reviewer
from django_roomchat.policy import audit_trail
from django_roomchat.protocol import FileToPost
from django_roomchat.text import values


def release(held: HeldMessage, *, by: Actor | None = None) -> Posted | None:
    """Post a held message in the name of its author. It takes the next sequence number of the room.

    Args:
        held: the held message.
        by: the user or identity that decides: staff, or a moderator of the room. Without one the site decides.

    Returns:
        The posted message; ``None`` if the held message was decided before.

    Raises:
        ChatError: *by* may not decide, or the post is rejected, for example because its author may no longer post. The message
            then stays held.
            Codes: ``announcement``, ``archived``, ``bad_file``, ``bad_room_name``, ``bad_text``,
            ``bad_value``, ``banned``, ``blocked``, ``busy``, ``filtered``, ``forbidden``,
            ``held``, ``id_reused``, ``members_only``, ``muted``, ``name_taken``,
            ``no_attachments``, ``no_permission``, ``no_such_room``, ``not_found``,
            ``rate_limited``, ``sign_in``, ``too_many``, ``unavailable``, ``unreachable``.
    """
    moderator = reviewer(by, values.of_type(held, HeldMessage, "“held”").room)
    with transaction.atomic(using=database()):
        if not _close(held, HeldMessage.State.RELEASED, "release", moderator):
            return None
        author = Identity(
            held.author_key, held.author_name, user=held.author, is_guest=values.is_guest(held.author_key)
        )
        post = NewPost(
            author,
            held.room.name,
            held.body,
            held.client_id,
            held.reply_to,
            is_reviewed=True,
            files=[FileToPost(**file) for file in held.files],
        )
        [result] = post_messages([post])
        if isinstance(result, Posted):
            return result
        raise result or Busy(_("Permissions in this room are changing; try again."))


arelease = twin(release)


def refuse(held: HeldMessage, *, by: Actor | None = None) -> None:
    """Refuse a held message and remove its files.

    Args:
        held: the held message.
        by: the user or identity that decides: staff, or a moderator of the room. Without one the site decides.

    Raises:
        ChatError: *by* may not decide.
            Codes: ``bad_value``, ``banned``, ``forbidden``, ``members_only``, ``name_taken``,
            ``no_permission``, ``no_such_room``, ``sign_in``.
    """
    moderator = reviewer(by, values.of_type(held, HeldMessage, "“held”").room)
    with transaction.atomic(using=database()):
        if _close(held, HeldMessage.State.REFUSED, "refuse", moderator):
            records.release(
                records.rows().filter(
                    room=held.room, key=held.author_key, held_as=held.client_id, seq__isnull=True
                )
            )


arefuse = twin(refuse)


def _close(held: HeldMessage, state: HeldMessage.State, verb: str, moderator: Identity) -> bool:
    waiting = HeldMessage.objects.using(database()).filter(pk=held.pk, state=HeldMessage.State.WAITING)
    if not waiting.update(state=state, decided_at=timezone.now(), decided_by=moderator.user):
        return False
    target = Identity(held.author_key, held.author_name)
    audit_trail.record(verb, moderator, room=held.room.name, target=target, reason=held.reason)
    return True
