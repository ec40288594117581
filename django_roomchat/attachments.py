"""Files that people send: uploaded first, then named by the post that brings them.

What a file is, its content says. Images are made anew (:mod:`django_roomchat.images`), everything else is kept as it is,
and handed out so that no browser runs it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from typing import IO, Any

from asgiref.sync import sync_to_async
from django.db import transaction
from django.utils.translation import gettext_noop as _

from django_roomchat import (
    actions,
    audit,
    files,
    images,
    limits,
    policy,
    protocol,
    sniffing,
    storage,
    text,
)
from django_roomchat.conf import config
from django_roomchat.counter import database
from django_roomchat.errors import BadFile, NotFound, TooBig, TryAgain, Unsupported
from django_roomchat.identity import Identity
from django_roomchat.models import Attachment, Message, Room

UNSENT_MAX = 3
"""Uploads of one person that wait for their message: so many times what a message may have. The oldest go."""
PIECE_BYTES = 65_536
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Content:
    """What is kept of an upload."""

    file: Any
    size: int
    width: int | None = None
    height: int | None = None
    thumb: bytes | None = None


def attach_file(room: str | Room, content: Any, name: str = "", *, author: Any = None) -> Attachment:
    """Upload a file to a room, for a message: ``post_message(…, files=[attach_file(…)])``. Until then only its author gets it.

    Args:
        room: its name, however typed, or the room. It is made if it does not exist.
        content: ``bytes``, or a file that is open for reading bytes, such as one of ``request.FILES``.
        name: of the file; that of *content* if it is left out and that has one.
        author: a user of the project or an :class:`~django_roomchat.identity.Identity`, who must be allowed to send files;
            without one the project itself.

    Returns:
        The file. Inside ``atomic`` it is stored when the transaction commits; what is undone leaves nothing.

    Raises:
        ChatError: it is refused: too big, of a type that is not taken, broken.
    """
    who = actions.identity_of(author)
    found = actions.room_of(actions.name_of(room))
    policy.require_attach(who, found)
    limits.spend("UPLOADS", who, limits.address_here(), found.name)
    file: Any = BytesIO(content) if isinstance(content, bytes) else content
    kind, kept = _looked_at(file)
    shown = sniffing.rightly_named(text.file_name(name or getattr(content, "name", None) or ""), kind)
    if found.pk is None:
        limits.spend("ROOMS", who, limits.address_here())
        found = actions.ensure_room(found)
    made = Attachment(
        room=found,
        key=who.key,
        name=shown,
        content_type=kind,
        bytes=kept.size,
        width=kept.width,
        height=kept.height,
        stored=storage.new_name(),
        thumb=storage.new_name() if kept.thumb is not None else "",
    )
    is_within = transaction.get_connection(database()).in_atomic_block
    if is_within:
        # Whoever has opened it may close it before the COMMIT.
        kept = replace(kept, file=BytesIO(b"".join(_pieces(kept.file))))
    with transaction.atomic(using=database()):
        made.save(using=database(), force_insert=True)
        if not who.is_site:
            _let_oldest_go(who)
        transaction.on_commit(lambda: _store(made, kept), using=database(), robust=is_within)
    return made


async def aattach_file(room: str | Room, content: Any, name: str = "", *, author: Any = None) -> Attachment:
    """See :func:`attach_file`."""
    return await sync_to_async(attach_file)(room, content, name, author=author)


def _looked_at(file: Any) -> tuple[str, _Content]:
    """What an upload is, and what is kept of it. Raises if it is not taken."""
    size = _size(file)
    if size > config().ATTACHMENT_MAX_BYTES:
        raise too_big()
    if not size:
        raise BadFile(_("This file is empty."))
    kind = sniffing.content_type(_pieces(file))
    if kind not in config().ATTACHMENT_TYPES:
        raise Unsupported(_("Files of this type are not accepted here."))
    if not images.is_image(kind):
        return kind, _Content(file, size)
    picture = images.made_anew(file, kind)
    return kind, _Content(
        BytesIO(picture.content), len(picture.content), picture.width, picture.height, picture.thumb
    )


def shown(file: Attachment) -> protocol.File:
    """What an upload is answered with: the file as it will be in its message."""
    name = "" if file.room is None else file.room.name
    [said] = files.shown([files.described_alone(file, name)])
    return protocol.File(**said)


def offered_types() -> list[str]:
    """The types of files that are taken here: of images, only where they can be made anew."""
    return [kind for kind in config().ATTACHMENT_TYPES if not images.is_image(kind) or images.is_installed()]


def too_big() -> TooBig:
    """The answer for a file that is too big."""
    megabytes = config().ATTACHMENT_MAX_BYTES / 2**20
    return TooBig(_("A file can have at most %(most)s MB."), most=f"{megabytes:.3g}")


def _size(file: Any) -> int:
    file.seek(0, 2)
    size: int = file.tell()
    return size


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    return iter(lambda: file.read(PIECE_BYTES), b"")


def _let_oldest_go(who: Identity) -> None:
    unsent = files.rows().filter(key=who.key, seq=None, held_as="", room__isnull=False)
    most = UNSENT_MAX * config().ATTACHMENTS_PER_MESSAGE
    if too_many := list(unsent.order_by("-created_at").values_list("pk", flat=True)[most:]):
        files.let_go(unsent.filter(pk__in=too_many))


def _store(made: Attachment, kept: _Content) -> None:
    """Put the file where the row says, or take the row back."""
    try:
        kept.file.seek(0)
        stored = storage.save(made.stored, kept.file)
        thumb = storage.save(made.thumb, BytesIO(kept.thumb)) if kept.thumb is not None else ""
        if (stored, thumb) != (made.stored, made.thumb):
            made.stored, made.thumb = stored, thumb
            made.save(using=database(), update_fields=["stored", "thumb"])
    except Exception as error:
        files.let_go(files.rows().filter(pk=made.pk))
        _LOGGER.exception("A file of the chat could not be stored")
        raise TryAgain(_("The file could not be stored; try again.")) from error


# Handing out ----------------------------------------------------------------------------------------------------


def file_of(who: Identity, room: str, id: Any) -> Attachment:
    """A file, for somebody who wants to have it: whoever may enter its room once it was sent, until then who has uploaded it.

    A file that waits for a moderator is there for those who moderate the room, too.

    Raises:
        ChatError: there is no such file for them.
    """
    found = actions.enter_room(who, room)
    row = None if found.pk is None else files.rows().filter(pk=id, room_id=found.pk).first()
    if row is None or not (row.seq is not None or _may_look(who, found, row)):
        raise no_such_file()
    return row


def _may_look(who: Identity, room: Room, unsent: Attachment) -> bool:
    if unsent.key == who.key or who.is_site:
        return True
    return bool(unsent.held_as) and bool(policy.policy().can_moderate(who, room))


def no_such_file() -> NotFound:
    """The answer for a file that there is not, or not for them."""
    return NotFound(_("There is no such file."), code="no_such_file")


# Taking back ----------------------------------------------------------------------------------------------------


def take_back(who: Identity, room: str, id: Any) -> None:
    """Remove an upload that was not sent yet, for who has made it.

    Raises:
        ChatError: there is none of theirs.
    """
    found = actions.enter_room(who, room)
    mine = files.rows().filter(
        pk=id, room_id=found.pk, room_id__isnull=False, key=who.key, seq=None, held_as=""
    )
    if not files.let_go(mine):
        raise no_such_file()


def take_down_file(file: Attachment, *, by: Any = None) -> None:
    """Take a file out of its message, for everybody. A message that was nothing else is deleted.

    Args:
        file: the file.
        by: who does it, and must be allowed to moderate; without one the project itself.

    Raises:
        ChatError: it is refused.
    """
    who = actions.identity_of(by)
    if file.room is None:
        return
    policy.require_moderation(who, file.room)
    id, room = str(file.pk), file.room
    with transaction.atomic(using=database()):
        audit.record(
            "take_down_file", who, room=room.name, target=Identity(file.key, ""), seq=file.seq, name=file.name
        )
        if file.seq is not None:
            message = Message.objects.using(database()).filter(room=room, seq=file.seq).first()
            if message is not None and not message.body and len(message.data.get("files") or ()) == 1:
                actions.delete_message(room, file.seq, author=who)
            else:
                actions.rewrite(room, [file.seq], lambda message: _without(message, id))
        files.let_go(files.rows().filter(pk=file.pk, room_id__isnull=False))


async def atake_down_file(file: Attachment, *, by: Any = None) -> None:
    """See :func:`take_down_file`."""
    await sync_to_async(take_down_file)(file, by=by)


def _without(message: Message, id: str) -> bool:
    sent = message.data.get("files") or []
    left = [file for file in sent if file["id"] != id]
    others = {name: value for name, value in message.data.items() if name != "files"}
    message.data = others | ({"files": left} if left else {})
    return len(left) < len(sent)


def clear_out() -> int:
    """Let go what was uploaded a day ago and never sent, and remove what could not be removed before. Call it from time to time.

    Returns:
        How many uploads were never sent.
    """
    unsent = files.let_unsent_go()
    files.remove_abandoned()
    return unsent
