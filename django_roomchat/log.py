"""The room's log: who writes here gets the next number, who reads from a position misses nothing.

The update of ``RoomLog.head`` is the first statement of its transaction, and the messages are inserted in the same one.
The row stays locked until the commit is visible, so the order of commits is the order of numbers,
and whatever a reader sees of a room is its beginning without a hole (the prefix lemma).
Sequences and timestamps do not have this: a reader can see 43, move on, and never see 42.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from django.db import IntegrityError, connections, router, transaction
from django.db.models import F
from django.utils import timezone

from django_roomchat.errors import ChatError, IdReused, NotFound
from django_roomchat.models import Message, Room, RoomLog
from django_roomchat.protocol import Author, Event

Reset = Literal["new", "epoch", "floor", "gap", "ahead"]


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that has no number yet."""

    author_id: Any
    author_key: str
    author_name: str
    client_id: str
    kind: Literal["user", "system", "bot"]
    body: str
    reply_to: int | None = None

    @property
    def once(self) -> tuple[str, str]:
        """What is unique within a room."""
        return self.author_key, self.client_id

    @property
    def fingerprint(self) -> str:
        return hashlib.blake2b(f"{self.reply_to}\0{self.body}".encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Stored:
    """The place that a draft has got, now or on an earlier try."""

    seq: int
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Appended:
    """What one transaction did to a room: its drafts took the numbers in ``(prev, head]``."""

    epoch: str
    prev: int
    head: int
    events: list[Event]
    results: list[Stored | ChatError]
    """One for each draft, in their order."""


def append(
    drafts: Mapping[int, Sequence[Draft]], *, wait_seconds: float | None = None
) -> dict[int, Appended]:
    """Number and store drafts, for any number of rooms in one transaction.

    Args:
        drafts: by the room's primary key, in the order in which they shall stand.
        wait_seconds: for rooms that somebody else has locked, where the database can tell (PostgreSQL).
            ``None`` waits as long as it takes, 0 leaves such rooms out of the result, more fails after that time.

    Returns:
        What happened, by room. It is durable when the outermost transaction is.

    Raises:
        IntegrityError: rows that it refers to are gone.
        OperationalError: *wait_seconds* were not enough.
    """
    skip_locked = wait_seconds == 0
    try:
        with transaction.atomic(using=_database()):
            _wait_for_locks(wait_seconds)
            return _write(drafts, {}, skip_locked)
    except IntegrityError:
        # Most likely somebody repeats a post. The transaction is undone and has burnt no number
        # (INSERT … ON CONFLICT DO NOTHING would have: a hole in the log). Look who, under the lock.
        with transaction.atomic(using=_database()):
            _wait_for_locks(wait_seconds)
            taken = _claim(dict.fromkeys(drafts, 0), skip_locked)
            known = _known({room: drafts[room] for room in taken})
            return _write({room: drafts[room] for room in taken}, known, skip_locked=False)


def _write(
    drafts: Mapping[int, Sequence[Draft]],
    known: Mapping[tuple[int, str, str], tuple[int, str]],
    skip_locked: bool,
) -> dict[int, Appended]:
    fresh = {room: _fresh(room, wanted, known) for room, wanted in drafts.items()}
    taken = _claim({room: len(new) for room, new in fresh.items()}, skip_locked)
    now = timezone.now()
    rows: list[Message] = []
    done = {}
    for room, (head, epoch) in taken.items():
        new, prev = fresh[room], head - len(fresh[room])
        messages = [_row(room, seq, draft, now) for seq, draft in enumerate(new, prev + 1)]
        rows += messages
        places = {
            draft.once: (message.seq, message.fingerprint)
            for draft, message in zip(new, messages, strict=True)
        }
        results = _results(room, drafts[room], places, known)
        done[room] = Appended(epoch, prev, head, [_event_of(message) for message in messages], results)
    if rows:
        Message.objects.using(_database()).bulk_create(rows)
    return done


def _fresh(
    room: int, wanted: Sequence[Draft], known: Mapping[tuple[int, str, str], tuple[int, str]]
) -> list[Draft]:
    """Those that need a number: not stored before, and each only once."""
    return list(
        {draft.once: draft for draft in reversed(wanted) if (room, *draft.once) not in known}.values()
    )[::-1]


def _results(
    room: int,
    wanted: Sequence[Draft],
    places: Mapping[tuple[str, str], tuple[int, str]],
    known: Mapping[tuple[int, str, str], tuple[int, str]],
) -> list[Stored | ChatError]:
    results: list[Stored | ChatError] = []
    first = set(places)
    for draft in wanted:
        seq, fingerprint = places[draft.once] if draft.once in places else known[(room, *draft.once)]
        if fingerprint != draft.fingerprint:
            results.append(
                IdReused("This id belongs to another message; give every message an id of its own.")
            )
        else:
            results.append(Stored(seq, duplicate=draft.once not in first))
            first.discard(draft.once)
    return results


def _known(drafts: Mapping[int, Sequence[Draft]]) -> dict[tuple[int, str, str], tuple[int, str]]:
    """Which of the drafts are stored already, and where."""
    wanted = {(room, *draft.once) for room, several in drafts.items() for draft in several}
    rows = Message.objects.using(_database()).filter(
        room_id__in=drafts.keys(), client_id__in={client_id for _, _, client_id in wanted}
    )
    found = rows.values_list("room_id", "author_key", "client_id", "seq", "fingerprint")
    return {
        (room, key, id_): (seq, mark) for room, key, id_, seq, mark in found if (room, key, id_) in wanted
    }


def _row(room: int, seq: int, draft: Draft, now: datetime) -> Message:
    return Message(
        room_id=room,
        seq=seq,
        rev=seq,
        author_id=draft.author_id,
        author_key=draft.author_key,
        author_name=draft.author_name,
        client_id=draft.client_id,
        kind=draft.kind,
        body=draft.body,
        fingerprint=draft.fingerprint,
        reply_to=draft.reply_to,
        created_at=now,
    )


def _claim(numbers: Mapping[int, int], skip_locked: bool) -> dict[int, tuple[int, str]]:
    """Lock rooms and take so many numbers in each: the new head and the epoch, by room."""
    connection = connections[_database()]
    claim = {"sqlite": _claim_on_sqlite, "postgresql": _claim_on_postgresql}.get(
        connection.vendor, _claim_anywhere
    )
    taken: dict[int, tuple[int, str]] = {}
    for room, head, epoch in claim(connection, numbers, skip_locked):
        taken[room] = head, str(UUID(epoch) if isinstance(epoch, str) else epoch)
    return taken


def _claim_on_sqlite(
    connection: Any, numbers: Mapping[int, int], skip_locked: bool
) -> Iterable[tuple[int, int, Any]]:
    table = RoomLog._meta.db_table
    cases = " ".join(["WHEN %s THEN %s"] * len(numbers))
    marks = ", ".join(["%s"] * len(numbers))
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET head = head + CASE room_id {cases} END, changed_at = %s "  # noqa: S608  (no user's text)
            f"WHERE room_id IN ({marks}) RETURNING room_id, head, epoch",
            [
                *(value for pair in numbers.items() for value in pair),
                connection.ops.adapt_datetimefield_value(timezone.now()),
                *numbers,
            ],
        )
        return cursor.fetchall()  # type: ignore[no-any-return]  # DB-API rows are untyped


