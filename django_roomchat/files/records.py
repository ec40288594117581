"""Attachment rows: which files belong to which message, and the removal of files that belong to none.

A row is created before its file and deleted after it. After an interruption :func:`remove_abandoned` and
:func:`release_unsent` find what is left. The description of a message's files is stored in the message's
``data``, so reading messages needs no query for rows.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.signals import post_delete
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_noop as _

from django_roomchat.conf import config, reverse_or_empty
from django_roomchat.database import batches, database
from django_roomchat.errors import BadFile, NotFound, RateLimited, TooBig, TryAgain
from django_roomchat.files import storage
from django_roomchat.files.content_types import without_charset
from django_roomchat.models import Attachment, HeldMessage, Room
from django_roomchat.protocol import FileToPost
from django_roomchat.throttled_logging import warn_throttled

UNSENT_HOURS = 24
"""Time after which an upload that is in no message is released, in hours."""
BATCH = 500
"""Number of rows processed in one batch."""
_LOGGER = logging.getLogger(__name__)


def rows() -> QuerySet[Attachment]:
    """Return a queryset of all attachments in the log's database."""
    return Attachment.objects.using(database())


def file_missing() -> BadFile:
    """Return the error for a file that cannot be attached: not uploaded by the author to this room, or already
    in another message.
    """
    return BadFile(_("A file of this message is missing or belongs to another message; upload it again."))


def parse_id(id: str) -> UUID | None:
    """Parse a file id.

    Args:
        id: the id that a client sent.

    Returns:
        The UUID, or ``None`` if the text is not one.
    """
    try:
        return UUID(id)
    except ValueError:
        return None


def describe(room: Room, key: str | None, wanted: Sequence[FileToPost]) -> list[dict[str, Any]]:
    """Describe the files of a message, in order, as stored in the message's ``data``.

    Args:
        room: room of the message.
        key: key of the user who must have uploaded the files; ``None`` for any user.
        wanted: the files.

    Returns:
        A dict for each file.

    Raises:
        BadFile: a file does not exist. Whether it is in another message is only checked under the lock of the room.
    """
    theirs = rows().filter(pk__in=[file.id for file in wanted], room_id=room.pk, room_id__isnull=False)
    found = {str(row.pk): row for row in (theirs if key is None else theirs.filter(key=key))}
    if any(file.id not in found for file in wanted):
        raise file_missing()
    return [_description(found[file.id], room.name, file.alt) for file in wanted]


def _description(row: Attachment, room: str, alt: str = "") -> dict[str, Any]:
    kept = {
        "id": str(row.pk),
        # The canonical name of a room never changes, unlike its title.
        "room": room,
        "name": row.name,
        "type": without_charset(row.content_type),
        "bytes": row.bytes,
        "width": row.width,
        "height": row.height,
        "alt": alt,
        "thumb": bool(row.thumb),
    }
    return {name: value for name, value in kept.items() if value or name == "bytes"}


def describe_unsent(row: Attachment, room: str) -> dict[str, Any]:
    """Describe a file that is in no message yet, in the form that :func:`to_wire` takes.

    Args:
        row: the file.
        room: canonical name of its room.
    """
    return _description(row, room)


