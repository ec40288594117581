"""Moderation: bans, mutes and blocks, reports and held messages that wait for a decision, and the audit trail."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_roomchat.models.fields import KeyField
from django_roomchat.models.rooms import Room
from django_roomchat.text import validation


class SanctionQuerySet(models.QuerySet[Any]):
    """Queries for bans or mutes."""

    def in_force(self) -> SanctionQuerySet:
        """Filter to bans or mutes that have not expired."""
        return self.filter(Q(until=None) | Q(until__gt=timezone.now()))


class AbstractSanction(models.Model):
    """Base class of bans and mutes: a restriction of a user in a room, with or without an end."""

    room = models.ForeignKey(
        Room, models.CASCADE, related_name="%(class)ss", db_index=False, verbose_name=_("room")
    )
    key = KeyField(_("key"), max_length=100)
    name = models.CharField(_("name"), max_length=150, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    until = models.DateTimeField(_("expires at"), null=True, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("created by"),
    )

    objects = SanctionQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints = (models.UniqueConstraint(fields=("room", "key"), name="roomchat_%(class)s_once"),)

    def __str__(self) -> str:
        return f"{self.name or self.key}: {self.room}"


class Ban(AbstractSanction):
    """Ban: the user may not enter the room. :mod:`django_roomchat.moderation.sanctions` creates and ends it."""

    class Meta(AbstractSanction.Meta):
        verbose_name = _("ban")
        verbose_name_plural = _("bans")


class Mute(AbstractSanction):
    """Mute: the user may not post in the room. :mod:`django_roomchat.moderation.sanctions` creates and ends it."""

    class Meta(AbstractSanction.Meta):
        verbose_name = _("mute")
        verbose_name_plural = _("mutes")


class Block(models.Model):
    """Block: two people exchange no direct messages, because one of them has blocked the other.

    It belongs to the pair and not to a room, because it applies before they have a direct room.
    :mod:`django_roomchat.moderation.blocks` creates and ends it.
    """

    by_key = KeyField(_("created by (key)"), max_length=100)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("created by"),
    )
    key = KeyField(_("key"), max_length=100, db_index=True)
    name = models.CharField(_("name"), max_length=150, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("block")
        verbose_name_plural = _("blocks")
        constraints = (models.UniqueConstraint(fields=("by_key", "key"), name="roomchat_block_once"),)

    def __str__(self) -> str:
        return f"{self.by_key}: {self.name or self.key}"


class Decision(models.Model):
    """Base class of reports and held messages: rows that wait until a moderator decides. The subclass has the states."""

    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("decided by"),
    )

    class Meta:
        abstract = True


class Report(Decision):
    """Report of a message to the moderators by a user."""

    class State(models.TextChoices):
        """States of a report. Upholding it deletes the message."""

        OPEN = "open", _("open")
        UPHELD = "upheld", _("upheld")
        DISMISSED = "dismissed", _("dismissed")

    room = models.ForeignKey(Room, models.CASCADE, related_name="reports", verbose_name=_("room"))
    seq = models.BigIntegerField(_("sequence number"))
    body = models.TextField(_("text"), blank=True, help_text=_("Text of the message when it was reported."))
    author_key = KeyField(_("author key"), max_length=100)
    author_name = models.CharField(_("author"), max_length=150)
    by_key = KeyField(_("reporter key"), max_length=100)
    by_name = models.CharField(_("reporter"), max_length=150)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    mentions = models.JSONField(default=list, editable=False)
    """Mentions in the text, as in the message, for the erasure of user data."""
    created_at = models.DateTimeField(_("reported at"), default=timezone.now, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        constraints = (
            models.UniqueConstraint(fields=("room", "seq", "by_key"), name="roomchat_report_once"),
        )
        indexes = (models.Index(fields=("state", "created_at"), name="roomchat_report_queue"),)

    def __str__(self) -> str:
        # No text, as in a held message.
        return f"{self.room} {self.seq}"


class HeldMessage(Decision):
    """A post that the content filter holds until a moderator has reviewed it."""

    class State(models.TextChoices):
        """States of a held message. Releasing it posts the message."""

        WAITING = "waiting", _("pending")
        RELEASED = "released", _("released")
        REFUSED = "refused", _("rejected")

    room = models.ForeignKey(Room, models.CASCADE, related_name="held_messages", verbose_name=_("room"))
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("user"),
    )
    author_key = KeyField(_("author key"), max_length=100)
    author_name = models.CharField(_("author"), max_length=150)
    client_id = KeyField(_("client id"), max_length=validation.ID_MAX_LENGTH)
    body = models.TextField(_("text"), blank=True)
    reply_to = models.BigIntegerField(_("reply to"), null=True, blank=True)
    files = models.JSONField(_("files"), default=list, blank=True, editable=False)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("posted at"), default=timezone.now, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)

    class Meta:
        verbose_name = _("held message")
        verbose_name_plural = _("held messages")
        constraints = (
            models.UniqueConstraint(fields=("room", "author_key", "client_id"), name="roomchat_held_once"),
        )
        indexes = (models.Index(fields=("state", "created_at"), name="roomchat_held_queue"),)

    def __str__(self) -> str:
        # No text: the admin shows it before a deletion, and keeps it in its log.
        return f"{self.room}: {self.created_at:%Y-%m-%d %H:%M:%S}"


class AuditEntry(models.Model):
    """Audit trail entry: who did what to whom. It is written in the transaction of the action and never edited."""

    at = models.DateTimeField(_("time"), default=timezone.now, editable=False, db_index=True)
    verb = models.CharField(_("action"), max_length=40)
    by_key = KeyField(_("actor (key)"), max_length=100)
    by_name = models.CharField(_("actor"), max_length=150)
    room_name = KeyField(_("room"), max_length=validation.KEY_MAX_LENGTH, blank=True, db_index=True)
    target_key = KeyField(_("target (key)"), max_length=100, blank=True, db_index=True)
    target_name = models.CharField(_("target"), max_length=150, blank=True)
    data = models.JSONField(_("details"), default=dict, blank=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit trail")

    def __str__(self) -> str:
        return f"{self.by_name} {self.verb} {self.target_name}".strip()
