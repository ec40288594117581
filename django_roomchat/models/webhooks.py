"""Webhooks of rooms: URLs that receive the events of a room, and URLs at which programs post to it."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_roomchat.models.fields import KeyField
from django_roomchat.models.rooms import Room


class Webhook(models.Model):
    """Outgoing webhook: a URL that receives the events of a room."""

    room = models.ForeignKey(
        Room,
        models.CASCADE,
        related_name="webhooks",
        verbose_name=_("room"),
    )
    url = models.URLField(_("URL"), max_length=500)
    secret = KeyField(_("secret"), max_length=100, help_text=_("Signs every delivery to the webhook."))
    is_active = models.BooleanField(_("active"), default=True)
    cursor = models.BigIntegerField(
        _("cursor"), default=0, editable=False, help_text=_("All changes up to this number were delivered.")
    )
    epoch = models.UUIDField(_("epoch"), null=True, editable=False)
    failures = models.PositiveIntegerField(_("consecutive failures"), default=0, editable=False)
    last_error = models.CharField(_("last error"), max_length=300, blank=True, editable=False)
    next_try_at = models.DateTimeField(_("next attempt"), default=timezone.now, editable=False, db_index=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("outgoing webhook")
        verbose_name_plural = _("outgoing webhooks")

    def __str__(self) -> str:
        return f"{self.room}: {self.url}"


class IncomingHook(models.Model):
    """Incoming webhook: a URL at which a program posts messages to a room. Only the digest of the URL's token is
    stored.
    """

    room = models.ForeignKey(Room, models.CASCADE, related_name="incoming_hooks", verbose_name=_("room"))
    name = models.CharField(
        _("name"), max_length=150, help_text=_("Author name of the messages that the webhook posts.")
    )
    digest = KeyField(max_length=64, unique=True, editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    used_at = models.DateTimeField(_("last used at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("incoming webhook")
        verbose_name_plural = _("incoming webhooks")

    def __str__(self) -> str:
        return f"{self.room}: {self.name}"
