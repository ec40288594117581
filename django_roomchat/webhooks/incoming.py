"""Incoming webhooks: a URL with which a program can post to one room, and do nothing else.

The URL is the secret. It is returned once, on creation; the database stores only a digest of its token.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import replace
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from django_roomchat import identity, policy
from django_roomchat.database import database, twin
from django_roomchat.errors import Forbidden, NotFound
from django_roomchat.identity import NAME_MAX_LENGTH, Actor, Identity
from django_roomchat.identity.tokens import digest
from django_roomchat.messages.post import post_message
from django_roomchat.messages.types import Posted
from django_roomchat.models import IncomingHook, Room
from django_roomchat.policy import audit_trail
from django_roomchat.rooms import lookup
from django_roomchat.text import validation, values

USED_SECONDS = 60
"""Resolution of ``used_at``, in seconds: a later use within this time is not stored."""


def make_incoming_hook(room: str | Room, name: str, *, by: Actor | None = None) -> tuple[IncomingHook, str]:
    """Create an incoming webhook, with which a program can post to a room.

    Args:
        room: the room's name, in any spelling, or the room. The room is created if it does not exist.
        name: display name of the messages' author.
        by: the user or identity that acts; must be allowed to manage the room. If omitted, the site itself.

    Returns:
        The hook and its token. The URL to post to ends in ``~/hook/<token>/``. The token cannot be read again
        later.

    Raises:
        ChatError: the room or the name is invalid, or *by* may not manage the room.
            Codes: ``bad_name``, ``bad_room_name``, ``bad_value``, ``banned``, ``forbidden``,
            ``members_only``, ``name_taken``, ``no_permission``, ``no_such_room``, ``sign_in``.
    """
    who = identity.identity_of(by)
    shown = validation.person_name(name, NAME_MAX_LENGTH)
    found = lookup.room_of(lookup.name_of(room))
    policy.require_may(who, found, "can_manage")
    token = secrets.token_urlsafe(32)
    with transaction.atomic(using=database()):
        if found.pk is None:
            found = lookup.ensure_room(found)
        hook = IncomingHook.objects.using(database()).create(room=found, name=shown, digest=digest(token))
        audit_trail.record("make_incoming_hook", who, room=found.name, name=shown)
    return hook, token


amake_incoming_hook = twin(make_incoming_hook)


def revoke_incoming_hook(hook: IncomingHook, *, by: Actor | None = None) -> None:
    """Revoke an incoming webhook, so that it can no longer post. Its messages stay.

    Args:
        hook: the incoming webhook.
        by: the user or identity that acts; must be allowed to manage the room. If omitted, the site itself.

    Raises:
        ChatError: *by* may not manage the room.
            Codes: ``bad_room_name``, ``bad_value``, ``banned``, ``forbidden``, ``members_only``,
            ``name_taken``, ``no_permission``, ``no_such_room``, ``sign_in``.
    """
    values.of_type(hook, IncomingHook, "“hook”")
    who = identity.identity_of(by)
    policy.require_may(who, lookup.room_of(hook.room.name), "can_manage")
    with transaction.atomic(using=database()):
        ended = IncomingHook.objects.using(database()).filter(pk=hook.pk, is_active=True)
        if ended.update(is_active=False):
            audit_trail.record("revoke_incoming_hook", who, room=hook.room.name, name=hook.name)


arevoke_incoming_hook = twin(revoke_incoming_hook)


def remove_incoming_hook(hook: IncomingHook, *, by: Actor | None = None) -> None:
    """Delete an incoming webhook, which also revokes it. Its messages stay.

    Args:
        hook: the incoming webhook.
        by: the user or identity that acts; must be allowed to manage the room. If omitted, the site itself.

    Raises:
        ChatError: *by* may not manage the room.
    """
    who = identity.identity_of(by)
    policy.require_may(who, lookup.room_of(hook.room.name), "can_manage")
    with transaction.atomic(using=database()):
        # By a query: an object that was removed before has no primary key.
        if IncomingHook.objects.using(database()).filter(pk=hook.pk).delete()[0]:
            audit_trail.record("remove_incoming_hook", who, room=hook.room.name, name=hook.name)


def hook_of(token: str) -> IncomingHook:
    """Return the active incoming webhook of a token.

    Raises:
        NotFound: there is no such webhook, or it was revoked.
    """
    # The database compares digests, so the response time reveals nothing about a token.
    found = (
        IncomingHook.objects.using(database())
        .filter(digest=digest(token), is_active=True)
        .select_related("room")
        .first()
    )
    if found is None:
        raise NotFound(_("There is no such webhook, or it was revoked."), code="no_such_hook")
    return found


def author_of(hook: IncomingHook) -> Identity:
    """Return the identity that posts through a hook. It is one author whatever name a request gives, with
    message ids of its own.
    """
    return Identity(f"hook:{hook.pk}", hook.name)


def post_through(hook: IncomingHook, body: str, *, name: str | None = None, id: str | None = None) -> Posted:
    """Post a message to a hook's room.

    Args:
        hook: the hook, from :func:`hook_of`.
        body: text of the message.
        name: display name for this message; the hook's own name if omitted.
        id: idempotency key; a second post of the same hook with the same id returns the first message.

    Raises:
        ChatError: the message is rejected.
    """
    if hook.room.archived_at is not None:
        raise Forbidden(_("This room is archived and read-only."), code="archived")
    shown = validation.person_name(name, NAME_MAX_LENGTH) if name else hook.name
    bot = replace(author_of(hook), name=shown, is_site=True)
    posted = post_message(hook.room, body, author=bot, id=id or uuid.uuid4().hex, kind="bot")
    now = timezone.now()
    is_old = Q(used_at=None) | Q(used_at__lt=now - timedelta(seconds=USED_SECONDS))
    IncomingHook.objects.using(database()).filter(is_old, pk=hook.pk).update(used_at=now)
    return posted
