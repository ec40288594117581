"""Incoming webhooks: an address at which a program may post to one room, and do nothing else.

The address is the secret. It is told once, when it is made; what is stored is its digest.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from django_roomchat import actions, audit, policy, text
from django_roomchat.actions import Posted
from django_roomchat.counter import database
from django_roomchat.errors import Forbidden, NotFound
from django_roomchat.identity import NAME_MAX_LENGTH, Identity
from django_roomchat.models import IncomingHook, Room

USED_SECONDS = 60
"""How exactly the last use is written down."""


def make_incoming_hook(room: str | Room, name: str, *, by: Any = None) -> tuple[IncomingHook, str]:
    """Let a program post to a room.

    Args:
        room: its name, however typed, or the room. It is made if it does not exist.
        name: under which the program speaks.
        by: who wants it, and must be allowed to manage the room; without one the project itself.

    Returns:
        The hook, and its token. That is the end of the address, ``~/hook/<token>/``, and told only now.

    Raises:
        ChatError: it is refused.
    """
    who = actions.identity_of(by)
    shown = text.person_name(name, NAME_MAX_LENGTH)
    found = actions.room_of(actions.name_of(room))
    policy.require_may(who, found, "can_manage")
    token = secrets.token_urlsafe(32)
    with transaction.atomic(using=database()):
        if found.pk is None:
            found = actions.ensure_room(found)
        hook = IncomingHook.objects.using(database()).create(room=found, name=shown, digest=_digest(token))
        audit.record("make_incoming_hook", who, room=found.name, name=shown)
    return hook, token


async def amake_incoming_hook(room: str | Room, name: str, *, by: Any = None) -> tuple[IncomingHook, str]:
    """See :func:`make_incoming_hook`."""
    return await sync_to_async(make_incoming_hook)(room, name, by=by)


def revoke_incoming_hook(hook: IncomingHook, *, by: Any = None) -> None:
    """Let a program post no more. What it has said stays. *by* is as for :func:`make_incoming_hook`."""
    who = actions.identity_of(by)
    policy.require_may(who, actions.room_of(hook.room.name), "can_manage")
    with transaction.atomic(using=database()):
        ended = IncomingHook.objects.using(database()).filter(pk=hook.pk, is_active=True)
        if ended.update(is_active=False):
            audit.record("revoke_incoming_hook", who, room=hook.room.name, name=hook.name)


async def arevoke_incoming_hook(hook: IncomingHook, *, by: Any = None) -> None:
    """See :func:`revoke_incoming_hook`."""
    await sync_to_async(revoke_incoming_hook)(hook, by=by)


def hook_of(token: str) -> IncomingHook:
    """The hook of a token.

    Raises:
        NotFound: there is none, or it was revoked.
    """
    # Who looks for a digest learns nothing about a token from the time it takes.
    found = (
        IncomingHook.objects.using(database())
        .filter(digest=_digest(token), is_active=True)
        .select_related("room")
        .first()
    )
    if found is None:
        raise NotFound(_("There is no such webhook, or it was revoked."), code="no_such_hook")
    return found


def speaker(hook: IncomingHook) -> Identity:
    """Who speaks through a hook. Whatever it calls itself, it is one author: its ids are its own."""
    return Identity(f"hook:{hook.pk}", hook.name)


def post_through(hook: IncomingHook, body: str, *, name: str | None = None, id: str | None = None) -> Posted:
    """Say something in a hook's room.

    Args:
        hook: of :func:`hook_of`.
        body: the text.
        name: under which, in place of the hook's own.
        id: the same id of the same hook makes the same message.

    Raises:
        ChatError: it is refused.
    """
    if hook.room.archived_at is not None:
        raise Forbidden(_("This room is archived: it can be read only."), code="archived")
    shown = text.person_name(name, NAME_MAX_LENGTH) if name else hook.name
    bot = replace(speaker(hook), name=shown, is_site=True)
    posted = actions.post_message(hook.room, body, author=bot, id=id or uuid.uuid4().hex, kind="bot")
    now = timezone.now()
    is_old = Q(used_at=None) | Q(used_at__lt=now - timedelta(seconds=USED_SECONDS))
    IncomingHook.objects.using(database()).filter(is_old, pk=hook.pk).update(used_at=now)
    return posted


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