def _claim_on_postgresql(
    connection: Any, numbers: Mapping[int, int], skip_locked: bool
) -> Iterable[tuple[int, int, Any]]:
    # Locked in the order of their keys, so that two batches over the same rooms cannot wait for each other.
    table = RoomLog._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} AS log SET head = log.head + mine.n, changed_at = %s FROM ("  # noqa: S608  (no user's text)
            f"SELECT room_id, wanted.n FROM {table} JOIN unnest(%s::bigint[], %s::bigint[]) AS wanted(room_id, n) "
            f"USING (room_id) ORDER BY room_id FOR UPDATE OF {table}{' SKIP LOCKED' if skip_locked else ''}"
            ") AS mine WHERE log.room_id = mine.room_id RETURNING log.room_id, log.head, log.epoch",
            [timezone.now(), list(numbers), list(numbers.values())],
        )
        return cursor.fetchall()  # type: ignore[no-any-return]  # DB-API rows are untyped


def _claim_anywhere(
    connection: Any, numbers: Mapping[int, int], skip_locked: bool
) -> Iterable[tuple[int, int, Any]]:
    logs = RoomLog.objects.using(connection.alias)
    for room in sorted(numbers):
        if logs.filter(pk=room).update(head=F("head") + numbers[room], changed_at=timezone.now()):
            yield room, *logs.values_list("head", "epoch").get(pk=room)


