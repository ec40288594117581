"""Rooms with their settings, the counters of their logs, and who belongs to them: memberships and invitations."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, models, router, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_roomchat.conf import config
from django_roomchat.models.fields import KeyField
from django_roomchat.text import validation


class RoomQuerySet(models.QuerySet["Room"]):
    """Queries for rooms, and :meth:`for_object`, which creates the room of an object."""

    def of_object(self, owner: models.Model) -> RoomQuerySet:
        """Filter to the room that belongs to an object of the project.

        Args:
            owner: the object.

        Returns:
            A queryset with one room or none.
        """
        kind = ContentType.objects.db_manager(self.db).get_for_model(owner)
        return self.filter(content_type=kind, object_id=str(owner.pk))

    def named(self, typed: str) -> RoomQuerySet:
        """Filter to the room with a name, in any spelling.

        Args:
            typed: the name as typed by a user.

        Returns:
            A queryset with one room or none.

        Raises:
            BadRoomName: the name is not valid.
        """
        return self.filter(name=validation.room_name(typed, config().ROOM_NAME_MAX_LENGTH))

    def for_object(
        self, owner: models.Model, *, title: str | None = None, visibility: str = "private"
    ) -> Room:
        """Return the room that belongs to an object of the project. The first call creates it.

        Concurrent calls return the same room. The room is kept when the object is deleted, so that its messages
        are not lost; a ``GenericRelation`` to rooms on the object's model deletes both together.

        Args:
            owner: any saved object, such as an order.
            title: title of the room; ``str(owner)`` by default. Only the first call uses it.
            visibility: ``private`` for members only, or ``open``. Only the first call uses it.

        Returns:
            The room.

        Raises:
            ValueError: the object is not saved.
        """
        if owner.pk is None:
            raise ValueError(f"{owner!r} must be saved before a room can belong to it.")
        rooms = self.using(router.db_for_write(RoomLog))
        if (found := rooms.of_object(owner).select_related("log").first()) is not None:
            return found
        shown = " ".join((str(owner) if title is None else title).split())[: validation.NAME_MAX_LENGTH]
        kind = ContentType.objects.db_manager(rooms.db).get_for_model(owner)
        try:
            with transaction.atomic(using=rooms.db):
                room = rooms.create(
                    name=validation.hidden_name(),
                    title=shown or kind.name,
                    visibility=visibility,
                    is_listed=False,
                    content_type=kind,
                    object_id=str(owner.pk),
                )
                room.log = RoomLog.objects.using(rooms.db).create(room=room)
                return room
        except IntegrityError:
            # A concurrent call created the room first.
            return rooms.of_object(owner).select_related("log").get()

    def visible_to(self, key: str) -> RoomQuerySet:
        """Filter to listed open rooms with messages, and rooms of which *key* is a member. The policy can hide
        more of them.

        Args:
            key: key of a user or guest.
        """
        mine = Membership.objects.using(self.db).filter(key=key).values("room")
        open_ones = Q(visibility=Room.Visibility.OPEN, is_listed=True, log__head__gt=0)
        return self.filter(open_ones | Q(pk__in=mine), log__isnull=False)

    def recent(self) -> RoomQuerySet:
        """Filter to rooms with messages, ordered by latest activity."""
        return self.filter(log__head__gt=0).select_related("log").order_by("-log__changed_at", "-pk")


class Room(models.Model):
    """A room. An open room is created by its first message; other rooms are created explicitly."""

    class Visibility(models.TextChoices):
        """Rule for entering a room: open, private or direct."""

        OPEN = "open", _("open")
        PRIVATE = "private", _("private: members only")
        DIRECT = "direct", _("direct: two people")

    name = KeyField(
        _("canonical name"),
        max_length=validation.KEY_MAX_LENGTH,
        unique=True,
        editable=False,
        help_text=_("NFC-normalised and case-folded form of the name, used in the URL."),
    )
    title = models.CharField(
        _("name"), max_length=validation.NAME_MAX_LENGTH, help_text=_("Name of the room as users see it.")
    )
    visibility = models.CharField(
        _("visibility"),
        max_length=10,
        choices=Visibility.choices,
        default=Visibility.OPEN,
        editable=False,
        help_text=_("Cannot be changed after the room is created."),
    )
    is_listed = models.BooleanField(
        _("listed"),
        default=True,
        help_text=_("Show the room in the list of rooms to users who can enter it."),
    )
    is_announcement = models.BooleanField(
        _("announcements only"), default=False, help_text=_("Only moderators can post.")
    )
    tells_changes = models.BooleanField(
        _("post system messages"),
        default=False,
        help_text=_(
            "Post a message in the room when members join or leave, and when the room or a role changes."
        ),
    )
    slow_seconds = models.PositiveIntegerField(
        _("slow mode"),
        default=0,
        help_text=_("Minimum time between two messages of one user, in seconds; 0 turns slow mode off."),
    )
    retention_days = models.PositiveIntegerField(
        _("retention period"),
        null=True,
        blank=True,
        help_text=_("Number of days after which messages are deleted; empty to keep them."),
    )
    archived_at = models.DateTimeField(
        _("archived at"), null=True, blank=True, help_text=_("Time at which the room became read-only.")
    )
    content_type = models.ForeignKey(
        ContentType, models.CASCADE, null=True, blank=True, editable=False, related_name="+"
    )
    object_id = KeyField(max_length=64, blank=True, editable=False)
    object = GenericForeignKey("content_type", "object_id")
    """Object of the project that the room belongs to, such as an order."""
    direct_key = KeyField(  # noqa: DJ001  (NULLs do not violate the unique constraint)
        max_length=64,
        null=True,
        unique=True,
        editable=False,
        help_text=_("Hash of the keys of the two users."),
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    objects = RoomQuerySet.as_manager()

    class Meta:
        verbose_name = _("room")
        verbose_name_plural = _("rooms")
        ordering = ("name",)
        permissions = (
            ("enter_room", _("Can enter rooms")),
            ("post_in_room", _("Can post in rooms")),
            ("moderate_room", _("Can moderate rooms")),
        )
        constraints = (
            models.UniqueConstraint(fields=("content_type", "object_id"), name="roomchat_room_of_object"),
            # A guessable name would disclose the existence of the room: creating another one would fail.
            models.CheckConstraint(
                condition=Q(visibility="open") | Q(name__startswith=validation.HIDDEN),
                name="roomchat_room_hidden",
            ),
        )

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """Return the URL of the room's page."""
        return reverse("roomchat:room", args=[self.name])

    @property
    def is_hidden(self) -> bool:
        """Whether the canonical name is random. Such a room cannot be guessed, and visiting its URL does not
        create it.
        """
        return self.name.startswith(validation.HIDDEN)


