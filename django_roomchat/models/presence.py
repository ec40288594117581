"""Server processes and the people connected to them."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_roomchat.models.fields import KeyField
from django_roomchat.text import validation


class ServerProcess(models.Model):
    """A server process with sockets. It counts as alive while it renews its lease."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    alive_at = models.DateTimeField(
        default=timezone.now, help_text=_("Time of the last lease renewal, by the database's clock.")
    )
    version = models.BigIntegerField(default=0, help_text=_("Incremented on every presence change."))

    class Meta:
        verbose_name = _("server process")
        verbose_name_plural = _("server processes")

    def __str__(self) -> str:
        return str(self.id)


class Presence(models.Model):
    """Presence of a user in a room, through a socket of a process that is alive."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    process = models.ForeignKey(ServerProcess, models.CASCADE, related_name="presences")
    room = KeyField(max_length=validation.KEY_MAX_LENGTH, db_index=True)
    key = KeyField(max_length=100)
    name = models.CharField(max_length=150)
    avatar = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = _("presence")
        verbose_name_plural = _("presences")
        constraints = (
            models.UniqueConstraint(fields=("process", "room", "key"), name="roomchat_presence_once"),
        )

    def __str__(self) -> str:
        return f"{self.name}: {self.room}"