def to_wire(kept: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Convert stored file descriptions to their wire format, with the current URLs.

    Args:
        kept: descriptions from a message's ``data``.

    Returns:
        A dict for each file with the fields of :class:`django_roomchat.protocol.File`.
    """
    return [_wire_file(file) for file in kept]


def _wire_file(kept: Mapping[str, Any]) -> dict[str, Any]:
    said = {name: value for name, value in kept.items() if name not in ("room", "thumb")}
    said["url"] = reverse_or_empty("download", kept["room"], kept["id"], _name_in_url(kept["name"]))
    if kept.get("thumb") and said["url"]:
        said["thumb"] = reverse_or_empty("thumb", kept["room"], kept["id"])
    return said


def _name_in_url(name: str) -> str:
    # The name in the URL is for display. Only this name would collide with the URL of the thumbnail.
    return "thumb.file" if name == "thumb" else name


def summary(body: str, kept: Iterable[Mapping[str, Any]] | None) -> str:
    """Summarise a message: its text, or the names of its files if the text is empty."""
    return body or ", ".join(str(file["name"]) for file in kept or ())


# Unsent files -------------------------------------------------------------------------------------------------------

RETRY_SECONDS = 600.0
"""Time after which an upload that was refused for lack of space may succeed, in seconds."""


def address_digest(address: str | None) -> str:
    """Return the digest under which the uploads from an IP address are counted; empty for an unknown address.

    It is keyed with ``SECRET_KEY``: the address cannot be found by trying all of them.
    """
    return salted_hmac("django_roomchat.files", address, algorithm="sha256").hexdigest() if address else ""


def require_space(size: int, digest: str) -> None:
    """Check that an upload fits into the maximum of stored bytes that were never sent.

    Uploads that are stored at the same moment are not counted for each other, so the maximum can be exceeded by them.

    Args:
        size: size of the upload, in bytes.
        digest: the result of :func:`address_digest`.

    Raises:
        RateLimited: the maximum of the IP address is reached.
        TryAgain: the maximum of the site is reached.
    """
    own, all_together = config().ADDRESS_MAX_UNSENT_BYTES, config().SITE_MAX_UNSENT_BYTES
    stored = rows().filter(seq=None)
    used = stored.aggregate(all=Sum("bytes"), own=Sum("bytes", filter=Q(address_digest=digest)))
    if digest and own is not None and (used["own"] or 0) + size > own:
        raise RateLimited(
            _("Too many files from your network wait to be sent; try again later."), retry_after=RETRY_SECONDS
        )
    if all_together is not None and (used["all"] or 0) + size > all_together:
        warn_throttled(
            "unsent files",
            "Uploads are refused: files that were never sent take up SITE_MAX_UNSENT_BYTES (%d). Run roomchat_prune daily",
            all_together,
        )
        raise TryAgain(_("The server has no space for uploads; try again later."), retry_after=RETRY_SECONDS)


# Attaching to a message ---------------------------------------------------------------------------------------------


def lock_unsent(ids: Iterable[str]) -> dict[str, tuple[int | None, str]]:
    """Lock the files that are in no message.

    Args:
        ids: ids of the files to look for.

    Returns:
        By id: the primary key of the room that the file was uploaded to, and the client id of the held post
        that it waits with.
    """
    unsent = rows().filter(pk__in=list(ids), seq=None).order_by("pk").select_for_update()
    return {str(pk): (room, held) for pk, room, held in unsent.values_list("pk", "room_id", "held_as")}


def attach(wanted: Iterable[FileToPost], seq: int) -> None:
    """Attach files to a message. Their rows must be locked.

    Args:
        wanted: the files.
        seq: sequence number of the message.
    """
    rows().filter(pk__in=[file.id for file in wanted]).update(seq=seq, held_as="", address_digest="")


def reserve_for_held_post(wanted: Iterable[FileToPost], client_id: str) -> None:
    """Reserve files for a post that is held for a moderator.

    Args:
        wanted: the files.
        client_id: client id of the held post.
    """
    rows().filter(pk__in=[file.id for file in wanted], seq=None).update(held_as=client_id)


# Releasing ------------------------------------------------------------------------------------------------------


def release(chosen: QuerySet[Attachment]) -> int:
    """Release files. Nobody can download them after the transaction has committed; then they are removed from
    the storage.

    Args:
        chosen: the files.

    Returns:
        Number of files.
    """
    with transaction.atomic(using=database()):
        ids = list(chosen.select_for_update().values_list("pk", flat=True))
        for some in batches(ids, BATCH):
            rows().filter(pk__in=some).update(
                room=None, seq=None, key="", name="", held_as="", address_digest=""
            )
        if ids:
            transaction.on_commit(lambda: _remove(ids), using=database(), robust=True)
    return len(ids)


def release_of_messages(room_id: int, seqs: Iterable[int]) -> int:
    """Release the files of messages.

    Args:
        room_id: primary key of the room.
        seqs: sequence numbers of the messages.

    Returns:
        Number of files.
    """
    return release(rows().filter(room_id=room_id, seq__in=list(seqs)))


def release_unsent() -> int:
    """Release files that were uploaded more than a day ago and are in no message.

    Returns:
        Number of files.
    """
    waiting = HeldMessage.objects.filter(
        room=OuterRef("room"),
        author_key=OuterRef("key"),
        client_id=OuterRef("held_as"),
        state=HeldMessage.State.WAITING,
    )
    old = rows().filter(
        ~Exists(waiting),
        room__isnull=False,
        seq=None,
        created_at__lt=timezone.now() - timedelta(hours=UNSENT_HOURS),
    )
    return release(old)


def remove_abandoned() -> None:
    """Remove released files that are still in the storage, because the storage failed or because their room was
    deleted.
    """
    _remove(list(rows().filter(room=None).values_list("pk", flat=True)))


def _remove(ids: Sequence[UUID]) -> None:
    for some in batches(ids, BATCH):
        for row in rows().filter(pk__in=some, room=None):
            try:
                for name in filter(None, (row.stored, row.thumb)):
                    storage.remove(name)
            except Exception:
                # The row stays with the name of the file, for the next attempt.
                _LOGGER.exception("A chat attachment could not be removed from its storage")
            else:
                row.delete()


def _room_is_gone(**kwargs: Any) -> None:
    transaction.on_commit(remove_abandoned, using=database(), robust=True)


post_delete.connect(_room_is_gone, sender=Room, dispatch_uid="django_roomchat.files.records")

CHUNK_BYTES = 65_536


def file_too_big() -> TooBig:
    """Return the error for a file that exceeds ``ATTACHMENT_MAX_BYTES``."""
    megabytes = config().ATTACHMENT_MAX_BYTES / 2**20
    return TooBig(_("A file can have at most %(most)s MB."), most=f"{megabytes:.3g}")


def no_such_file() -> NotFound:
    """Return the error for a file that does not exist. It is identical for a file that the client may not download."""
    return NotFound(_("There is no such file."), code="no_such_file")
