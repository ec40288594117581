"""Tickets, with which clients without cookies open their sockets."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from django_roomchat.models.fields import KeyField


class Ticket(models.Model):
    """Unused ticket: a short-lived credential that opens one socket. Only the digest of its text is stored.

    It has a session, or a user who was authenticated without one. :mod:`django_roomchat.identity.tickets` creates it, and
    deletes it when a socket uses it.
    """

    digest = KeyField(max_length=64, primary_key=True, editable=False)
    session_key = models.TextField(blank=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, editable=False, related_name="+"
    )
    auth_digest = KeyField(max_length=64, blank=True, editable=False)
    """Digest of the user's session auth hash, which changes with the password; empty with a session."""
    expires_at = models.DateTimeField(db_index=True, editable=False)

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")

    def __str__(self) -> str:
        return f"{self.expires_at:%Y-%m-%d %H:%M:%S}"
