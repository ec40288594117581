"""Attachments: uploaded files, which wait for their message or belong to one."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_roomchat.models.fields import KeyField
from django_roomchat.models.rooms import Room
from django_roomchat.text import validation


class Attachment(models.Model):
    """An uploaded file. :mod:`django_roomchat.files.records` attaches it to its message and releases it.

    The row is created before the file and deleted after it, so every stored file has a row.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    room = models.ForeignKey(
        Room,
        models.SET_NULL,
        null=True,
        related_name="attachments",
        db_index=False,
        verbose_name=_("room"),
        help_text=_("Empty if the file is about to be deleted."),
    )
    seq = models.BigIntegerField(
        _("sequence number"), null=True, help_text=_("Sequence number of the message; empty until sent.")
    )
    key = KeyField(
        _("key"), max_length=100, db_index=True, help_text=_("Key of the user who uploaded the file.")
    )
    held_as = KeyField(
        _("held message id"),
        max_length=validation.ID_MAX_LENGTH,
        blank=True,
        help_text=_("Id of the held message that the file belongs to."),
    )
    address_digest = KeyField(max_length=64, blank=True, editable=False)
    """Keyed digest of the IP address that the file was uploaded from; empty once the file is sent or released."""
    name = models.CharField(_("name"), max_length=2 * validation.FILE_NAME_MAX_LENGTH)
    content_type = models.CharField(
        _("type"), max_length=100, help_text=_("Detected from the content of the file.")
    )
    bytes = models.BigIntegerField(_("bytes"))
    width = models.PositiveIntegerField(_("width"), null=True)
    height = models.PositiveIntegerField(_("height"), null=True)
    stored = KeyField(max_length=255, editable=False, help_text=_("Name of the file in the storage."))
    thumb = KeyField(max_length=255, blank=True, editable=False)
    created_at = models.DateTimeField(_("uploaded at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("file")
        verbose_name_plural = _("files")
        indexes = (
            models.Index(fields=("room", "seq"), name="roomchat_attachment_place"),
            # A partial index of the files that wait to be attached or removed, which are few.
            models.Index(
                fields=("created_at",), condition=Q(seq__isnull=True), name="roomchat_attachment_unsent"
            ),
        )

    def __str__(self) -> str:
        return self.name