def _wait_for_locks(seconds: float | None) -> None:
    connection = connections[_database()]
    if seconds and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{round(seconds * 1000)}ms"])


def _database() -> str:
    return router.db_for_write(RoomLog)


# Reading --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a room's log: all that changed in ``(prev, head]``, or with *reset* the newest page."""

    room: str
    title: str
    epoch: str
    floor: int
    prev: int
    head: int
    events: list[Event]
    reset: Reset | None = None
    more: bool = False


_FIELDS = (
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
)


def read(name: str, epoch: str, since: int | None, *, limit: int, page: int) -> Slice:
    """What a reader who stands at *since* has missed.

    Args:
        name: the room's canonical name; a room that does not exist is read as an empty one.
        epoch: of the log that *since* counts in. It does not matter at position 0, where nothing was read yet.
        since: the reader's position; ``None`` for a new reader.
        limit: who missed more changes starts over.
        page: messages of the newest page, for those who start over.
    """
    room_id, title, current, head, floor = _log_row(name)
    reset = _reset(epoch, since, current, head, floor)
    if reset is None and since is not None:
        # The head was read first: by the prefix lemma all up to it is visible now, and what was changed
        # meanwhile has a number above it and comes with a later frame.
        changed = _events(
            Message.objects.filter(room_id=room_id, rev__lte=head).changed_since(since)[: limit + 1]
        )
        if len(changed) <= limit:
            return Slice(name, title, current, floor, since, head, changed)
        reset = "gap"
    newest = _events(Message.objects.filter(room_id=room_id, seq__lte=head).before(None)[: page + 1])
    return Slice(
        name, title, current, floor, 0, head, newest[:page][::-1], reset=reset, more=len(newest) > page
    )


def _reset(epoch: str, since: int | None, current: str, head: int, floor: int) -> Reset | None:
    """Why a reader has to start over, if so."""
    if since is None:
        return "new"
    if since and epoch != current:
        return "epoch"
    if since > head:
        return "ahead"
    if since < floor:
        return "floor"
    return None


def tail(name: str, *, changes: int) -> Slice:
    """The last *changes* of a room at most: what a process keeps ready for those who come back soon."""
    room_id, title, current, head, floor = _log_row(name)
    prev = max(floor, head - changes)
    changed = _events(Message.objects.filter(room_id=room_id, rev__lte=head).changed_since(prev))
    return Slice(name, title, current, floor, prev, head, changed)


def _log_row(name: str) -> tuple[int, str, str, int, int]:
    """Key, title, epoch, head and floor of a room; of an empty one (key 0) where there is none."""
    row = (
        RoomLog.objects.using(_database())
        .filter(room__name=name)
        .values_list("room_id", "room__title", "epoch", "head", "floor")
        .first()
    )
    if row is None:
        return 0, "", "", 0, 0
    room_id, title, epoch, head, floor = row
    return room_id, title, str(epoch), head, floor


def page(room: Room, before: int | None, *, limit: int) -> tuple[list[Event], bool]:
    """A page of history, newest first, and whether there is an older one."""
    found = _events(Message.objects.filter(room_id=room.pk).before(before)[: limit + 1])
    return found[:limit], len(found) > limit


def heads(names: Iterable[str]) -> dict[str, tuple[str, int]]:
    """Epoch and head of rooms, by name. Those that do not exist are left out."""
    rows = RoomLog.objects.using(_database()).filter(room__name__in=list(names))
    return {name: (str(epoch), head) for name, epoch, head in rows.values_list("room__name", "epoch", "head")}


def require_message(room_id: int, seq: int) -> None:
    """Raise :class:`NotFound` unless the room has this message."""
    if not Message.objects.using(_database()).filter(room_id=room_id, seq=seq).exists():
        raise NotFound(f"There is no message {seq} in this room to reply to.")


def _events(messages: Any) -> list[Event]:
    return [_event(*row) for row in messages.using(_database()).values_list(*_FIELDS)]


def _event_of(message: Message) -> Event:
    return _event(*(getattr(message, field) for field in _FIELDS))


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
) -> Event:
    return Event(
        seq=seq,
        rev=rev,
        id=client_id,
        kind=kind,
        author=Author(author_key, author_name),
        body=body,
        at=_iso(created_at),
        reply_to=reply_to,
        edited_at=_iso(edited_at) if edited_at else None,
        deleted_at=_iso(deleted_at) if deleted_at else None,
    )


def _iso(moment: datetime) -> str:
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
