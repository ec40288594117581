"""Attachments: files are uploaded first and then bound to the message that names them.

File types are detected from the content. Images are re-encoded (:mod:`django_roomchat.files.images`); other files are stored unchanged
and served with headers that keep browsers from executing them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from typing import IO, Any

from django.db import transaction
from django.utils.functional import lazy
from django.utils.translation import gettext_noop as _

from django_roomchat import identity, policy, protocol
from django_roomchat.conf import config
from django_roomchat.database import database, twin
from django_roomchat.errors import BadFile, TryAgain, Unsupported
from django_roomchat.files import content_types, images, records, storage
from django_roomchat.files.records import CHUNK_BYTES, file_too_big, no_such_file
from django_roomchat.identity import Actor, Identity
from django_roomchat.messages.change import rewrite
from django_roomchat.messages.edit import delete_message
from django_roomchat.models import Attachment, Message, Room
from django_roomchat.policy import audit_trail, rate_limits
from django_roomchat.rooms import lookup
from django_roomchat.text import validation, values

UNSENT_MAX = 3
"""Maximum number of unsent uploads of one person, as a multiple of ``ATTACHMENTS_PER_MESSAGE``. The oldest are removed."""
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Content:
    """Content of an upload as it will be stored."""

    file: Any
    size: int
    width: int | None = None
    height: int | None = None
    thumb: bytes | None = None


def attach_file(room: str | Room, content: Any, name: str = "", *, by: Actor | None = None) -> Attachment:
    """Upload a file to a room, for use in ``post_message(…, files=[attach_file(…)])``.

    Until its message is posted, only its author can download it.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`. The room is created if it does not
            exist.
        content: ``bytes``, or a file opened for reading in binary mode, such as one of ``request.FILES``.
        name: file name. The default is the name of *content*, if it has one.
        by: the acting user or identity, which must be allowed to send files. Without one the site uploads.

    Returns:
        The attachment. Inside ``atomic`` the content is stored when the transaction commits; after a rollback nothing is stored.

    Raises:
        ChatError: the upload is rejected, for example because it is too big, damaged or of a type that is not accepted.
            Codes: ``announcement``, ``archived``, ``bad_file``, ``bad_room_name``, ``bad_value``,
            ``banned``, ``blocked``, ``busy``, ``forbidden``, ``members_only``, ``muted``,
            ``name_taken``, ``no_attachments``, ``no_permission``, ``no_such_room``,
            ``rate_limited``, ``sign_in``, ``too_big``, ``unavailable``, ``unreachable``,
            ``unsupported``.
    """
    if not isinstance(content, bytes) and not (hasattr(content, "read") and hasattr(content, "seek")):
        raise TypeError(f"The content must be bytes or a file, not {type(content).__name__}.")
    values.of_type(name, str, "“name”")
    who = identity.identity_of(by)
    found = lookup.room_of(lookup.name_of(room))
    policy.require_attach(who, found)
    rate_limits.spend("UPLOADS", who, rate_limits.address_here(), found.name)
    file: Any = BytesIO(content) if isinstance(content, bytes) else content
    digest = records.address_digest(rate_limits.address_here())
    if not who.is_site:
        records.require_space(_size(file), digest)
    given, stored_content = _inspected(file)
    kind = images.stored_type(given)
    shown = content_types.corrected_name(
        validation.file_name(name or getattr(content, "name", None) or ""), kind, given=given
    )
    if found.pk is None:
        rate_limits.spend("ROOMS", who, rate_limits.address_here())
        found = lookup.ensure_room(found)
    attachment = Attachment(
        room=found,
        key=who.key,
        address_digest=digest,
        name=shown,
        content_type=kind,
        bytes=stored_content.size,
        width=stored_content.width,
        height=stored_content.height,
        stored=storage.new_name(),
        thumb=storage.new_name() if stored_content.thumb is not None else "",
    )
    is_within = transaction.get_connection(database()).in_atomic_block
    if is_within:
        # The caller may close its file before the transaction commits.
        stored_content = replace(stored_content, file=BytesIO(b"".join(_blocks(stored_content.file))))
    with transaction.atomic(using=database()):
        attachment.save(using=database(), force_insert=True)
        if not who.is_site:
            _release_oldest(who)
        transaction.on_commit(lambda: _store(attachment, stored_content), using=database(), robust=is_within)
    return attachment


aattach_file = twin(attach_file)


def _inspected(file: Any) -> tuple[str, _Content]:
    """Return the detected content type of an upload, and the content to store. Raise if the upload is not accepted."""
    size = _size(file)
    if size > config().ATTACHMENT_MAX_BYTES:
        raise file_too_big()
    if not size:
        raise BadFile(_("This file is empty."))
    kind = content_types.detect(_blocks(file))
    if not _is_accepted(content_types.without_charset(kind)):
        raise Unsupported(
            _("Files of this type are not accepted here. Accepted: %(types)s."),
            types=lazy(accepted_words, str)(),
        )
    if not images.is_image(kind):
        return kind, _Content(file, size)
    picture = images.reencode(file, kind)
    return kind, _Content(
        BytesIO(picture.content), len(picture.content), picture.width, picture.height, picture.thumb
    )


def _configured() -> list[str]:
    return list(dict.fromkeys([*config().ATTACHMENT_TYPES, *config().ATTACHMENT_EXTRA_TYPES]))


def _is_accepted(kind: str) -> bool:
    types = _configured()
    if images.is_image(kind) and images.is_installed() and not images.can_decode(kind):
        return False
    return kind in types or (kind in content_types.OPAQUE and content_types.UNKNOWN in types)


def shown(file: Attachment) -> protocol.File:
    """Return the response to an upload: the file as its message will describe it."""
    name = "" if file.room is None else file.room.name
    [said] = records.to_wire([records.describe_unsent(file, name)])
    return protocol.File(**said)


def offered_types() -> list[str]:
    """Return the accepted content types. Images are included only if the library that re-encodes them is installed."""
    return [kind for kind in _configured() if not images.is_image(kind) or images.can_decode(kind)]


def accepted_words() -> str:
    """Return the accepted content types in words, in the active language."""
    return content_types.in_words(offered_types())


def accepted_by_chooser() -> str:
    """Return the value of ``accept`` for the file chooser; empty if all files are accepted."""
    return content_types.for_chooser(offered_types())


def _size(file: Any) -> int:
    file.seek(0, 2)
    size: int = file.tell()
    return size


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    return iter(lambda: file.read(CHUNK_BYTES), b"")


def _release_oldest(who: Identity) -> None:
    unsent = records.rows().filter(key=who.key, seq=None, held_as="", room__isnull=False)
    limit = UNSENT_MAX * config().ATTACHMENTS_PER_MESSAGE
    if too_many := list(unsent.order_by("-created_at").values_list("pk", flat=True)[limit:]):
        records.release(unsent.filter(pk__in=too_many))


def _store(attachment: Attachment, stored_content: _Content) -> None:
    """Store the content under the names in the row, or delete the row if that fails."""
    try:
        stored_content.file.seek(0)
        stored = storage.save(attachment.stored, stored_content.file)
        thumb = (
            storage.save(attachment.thumb, BytesIO(stored_content.thumb))
            if stored_content.thumb is not None
            else ""
        )
        if (stored, thumb) != (attachment.stored, attachment.thumb):
            attachment.stored, attachment.thumb = stored, thumb
            attachment.save(using=database(), update_fields=["stored", "thumb"])
    except Exception as error:
        records.release(records.rows().filter(pk=attachment.pk))
        _LOGGER.exception("Could not store an uploaded file")
        raise TryAgain(_("The file could not be stored; try again.")) from error


# Downloads ------------------------------------------------------------------------------------------------------


def file_of(who: Identity, room: str, id: Any) -> Attachment:
    """Return a file that *who* may download. A posted file is available to everybody who may enter its room.

    A file that is not posted yet is available to its uploader, and to the moderators of the room if its message is held.

    Raises:
        ChatError: there is no such file, or *who* may not download it.
    """
    found = lookup.enter_room(who, room)
    row = None if found.pk is None else records.rows().filter(pk=id, room_id=found.pk).first()
    if row is None or not (row.seq is not None or _may_download_unsent(who, found, row)):
        raise no_such_file()
    return row


def _may_download_unsent(who: Identity, room: Room, unsent: Attachment) -> bool:
    if unsent.key == who.key or who.is_site:
        return True
    return bool(unsent.held_as) and bool(policy.policy().can_moderate(who, room))


# Removal --------------------------------------------------------------------------------------------------------


def cancel_upload(who: Identity, room: str, id: Any) -> None:
    """Remove an upload of *who* that was not posted yet.

    Raises:
        ChatError: *who* has no such upload.
    """
    found = lookup.enter_room(who, room)
    mine = records.rows().filter(
        pk=id, room_id=found.pk, room_id__isnull=False, key=who.key, seq=None, held_as=""
    )
    if not records.release(mine):
        raise no_such_file()


def remove_file(file: Attachment, *, by: Actor | None = None) -> None:
    """Remove a file from its message for everybody. A message without text and other files is deleted.

    Args:
        file: the attachment.
        by: the acting user or identity, which must be allowed to moderate the room. Without one the site acts.

    Raises:
        ChatError: the removal is rejected.
            Codes: ``archived``, ``bad_room_name``, ``bad_value``, ``banned``, ``busy``, ``forbidden``,
            ``members_only``, ``name_taken``, ``no_permission``, ``no_such_room``, ``not_found``, ``sign_in``.
    """
    values.of_type(file, Attachment, "“file”")
    who = identity.identity_of(by)
    if file.room is None:
        return
    policy.require_moderation(who, file.room)
    id, room = str(file.pk), file.room
    with transaction.atomic(using=database()):
        audit_trail.record(
            "remove_file", who, room=room.name, target=Identity(file.key, ""), seq=file.seq, name=file.name
        )
        if file.seq is not None:
            message = Message.objects.using(database()).filter(room=room, seq=file.seq).first()
            if message is not None and not message.body and len(message.data.get("files") or ()) == 1:
                delete_message(room, file.seq, by=who)
            else:
                rewrite(room, [file.seq], lambda message: _without(message, id))
        records.release(records.rows().filter(pk=file.pk, room_id__isnull=False))


aremove_file = twin(remove_file)


def _without(message: Message, id: str) -> bool:
    sent = message.data.get("files") or []
    left = [file for file in sent if file["id"] != id]
    others = {name: value for name, value in message.data.items() if name != "files"}
    message.data = others | ({"files": left} if left else {})
    return len(left) < len(sent)


def remove_unsent() -> int:
    """Remove uploads that were not posted within a day, and stored files whose earlier removal failed. Run it periodically.

    Returns:
        The number of uploads that were not posted.
    """
    unsent = records.release_unsent()
    records.remove_abandoned()
    return unsent