class RoomLog(models.Model):
    """Sequence counter of a room's changes. Its row is the lock that orders them.

    It is a separate row because inserting a message takes a shared lock on every row that the message references.
    """

    room = models.OneToOneField(Room, models.CASCADE, primary_key=True, related_name="log")
    epoch = models.UUIDField(_("epoch"), default=uuid.uuid4, editable=False)
    head = models.BigIntegerField(
        _("head"), default=0, editable=False, help_text=_("Number of the latest change.")
    )
    floor = models.BigIntegerField(
        _("floor"), default=0, editable=False, help_text=_("Changes up to this number were pruned.")
    )
    pruned_changes = models.BigIntegerField(
        _("pruned changes"),
        default=0,
        editable=False,
        help_text=_("Count of change numbers whose messages were pruned."),
    )
    access_version = models.BigIntegerField(
        _("access version"),
        default=0,
        editable=False,
        help_text=_("Incremented whenever a user's permissions in the room change."),
    )
    changed_at = models.DateTimeField(_("changed at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("room log")
        verbose_name_plural = _("room logs")

    def __str__(self) -> str:
        return f"{self.epoch}:{self.head}"


class Membership(models.Model):
    """Membership of a user or guest in a room. :mod:`django_roomchat.rooms.members` creates and ends it."""

    class Role(models.TextChoices):
        """Roles of a member, from the highest rank to the lowest."""

        OWNER = "owner", _("owner")
        MODERATOR = "moderator", _("moderator")
        MEMBER = "member", _("member")

    room = models.ForeignKey(
        Room, models.CASCADE, related_name="memberships", db_index=False, verbose_name=_("room")
    )
    key = KeyField(_("key"), max_length=100, db_index=True)
    name = models.CharField(_("name"), max_length=150)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("user"),
    )
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.MEMBER)
    created_at = models.DateTimeField(_("joined at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = (models.UniqueConstraint(fields=("room", "key"), name="roomchat_membership_once"),)

    def __str__(self) -> str:
        return f"{self.name or self.key}: {self.room}"


class Invitation(models.Model):
    """Invitation link that makes users members of a room. Only the digest of the link is stored. The invitations of a deleted
    user are deleted.
    """

    room = models.ForeignKey(Room, models.CASCADE, related_name="invitations", verbose_name=_("room"))
    digest = KeyField(max_length=64, unique=True, editable=False)
    role = models.CharField(
        _("role"), max_length=10, choices=Membership.Role.choices, default=Membership.Role.MEMBER
    )
    by_key = KeyField(_("created by (key)"), max_length=100)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("created by"),
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    uses_left = models.PositiveIntegerField(_("uses left"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")

    def __str__(self) -> str:
        return f"{self.room}: {self.created_at:%Y-%m-%d}"
