from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, models, router, transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_roomchat.conf import config
from django_roomchat.text import validation


class RoomQuerySet(models.QuerySet["Room"]):
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
        OPEN = "open", _("open")
        PRIVATE = "private", _("private: members only")
        DIRECT = "direct", _("direct: two people")

    name = models.CharField(
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
    object_id = models.CharField(max_length=64, blank=True, editable=False)
    object = GenericForeignKey("content_type", "object_id")
    """Object of the project that the room belongs to, such as an order."""
    direct_key = models.CharField(  # noqa: DJ001  (NULLs do not violate the unique constraint)
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


class MessageQuerySet(models.QuerySet["Message"]):
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
    author_key = models.CharField(_("author key"), max_length=100)
    author_name = models.CharField(_("author"), max_length=150)
    client_id = models.CharField(_("client id"), max_length=validation.ID_MAX_LENGTH)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.USER)
    body = models.TextField(_("text"), blank=True)
    fingerprint = models.CharField(
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


class Attachment(models.Model):
    """An uploaded file. :mod:`django_roomchat.files` attaches it to its message and releases it.

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
    key = models.CharField(
        _("key"), max_length=100, db_index=True, help_text=_("Key of the user who uploaded the file.")
    )
    held_as = models.CharField(
        _("held message id"),
        max_length=validation.ID_MAX_LENGTH,
        blank=True,
        help_text=_("Id of the held message that the file belongs to."),
    )
    name = models.CharField(_("name"), max_length=2 * validation.FILE_NAME_MAX_LENGTH)
    content_type = models.CharField(
        _("type"), max_length=100, help_text=_("Detected from the content of the file.")
    )
    bytes = models.BigIntegerField(_("bytes"))
    width = models.PositiveIntegerField(_("width"), null=True)
    height = models.PositiveIntegerField(_("height"), null=True)
    stored = models.CharField(max_length=255, editable=False, help_text=_("Name of the file in the storage."))
    thumb = models.CharField(max_length=255, blank=True, editable=False)
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


class Membership(models.Model):
    """Membership of a user or guest in a room. :mod:`django_roomchat.members` creates and ends it."""

    class Role(models.TextChoices):
        OWNER = "owner", _("owner")
        MODERATOR = "moderator", _("moderator")
        MEMBER = "member", _("member")

    room = models.ForeignKey(
        Room, models.CASCADE, related_name="memberships", db_index=False, verbose_name=_("room")
    )
    key = models.CharField(_("key"), max_length=100, db_index=True)
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


class SanctionQuerySet(models.QuerySet[Any]):
    def in_force(self) -> SanctionQuerySet:
        """Filter to sanctions that have not ended."""
        return self.filter(Q(until=None) | Q(until__gt=timezone.now()))


class Sanction(models.Model):
    """Base class of bans and mutes: a restriction of a user in a room, with or without an end."""

    room = models.ForeignKey(
        Room, models.CASCADE, related_name="%(class)ss", db_index=False, verbose_name=_("room")
    )
    key = models.CharField(_("key"), max_length=100)
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


class Ban(Sanction):
    """Ban: the user may not enter the room. :mod:`django_roomchat.moderation` creates and ends it."""

    class Meta(Sanction.Meta):
        verbose_name = _("ban")
        verbose_name_plural = _("bans")


class Mute(Sanction):
    """Mute: the user may not post in the room. :mod:`django_roomchat.moderation` creates and ends it."""

    class Meta(Sanction.Meta):
        verbose_name = _("mute")
        verbose_name_plural = _("mutes")


class Invitation(models.Model):
    """Invitation link that makes users members of a room. Only the digest of the link is stored."""

    room = models.ForeignKey(Room, models.CASCADE, related_name="invitations", verbose_name=_("room"))
    digest = models.CharField(max_length=64, unique=True, editable=False)
    role = models.CharField(
        _("role"), max_length=10, choices=Membership.Role.choices, default=Membership.Role.MEMBER
    )
    by_key = models.CharField(_("created by (key)"), max_length=100)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
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


class Reaction(models.Model):
    """Emoji reaction of a user to a message. The totals are stored in the message's ``data``."""

    message = models.ForeignKey(
        Message, models.CASCADE, related_name="reactions", db_index=False, verbose_name=_("message")
    )
    key = models.CharField(_("key"), max_length=100, db_index=True)
    emoji = models.CharField(_("emoji"), max_length=64)
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
    key = models.CharField(_("key"), max_length=100, db_index=True)
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

    class Meta:
        verbose_name = _("read marker")
        verbose_name_plural = _("read markers")
        constraints = (models.UniqueConstraint(fields=("room", "key"), name="roomchat_readmarker_once"),)

    def __str__(self) -> str:
        return f"{self.key}: {self.room} {self.seq}"


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
    room = models.CharField(max_length=validation.KEY_MAX_LENGTH, db_index=True)
    key = models.CharField(max_length=100)
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


class Report(models.Model):
    """Report of a message to the moderators by a user."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        UPHELD = "upheld", _("upheld")
        DISMISSED = "dismissed", _("dismissed")

    room = models.ForeignKey(Room, models.CASCADE, related_name="reports", verbose_name=_("room"))
    seq = models.BigIntegerField(_("sequence number"))
    body = models.TextField(_("text"), blank=True, help_text=_("Text of the message when it was reported."))
    author_key = models.CharField(_("author key"), max_length=100)
    author_name = models.CharField(_("author"), max_length=150)
    by_key = models.CharField(_("reporter key"), max_length=100)
    by_name = models.CharField(_("reporter"), max_length=150)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("reported at"), default=timezone.now, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
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
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        constraints = (
            models.UniqueConstraint(fields=("room", "seq", "by_key"), name="roomchat_report_once"),
        )
        indexes = (models.Index(fields=("state", "created_at"), name="roomchat_report_queue"),)

    def __str__(self) -> str:
        return f"{self.room} {self.seq}: {self.reason}"


class HeldMessage(models.Model):
    """A post that the content filter holds until a moderator has reviewed it."""

    class State(models.TextChoices):
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
    author_key = models.CharField(_("author key"), max_length=100)
    author_name = models.CharField(_("author"), max_length=150)
    client_id = models.CharField(_("client id"), max_length=validation.ID_MAX_LENGTH)
    body = models.TextField(_("text"), blank=True)
    reply_to = models.BigIntegerField(_("reply to"), null=True, blank=True)
    files = models.JSONField(_("files"), default=list, blank=True, editable=False)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("posted at"), default=timezone.now, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
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
        verbose_name = _("held message")
        verbose_name_plural = _("held messages")
        constraints = (
            models.UniqueConstraint(fields=("room", "author_key", "client_id"), name="roomchat_held_once"),
        )
        indexes = (models.Index(fields=("state", "created_at"), name="roomchat_held_queue"),)

    def __str__(self) -> str:
        return self.body if len(self.body) <= 60 else f"{self.body[:59]}…"


class AuditEntry(models.Model):
    """Audit trail entry: who did what to whom. It is written in the transaction of the action and never edited."""

    at = models.DateTimeField(_("time"), default=timezone.now, editable=False, db_index=True)
    verb = models.CharField(_("action"), max_length=40)
    by_key = models.CharField(_("actor (key)"), max_length=100)
    by_name = models.CharField(_("actor"), max_length=150)
    room_name = models.CharField(_("room"), max_length=validation.KEY_MAX_LENGTH, blank=True, db_index=True)
    target_key = models.CharField(_("target (key)"), max_length=100, blank=True, db_index=True)
    target_name = models.CharField(_("target"), max_length=150, blank=True)
    data = models.JSONField(_("details"), default=dict, blank=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit trail")

    def __str__(self) -> str:
        return f"{self.by_name} {self.verb} {self.target_name}".strip()


class Webhook(models.Model):
    """Outgoing webhook: a URL that receives the events of a room."""

    room = models.ForeignKey(
        Room,
        models.CASCADE,
        related_name="webhooks",
        verbose_name=_("room"),
    )
    url = models.URLField(_("URL"), max_length=500)
    secret = models.CharField(
        _("secret"), max_length=100, help_text=_("Signs every delivery to the webhook.")
    )
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
    digest = models.CharField(max_length=64, unique=True, editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    used_at = models.DateTimeField(_("last used at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("incoming webhook")
        verbose_name_plural = _("incoming webhooks")

    def __str__(self) -> str:
        return f"{self.room}: {self.name}"
