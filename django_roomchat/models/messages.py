"""Messages, which only the room log writes, with their reactions, and how far each user has read."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_roomchat.models.fields import KeyField
from django_roomchat.models.rooms import Room
from django_roomchat.text import validation


class MessageQuerySet(models.QuerySet["Message"]):
    """Queries for messages. Filter by room first, because every index begins with it."""

    def before(self, seq: int | None) -> MessageQuerySet:
        """Filter to messages before a sequence number, newest first.

        Args:
            seq: the sequence number; ``None`` for all messages.
        """
        earlier = self if seq is None else self.filter(seq__lt=seq)
        return earlier.order_by("-seq")

    def changed_since(self, rev: int) -> MessageQuerySet:
        """Filter to messages changed after a revision, in the order of their revisions.

        Args:
            rev: the revision.
        """
        return self.filter(rev__gt=rev).order_by("rev")


class Message(models.Model):
    """A message in its latest state. Only :mod:`django_roomchat.log` writes it."""

    class Kind(models.TextChoices):
        """Kinds of authors: a user or guest, the package itself, or a program."""

        USER = "user", _("user")
        SYSTEM = "system", _("system")
        BOT = "bot", _("bot")

    # No index of its own: the indexes of the constraints below begin with it.
    room = models.ForeignKey(
        Room, models.CASCADE, related_name="messages", db_index=False, verbose_name=_("room")
    )
    seq = models.BigIntegerField(_("sequence number"))
    rev = models.BigIntegerField(_("revision"))
    changes = models.PositiveIntegerField(
        _("changes"), default=0, help_text=_("Number of changes since the message was posted.")
    )
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
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.USER)
    body = models.TextField(_("text"), blank=True)
    fingerprint = KeyField(
        max_length=32,
        editable=False,
        help_text=_("Hash of the original post, to distinguish a retry from a reused id."),
    )
    reply_to = models.BigIntegerField(_("reply to"), null=True, blank=True)
    created_at = models.DateTimeField(_("posted at"))
    edited_at = models.DateTimeField(_("edited at"), null=True, blank=True)
    deleted_at = models.DateTimeField(_("deleted at"), null=True, blank=True)
    pinned_at = models.DateTimeField(_("pinned at"), null=True, blank=True)
    data = models.JSONField(
        _("data"),
        default=dict,
        blank=True,
        help_text=_("Other data of the message: reactions, mentions, rendered text and so on."),
    )

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = (
            models.UniqueConstraint(fields=("room", "seq"), name="roomchat_message_place"),
            models.UniqueConstraint(fields=("room", "author_key", "client_id"), name="roomchat_message_once"),
            models.CheckConstraint(
                condition=Q(seq__gt=0, rev__gte=F("seq")), name="roomchat_message_numbered"
            ),
        )
        indexes = (
            models.Index(fields=("room", "rev"), name="roomchat_message_rev"),
            # A partial index: it contains pinned messages only, so other messages do not pay for it.
            models.Index(
                fields=("room", "pinned_at"),
                condition=Q(pinned_at__isnull=False),
                name="roomchat_message_pinned",
            ),
        )

    def __str__(self) -> str:
        return self.body if len(self.body) <= 60 else f"{self.body[:59]}…"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Raise :class:`TypeError`: only the log of the room can number messages."""
        raise TypeError(
            "Messages are numbered by the room's log: use django_roomchat.post_message() or edit_message(), not Message.save()."
        )


class Reaction(models.Model):
    """Emoji reaction of a user to a message. The totals are stored in the message's ``data``."""

    message = models.ForeignKey(
        Message, models.CASCADE, related_name="reactions", db_index=False, verbose_name=_("message")
    )
    key = KeyField(_("key"), max_length=100, db_index=True)
    emoji = KeyField(_("emoji"), max_length=64)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("reaction")
        verbose_name_plural = _("reactions")
        constraints = (
            models.UniqueConstraint(fields=("message", "key", "emoji"), name="roomchat_reaction_once"),
        )

    def __str__(self) -> str:
        return f"{self.emoji} {self.key}"


class ReadMarker(models.Model):
    """Read marker: the last message that a user has read in a room."""

    room = models.ForeignKey(
        Room, models.CASCADE, related_name="read_markers", db_index=False, verbose_name=_("room")
    )
    key = KeyField(_("key"), max_length=100, db_index=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("user"),
    )
    seq = models.BigIntegerField(
        _("sequence number"),
        default=0,
        help_text=_("Sequence number of the last message that the user has read."),
    )
    read_at = models.DateTimeField(_("read at"), default=timezone.now)
    notified_seq = models.BigIntegerField(
        default=0,
        editable=False,
        help_text=_("Sequence number of the last message that was reported to the project as unread."),
    )
    is_muted = models.BooleanField(
        _("notifications muted"),
        default=False,
        help_text=_("The user receives no notifications from this room."),
    )
    left_seq = models.BigIntegerField(null=True, editable=False)
    """Head of a direct room when the user left it. A later message shows the room in the user's room list again."""

    class Meta:
        verbose_name = _("read marker")
        verbose_name_plural = _("read markers")
        constraints = (models.UniqueConstraint(fields=("room", "key"), name="roomchat_readmarker_once"),)

    def __str__(self) -> str:
        return f"{self.key}: {self.room} {self.seq}"
