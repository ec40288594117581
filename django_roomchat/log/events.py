"""Conversion of message rows and drafts to events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import convert, structs

from django_roomchat.database import database
from django_roomchat.files import records
from django_roomchat.log.drafts import Draft
from django_roomchat.models import Message, MessageQuerySet
from django_roomchat.protocol import Author, Event, EventData, Quote, is_guest

QUOTE_LENGTH = 140
"""Maximum length of the quote above a reply, in characters."""


FIELDS = (
    "seq",
    "rev",
    "client_id",
    "kind",
    "author_key",
    "author_name",
    "body",
    "created_at",
    "reply_to",
    "edited_at",
    "deleted_at",
    "pinned_at",
    "data",
)


def quotes(room_id: int, places: Iterable[int]) -> dict[int, Quote]:
    """Read the quotes of messages for their replies, in one query.

    Args:
        room_id: primary key of the room.
        places: sequence numbers of the quoted messages.

    Returns:
        Quotes by sequence number.
    """
    rows = Message.objects.using(database()).filter(room_id=room_id, seq__in=set(places))
    found = rows.values_list("seq", "author_key", "author_name", "body", "deleted_at", "data__files")
    return {
        seq: Quote(seq, name, records.summary(body, sent)[:QUOTE_LENGTH], deleted is not None, is_guest(key))
        for seq, key, name, body, deleted, sent in found
    }


def events_of(room_id: int | None, messages: MessageQuerySet) -> list[Event]:
    if room_id is None:
        return []
    return with_quotes(room_id, [_event(*row) for row in messages.using(database()).values_list(*FIELDS)])


def with_quotes(room_id: int, events: list[Event]) -> list[Event]:
    answered = {event.reply_to for event in events if event.reply_to is not None}
    if not answered:
        return events
    quoted = quotes(room_id, answered)
    return [
        event if event.reply_to is None else structs.replace(event, quote=quoted.get(event.reply_to))
        for event in events
    ]


def event_of_draft(seq: int, draft: Draft, at: str) -> Event:
    return Event(
        seq=seq,
        rev=seq,
        id=draft.client_id,
        kind=draft.kind,
        author=_author(draft.author_key, draft.author_name, draft.data),
        body=draft.body,
        at=at,
        reply_to=draft.reply_to,
        **_extras(draft.data),
    )


def event_of_row(message: Message) -> Event:
    return _event(*(getattr(message, field) for field in FIELDS))


def _event(
    seq: int,
    rev: int,
    client_id: str,
    kind: Any,
    author_key: str,
    author_name: str,
    body: str,
    created_at: datetime,
    reply_to: int | None,
    edited_at: datetime | None,
    deleted_at: datetime | None,
    pinned_at: datetime | None,
    data: Mapping[str, Any],
) -> Event:
    """Convert a row to an event. Keys of ``data`` that are fields of
    :class:`~django_roomchat.protocol.EventData` are included.
    """
    return Event(
        seq=seq,
        rev=rev,
        id=client_id,
        kind=kind,
        author=_author(author_key, author_name, data),
        body=body,
        at=iso(created_at),
        reply_to=reply_to,
        edited_at=iso(edited_at) if edited_at else None,
        deleted_at=iso(deleted_at) if deleted_at else None,
        pinned_at=iso(pinned_at) if pinned_at else None,
        **_extras(data),
    )


def _author(key: str, name: str, data: Mapping[str, Any]) -> Author:
    return Author(key, name, data.get("avatar", ""), data.get("link", ""), is_guest(key))


def _extras(data: Mapping[str, Any]) -> dict[str, Any]:
    if not data:
        return {}
    extras = {key: data[key] for key in _EXTRAS if key in data}
    if sent := extras.get("files"):
        extras["files"] = records.to_wire(sent)
    if reactions := extras.get("reactions"):
        # PostgreSQL sorts the keys of JSON objects, so each reaction stores its position.
        extras["reactions"] = dict(sorted(reactions.items(), key=lambda one: one[1].get("place", 0)))
    # Validated by the Struct, so that rows written by other code cannot send arbitrary data to clients.
    return structs.asdict(convert(extras, EventData))


_EXTRAS = EventData.__struct_fields__


def iso(moment: datetime) -> str:
    """Format a datetime for the wire: ISO 8601, UTC, milliseconds. A naive datetime, as with ``USE_TZ = False``, is local time."""
    moment = moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
