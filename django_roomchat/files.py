"""Which files belong to which message, and what becomes of those that belong to none any more.

A row is there before its file, and goes after it: whatever is interrupted, :func:`remove_abandoned` and :func:`let_unsent_go`
find it again. What an event says of its files is kept in the message's ``data``, so that reading asks for no rows.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.signals import post_delete
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from django_roomchat import storage
from django_roomchat.addresses import address_of
from django_roomchat.counter import database
from django_roomchat.errors import BadFile
from django_roomchat.models import Attachment, HeldMessage, Room
from django_roomchat.protocol import FileToPost

UNSENT_HOURS = 24
"""How long an upload waits for its message."""
TOGETHER = 500
"""Rows that are worked on at once."""
_LOGGER = logging.getLogger(__name__)


def rows() -> QuerySet[Attachment]:
    """Of all files."""
    return Attachment.objects.using(database())


def missing() -> BadFile:
    """The answer for a file that is not there for a message: not uploaded by its author to this room, or in another message."""
    return BadFile(_("A file of this message is missing or belongs to another message; upload it again."))


def named(id: str) -> UUID | None:
    """The id of a file, if a client has given one."""
    try:
        return UUID(id)
    except ValueError:
        return None


def described(room: Room, key: str | None, wanted: Sequence[FileToPost]) -> list[dict[str, Any]]:
    """What a message says of its files: kept in its ``data``, in their order.

    Args:
        room: of the message.
        key: of who has uploaded them; ``None`` for anybody.
        wanted: the files.

    Raises:
        BadFile: one is not there. Whether it is in another message already is known under the lock of the room only.
    """
    theirs = rows().filter(pk__in=[file.id for file in wanted], room_id=room.pk, room_id__isnull=False)
    found = {str(row.pk): row for row in (theirs if key is None else theirs.filter(key=key))}
    if any(file.id not in found for file in wanted):
        raise missing()
    return [_kept(found[file.id], room.name, file.alt) for file in wanted]


def _kept(row: Attachment, room: str, alt: str = "") -> dict[str, Any]:
    kept = {
        "id": str(row.pk),
        # The name of a room never changes; its title may.
        "room": room,
        "name": row.name,
        "type": row.content_type,
        "bytes": row.bytes,
        "width": row.width,
        "height": row.height,
        "alt": alt,
        "thumb": bool(row.thumb),
    }
    return {name: value for name, value in kept.items() if value or name == "bytes"}


def described_alone(row: Attachment, room: str) -> dict[str, Any]:
    """The same for a file that is in no message yet, as :func:`shown` takes it."""
    return _kept(row, room)


def shown(kept: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the wire says of files, of what is kept in the message: with their addresses as they are now."""
    return [_shown(file) for file in kept]


def _shown(kept: Mapping[str, Any]) -> dict[str, Any]:
    said = {name: value for name, value in kept.items() if name not in ("room", "thumb")}
    said["url"] = address_of("download", kept["room"], kept["id"], _in_addresses(kept["name"]))
    if kept.get("thumb") and said["url"]:
        said["thumb"] = address_of("thumb", kept["room"], kept["id"])
    return said


def _in_addresses(name: str) -> str:
    # What stands there is for people who look at it; only this would be another address.
    return "thumb.file" if name == "thumb" else name


def told(body: str, kept: Iterable[Mapping[str, Any]] | None) -> str:
    """A message in a few words: its text, or the names of its files."""
    return body or ", ".join(str(file["name"]) for file in kept or ())


# Bound to a message -------------------------------------------------------------------------------------------------


def lock_unsent(ids: Iterable[str]) -> dict[str, tuple[int | None, str]]:
    """Those files that are in no message, locked, with the room that they were uploaded to and the held post that they wait in."""
    unsent = rows().filter(pk__in=list(ids), seq=None).order_by("pk").select_for_update()
    return {str(pk): (room, held) for pk, room, held in unsent.values_list("pk", "room_id", "held_as")}


def bind(wanted: Iterable[FileToPost], seq: int) -> None:
    """Say in which message of their room files are. They are locked."""
    rows().filter(pk__in=[file.id for file in wanted]).update(seq=seq, held_as="")


def hold(wanted: Iterable[FileToPost], client_id: str) -> None:
    """Keep files for a post that waits for a moderator."""
    rows().filter(pk__in=[file.id for file in wanted], seq=None).update(held_as=client_id)


# Let go ---------------------------------------------------------------------------------------------------------


def let_go(chosen: QuerySet[Attachment]) -> int:
    """Let files go: nobody gets them any more when the transaction is committed, and then they are removed from the storage.

    Returns:
        How many there were.
    """
    with transaction.atomic(using=database()):
        ids = list(chosen.select_for_update().values_list("pk", flat=True))
        for some in _portions(ids):
            rows().filter(pk__in=some).update(room=None, seq=None, key="", name="", held_as="")
        if ids:
            transaction.on_commit(partial(_remove, ids), using=database(), robust=True)
    return len(ids)


def let_go_of(room_id: int, seqs: Iterable[int]) -> int:
    """Let the files of messages go."""
    return let_go(rows().filter(room_id=room_id, seq__in=list(seqs)))


def let_unsent_go() -> int:
    """Let those go that were uploaded a day ago and never sent. Returns how many there were."""
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
    return let_go(old)


def remove_abandoned() -> None:
    """Remove what was let go and is still in the storage, because that could not be reached, or because its room is gone."""
    _remove(list(rows().filter(room=None).values_list("pk", flat=True)))


def _remove(ids: Sequence[UUID]) -> None:
    for some in _portions(ids):
        for row in rows().filter(pk__in=some, room=None):
            try:
                for name in filter(None, (row.stored, row.thumb)):
                    storage.remove(name)
            except Exception:
                # The row stays, and with it what is known of the file, for the next time.
                _LOGGER.exception("A file of the chat could not be removed from its storage")
            else:
                row.delete()


def _portions(ids: Sequence[UUID]) -> Iterable[Sequence[UUID]]:
    return (ids[start : start + TOGETHER] for start in range(0, len(ids), TOGETHER))


def _room_is_gone(**kwargs: Any) -> None:
    transaction.on_commit(remove_abandoned, using=database(), robust=True)


post_delete.connect(_room_is_gone, sender=Room, dispatch_uid="django_roomchat.files")
