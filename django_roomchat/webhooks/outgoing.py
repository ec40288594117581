"""Outgoing webhooks: create, remove and resume. :mod:`~django_roomchat.webhooks.worker` delivers them."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone, translation

from django_roomchat import identity, policy
from django_roomchat.database import database, twin
from django_roomchat.identity import Actor
from django_roomchat.models import Room, Webhook
from django_roomchat.policy import audit_trail
from django_roomchat.rooms import lookup
from django_roomchat.text import values
from django_roomchat.webhooks import http_client, signatures
from django_roomchat.webhooks.worker import webhook_rows

URL_MAX_LENGTH = 500
"""Maximum length of a webhook's URL, in characters."""
_LOGGER = logging.getLogger(__name__)


def make_webhook(room: str | Room, url: str, *, by: Actor | None = None) -> Webhook:
    """Create a webhook, which sends the messages of a room to a URL from now on.

    Args:
        room: the room's name, in any spelling, or the room. The room is created if it does not exist.
        url: an ``http`` or ``https`` URL. Private networks are reached only with
            ``WEBHOOK_PRIVATE_ADDRESSES``. An ``http`` URL and an unusual port are logged as a warning.
        by: the user or identity that acts; must be allowed to manage the room. If omitted, the site itself.

    Returns:
        The webhook. The receiver needs its ``secret`` to verify signatures.

    Raises:
        ChatError: the room or the URL is invalid, or *by* may not manage the room.
            Codes: ``bad_room_name``, ``bad_value``, ``banned``, ``forbidden``, ``members_only``,
            ``name_taken``, ``no_permission``, ``no_such_room``, ``sign_in``.
    """
    http_client.check_url(values.line(url, "url", URL_MAX_LENGTH))
    who = identity.identity_of(by)
    found = lookup.room_of(lookup.name_of(room))
    policy.require_may(who, found, "can_manage")
    with transaction.atomic(using=database()):
        if found.pk is None:
            found = lookup.ensure_room(found)
        webhook = Webhook.objects.using(database()).create(
            room=found,
            url=url,
            secret=signatures.new_secret(),
            cursor=found.log.head,
            epoch=found.log.epoch,
        )
        audit_trail.record("make_webhook", who, room=found.name, url=url)
    # In English, whatever the language of the request is.
    with translation.override(None):
        for caution in http_client.cautions(url):
            # Without the path, which is often a secret.
            _LOGGER.warning("Webhook of the room %r to %r: %s", found.name, urlsplit(url).netloc, caution)
    return webhook


amake_webhook = twin(make_webhook)


def remove_webhook(webhook: Webhook, *, by: Actor | None = None) -> None:
    """Remove a webhook. Nothing more is sent to its URL.

    Args:
        webhook: the webhook.
        by: the user or identity that acts; must be allowed to manage the room. If omitted, the site itself.

    Raises:
        ChatError: *by* may not manage the room.
            Codes: ``bad_room_name``, ``bad_value``, ``banned``, ``forbidden``, ``members_only``,
            ``name_taken``, ``no_permission``, ``no_such_room``, ``sign_in``.
    """
    values.of_type(webhook, Webhook, "“webhook”")
    who = identity.identity_of(by)
    policy.require_may(who, lookup.room_of(webhook.room.name), "can_manage")
    with transaction.atomic(using=database()):
        # By a query: an object that was removed before has no primary key.
        if Webhook.objects.using(database()).filter(pk=webhook.pk).delete()[0]:
            audit_trail.record("remove_webhook", who, room=webhook.room.name, url=webhook.url)


aremove_webhook = twin(remove_webhook)


def resume_webhook(webhook: Webhook, *, by: Actor | None = None) -> None:
    """Reactivate a webhook and retry its outstanding deliveries at once.

    Args:
        webhook: the webhook.
        by: the user or identity that acts; must be allowed to manage the room. If omitted, the site itself.

    Raises:
        ChatError: *by* may not manage the room.
    """
    _switch(webhook, by, "resume_webhook", is_active=True, failures=0, next_try_at=timezone.now())


def pause_webhook(webhook: Webhook, *, by: Actor | None = None) -> None:
    """Deactivate a webhook. It keeps its cursor, so that a resumed webhook delivers what happened meanwhile.

    Args:
        webhook: the webhook.
        by: the user or identity that acts; must be allowed to manage the room. If omitted, the site itself.

    Raises:
        ChatError: *by* may not manage the room.
    """
    _switch(webhook, by, "pause_webhook", is_active=False)


def _switch(webhook: Webhook, by: Actor | None, verb: str, **values: Any) -> None:
    who = identity.identity_of(by)
    policy.require_may(who, lookup.room_of(webhook.room.name), "can_manage")
    with transaction.atomic(using=database()):
        # Only these fields: a worker may be writing the others.
        if webhook_rows().filter(pk=webhook.pk).update(**values):
            audit_trail.record(verb, who, room=webhook.room.name, url=webhook.url)
