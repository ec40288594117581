from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_roomchat import text
from django_roomchat.conf import config


class RoomQuerySet(models.QuerySet["Room"]):
    def named(self, typed: str) -> RoomQuerySet:
        """The room of this name, however it was typed.

        Raises:
            BadRoomName: no room can have it.
        """
        return self.filter(name=text.room_name(typed, config().ROOM_NAME_MAX_LENGTH))

    def recent(self) -> RoomQuerySet:
        """Those with messages, latest activity first."""
        return self.filter(log__head__gt=0).select_related("log").order_by("-log__changed_at", "-pk")


class Room(models.Model):
    """A room. It comes into being with its first message."""

    name = models.CharField(
        _("name"),
        max_length=text.KEY_MAX_LENGTH,
        unique=True,
        editable=False,
        help_text=_("Canonical: composed and case-folded. It stands in the address."),
    )
    title = models.CharField(
        _("title"), max_length=text.NAME_MAX_LENGTH, help_text=_("As it was typed first.")
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    objects = RoomQuerySet.as_manager()

    class Meta:
        verbose_name = _("room")
        verbose_name_plural = _("rooms")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("roomchat:room", args=[self.name])


class RoomLog(models.Model):
    """The counter of a room's changes: one tiny row, and the lock that makes their order.

    It stands apart from the room, because inserting a message takes a shared lock on every row that it refers to.
    """

    room = models.OneToOneField(Room, models.CASCADE, primary_key=True, related_name="log")
    epoch = models.UUIDField(_("epoch"), default=uuid.uuid4, editable=False)
    head = models.BigIntegerField(
        _("head"), default=0, editable=False, help_text=_("The number of the last change.")
    )
    floor = models.BigIntegerField(
        _("floor"), default=0, editable=False, help_text=_("Changes up to this number were pruned.")
    )
    pruned_changes = models.BigIntegerField(
        _("pruned changes"), default=0, editable=False, help_text=_("Numbers whose messages were pruned.")
    )
    access_version = models.BigIntegerField(
        _("access version"), default=0, editable=False, help_text=_("Grows when somebody's rights change.")
    )
    changed_at = models.DateTimeField(_("changed at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("room log")
        verbose_name_plural = _("room logs")

    def __str__(self) -> str:
        return f"{self.epoch}:{self.head}"


class MessageQuerySet(models.QuerySet["Message"]):
    def before(self, seq: int | None) -> MessageQuerySet:
        """Newest first, those whose place is before *seq*."""
        earlier = self if seq is None else self.filter(seq__lt=seq)
        return earlier.order_by("-seq")

    def changed_since(self, rev: int) -> MessageQuerySet:
        """In the order of their last changes, those changed after *rev*."""
        return self.filter(rev__gt=rev).order_by("rev")


class Message(models.Model):
    """A message in its latest state. :mod:`django_roomchat.log` writes it; nothing else does."""

    class Kind(models.TextChoices):
        USER = "user", _("user")
        SYSTEM = "system", _("system")
        BOT = "bot", _("bot")

    # No index of its own: those of the constraints below begin with it.
    room = models.ForeignKey(
        Room, models.CASCADE, related_name="messages", db_index=False, verbose_name=_("room")
    )
    seq = models.BigIntegerField(_("place"))
    rev = models.BigIntegerField(_("last change"))
    changes = models.PositiveIntegerField(_("changes"), default=0, help_text=_("Since it was posted."))
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("user"),
    )
    author_key = models.CharField(_("author key"), max_length=100)
    author_name = models.CharField(_("author"), max_length=150)
    client_id = models.CharField(_("client id"), max_length=text.ID_MAX_LENGTH)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.USER)
    body = models.TextField(_("text"), blank=True)
    fingerprint = models.CharField(
        max_length=32,
        editable=False,
        help_text=_("Of what was posted first, to tell a retry from a reused id."),
    )
    reply_to = models.BigIntegerField(_("reply to"), null=True, blank=True)
    created_at = models.DateTimeField(_("posted at"))
    edited_at = models.DateTimeField(_("edited at"), null=True, blank=True)
    deleted_at = models.DateTimeField(_("deleted at"), null=True, blank=True)
    data = models.JSONField(_("data"), default=dict, blank=True)

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
        indexes = (models.Index(fields=("room", "rev"), name="roomchat_message_rev"),)

    def __str__(self) -> str:
        return self.body if len(self.body) <= 60 else f"{self.body[:59]}…"

    def save(self, *args: Any, **kwargs: Any) -> None:
        raise TypeError(
            "Messages are numbered by the room's log: use django_roomchat.post_message() and its kin, not Message.save()."
        )


class BanQuerySet(models.QuerySet["Ban"]):
    def in_force(self) -> BanQuerySet:
        return self.filter(Q(until=None) | Q(until__gt=timezone.now()))


class Ban(models.Model):
    """Somebody may not enter a room. Made and ended by :mod:`django_roomchat.actions`."""

    room = models.ForeignKey(
        Room, models.CASCADE, related_name="bans", db_index=False, verbose_name=_("room")
    )
    key = models.CharField(_("key"), max_length=100)
    name = models.CharField(_("name"), max_length=150, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("since"), default=timezone.now, editable=False)
    until = models.DateTimeField(_("until"), null=True, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )

    objects = BanQuerySet.as_manager()

    class Meta:
        verbose_name = _("ban")
        verbose_name_plural = _("bans")
        constraints = (models.UniqueConstraint(fields=("room", "key"), name="roomchat_ban_once"),)

    def __str__(self) -> str:
        return f"{self.name or self.key}: {self.room}"
