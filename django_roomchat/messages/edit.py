"""Editing and deleting messages, and the earlier texts of an edited message.

An edit needs the right to post at that moment, because it publishes a text. A deletion does not.
An edited or deleted message keeps its sequence number and takes the next revision, so that clients that reconnect receive the change.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from django.utils import timezone
from django.utils.translation import gettext_noop as _

from django_roomchat import filters, identity, log, policy, signals
from django_roomchat.conf import config
from django_roomchat.database import database, twin
from django_roomchat.errors import Forbidden
from django_roomchat.files import records
from django_roomchat.identity import Actor, Identity
from django_roomchat.log.announcing import SendSignals, send_signals
from django_roomchat.messages.change import change_message, no_such_message, require_message
from django_roomchat.messages.content import rendered_data
from django_roomchat.messages.types import Posted
from django_roomchat.models import Message, Reaction, Room
from django_roomchat.policy import audit_trail
from django_roomchat.protocol import EarlierText, Event
from django_roomchat.rooms import lookup
from django_roomchat.text import validation, values


def edit_message(room: str | Room, seq: int, body: str, *, by: Actor | None = None) -> Posted:
    """Change the text of a message. It keeps its sequence number and takes the room's next revision.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        seq: sequence number of the message.
        body: the new text. It may be empty if the message has files, which are kept.
        by: the acting user or identity, which must be allowed to edit the message and, at that moment, to post in the room. In
            slow mode an edit counts like a post. Without an actor the site acts.

    Returns:
        The room and sequence number of the message; ``duplicate`` if it had this text already.

    Raises:
        ChatError: the edit is rejected.
            Codes: ``announcement``, ``archived``, ``bad_room_name``, ``bad_text``, ``bad_value``,
            ``banned``, ``blocked``, ``busy``, ``filtered``, ``forbidden``, ``members_only``,
            ``muted``, ``name_taken``, ``no_permission``, ``no_such_room``, ``not_found``,
            ``rate_limited``, ``sign_in``, ``too_late``, ``unavailable``, ``unreachable``.
    """
    values.sequence_number(seq)
    new = validation.body(body, config().BODY_MAX_LENGTH, may_be_empty=True)
    who = identity.identity_of(by)
    if new and filters.is_asked(who):
        new = _filtered(room, seq, new, who)

    known: list[dict[str, str]] = []

    def make(room: Room, message: Message) -> bool:
        require_message(message)
        if not new and not message.data.get("files"):
            raise validation.text_missing()
        if message.body == new:
            return False
        known[:] = message.data.get("mentions") or []
        now = timezone.now()
        _require_turn(who, room, now)
        message.data = _without_rendered(message) | _earlier_of(message) | rendered_data(new, room)
        message.body, message.edited_at = new, now
        return True

    def tell(room: str, event: Event) -> None:
        send_signals(room, event)
        before = {mention["key"] for mention in known}
        if called := [mention for mention in event.mentions or () if mention.key not in before]:
            signals.mentioned.send_robust(Message, room=room, event=event, mentions=called)

    return _change(room, seq, who, "edit", policy.require_edit, make, tell)


def _filtered(room: str | Room, seq: int, body: str, who: Identity) -> str:
    """Return the text as the content filter changed it. Raise if the filter refuses it or would hold it."""
    found = lookup.enter_room(who, lookup.name_of(room))
    if found.pk is None:
        raise no_such_message(seq)
    policy.require_post(who, found)
    answer = filters.ask(found, who, body)
    if isinstance(answer, filters.Refuse):
        raise Forbidden(answer.sentence, code=answer.code)
    if isinstance(answer, filters.Hold):
        raise Forbidden(
            _("This edit needs a moderator's approval; send it as a new message."), code="filtered"
        )
    return body if answer is None else answer.body


def _require_turn(who: Identity, room: Room, now: datetime) -> None:
    """Raise :class:`RateLimited` if the slow mode of the room does not let *who* write yet. Call it with the room locked."""
    if not policy.is_slowed(who, room):
        return
    before = log.last_written(room.pk, [who.key]).get(who.key)
    if (refusal := log.too_soon(room.slow_seconds, before, now)) is not None:
        raise refusal


EARLIER_MAX = 10
"""Maximum number of earlier texts kept for an edited message; the oldest are dropped."""


def _without_rendered(message: Message) -> dict[str, Any]:
    return {name: value for name, value in message.data.items() if name not in ("mentions", "html")}


def _earlier_of(message: Message) -> dict[str, Any]:
    """Return the earlier texts of a message including the current one; empty unless ``EDIT_HISTORY`` is enabled."""
    if not config().EDIT_HISTORY:
        return {}
    earlier = {
        "body": message.body,
        "at": log.iso(message.edited_at or message.created_at),
        # As pairs: a field "key" would count as a mention of the edited message.
        "mentions": [[mention["key"], mention["name"]] for mention in message.data.get("mentions") or ()],
    }
    return {"earlier": [*(message.data.get("earlier") or ()), earlier][-EARLIER_MAX:]}


aedit_message = twin(edit_message)


def delete_message(room: str | Room, seq: int, *, by: Actor | None = None) -> Posted:
    """Delete a message. Its text, files and reactions are erased; its sequence number stays and it takes the next revision.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        seq: sequence number of the message.
        by: the acting user or identity, which must be allowed to delete the message. Without one the site acts.

    Returns:
        The room and sequence number of the message; ``duplicate`` if it was deleted before.

    Raises:
        ChatError: the deletion is rejected.
            Codes: ``archived``, ``bad_room_name``, ``bad_value``, ``banned``, ``busy``, ``forbidden``,
            ``members_only``, ``name_taken``, ``no_permission``, ``no_such_room``, ``not_found``, ``sign_in``.
    """

    def make(room: Room, message: Message) -> bool:
        if message.deleted_at is not None:
            return False
        if message.data.get("reactions"):
            Reaction.objects.using(database()).filter(message=message).delete()
        if message.data.get("files"):
            records.release_of_messages(message.room_id, [message.seq])
        message.body, message.data, message.pinned_at = "", {}, None
        message.deleted_at = timezone.now()
        return True

    return _change(room, seq, identity.identity_of(by), "delete", policy.require_delete, make, send_signals)


adelete_message = twin(delete_message)


def _change(
    room: str | Room,
    seq: int,
    who: Identity,
    verb: Literal["edit", "delete"],
    require: Callable[[Identity, Room, Message], None],
    make: Callable[[Room, Message], bool],
    tell: SendSignals,
) -> Posted:
    def make_if_allowed(room: Room, message: Message) -> bool:
        require(who, room, message)
        author = Identity(message.author_key, message.author_name)
        is_changed = make(room, message)
        if is_changed and author.key != who.key:
            audit_trail.record(verb, who, room=room.name, target=author, seq=seq)
        return is_changed

    return change_message(room, seq, who, make_if_allowed, tell=tell)


def earlier_texts(room: str | Room, seq: int, *, by: Actor | None = None) -> list[EarlierText]:
    """Return the earlier texts of an edited message. A deleted message has none.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        seq: sequence number of the message.
        by: the acting user or identity; the policy's ``can_see_edits`` must allow it. Without one the site acts.

    Returns:
        At most 10 texts, oldest first, each with the time at which it was written.

    Raises:
        ChatError: the message does not exist, or the policy denies it.
            Codes: ``bad_room_name``, ``bad_value``, ``banned``, ``forbidden``, ``members_only``,
            ``name_taken``, ``no_permission``, ``no_such_room``, ``not_found``, ``sign_in``.
    """
    values.sequence_number(seq)
    who = identity.identity_of(by)
    found = lookup.enter_room(who, lookup.name_of(room))
    messages = Message.objects.using(database()).filter(room_id=found.pk, seq=seq)
    message = messages.first() if found.pk is not None else None
    if message is None:
        raise no_such_message(seq)
    if not who.is_site:
        policy.require(policy.policy().can_see_edits(who, found, message))
    return [EarlierText(earlier["body"], earlier["at"]) for earlier in message.data.get("earlier") or ()]


aearlier_texts = twin(earlier_texts)
