"""The log of a room: every change gets the next number, and a reader that continues from a revision misses no change.

The update of ``RoomLog.head`` is the first statement of its transaction, and the messages are inserted in the
same transaction.
The row stays locked until the commit is visible, so the commit order is the order of the numbers, and a reader
always sees a prefix of the log without gaps (the prefix lemma).
Database sequences and timestamps lack this property: a reader can see 43, continue from there, and never see 42.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from django.db import IntegrityError, connections, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from django_roomchat.database import batches, database
from django_roomchat.errors import ChatError, IdReused
from django_roomchat.files import records
from django_roomchat.log.drafts import Appended, Draft, Stored
from django_roomchat.log.events import event_of_draft, iso, with_quotes
from django_roomchat.log.sequence import Claim, set_lock_timeout, take
from django_roomchat.log.slow_mode import last_written, too_soon
from django_roomchat.models import Message

_TABLE = Message._meta.db_table


def append(
    drafts: Mapping[int, Sequence[Draft]],
    *,
    access_versions: Mapping[int, int] | None = None,
    epochs: Mapping[int, str] | None = None,
    wait_seconds: float | None = None,
) -> dict[int, Appended]:
    """Allocate sequence numbers for drafts and store them, for any number of rooms in one transaction.

    Args:
        drafts: drafts by the primary key of the room, in the order in which they are to be numbered.
        access_versions: access versions of the rooms when the permissions were checked. A room whose version
            has changed is omitted from the result.
        epochs: epochs of the rooms, if they were looked up earlier. A room whose epoch has changed is omitted
            from the result.
        wait_seconds: time to wait for rooms that another transaction has locked, in seconds (PostgreSQL).
            ``None`` waits without limit, 0 omits locked rooms from the result, and any other timeout fails when
            it expires.

    Returns:
        Changes by the primary key of the room. They are durable when the outermost transaction is committed.

    Raises:
        IntegrityError: referenced rows were deleted.
        OperationalError: the timeout *wait_seconds* expired.
    """
    rights = {room: ((access_versions or {}).get(room), (epochs or {}).get(room)) for room in drafts}
    skip_locked = wait_seconds == 0
    if any(draft.slow_seconds or draft.files for several in drafts.values() for draft in several):
        return _append_looking(drafts, rights, wait_seconds)
    try:
        with transaction.atomic(using=database()):
            set_lock_timeout(wait_seconds)
            return _write(drafts, {}, rights, skip_locked)
    except IntegrityError:
        # Most likely a client retried a post. The rollback has also released the number
        # (INSERT … ON CONFLICT DO NOTHING would leave a gap in the log). Find the stored post under the lock.
        return _append_looking(drafts, rights, wait_seconds)


def _append_looking(
    drafts: Mapping[int, Sequence[Draft]],
    rights: Mapping[int, tuple[int | None, str | None]],
    wait_seconds: float | None,
) -> dict[int, Appended]:
    """Lock the rooms, and number only the drafts that are neither stored yet nor rejected."""
    with transaction.atomic(using=database()):
        set_lock_timeout(wait_seconds)
        claims = {room: Claim(0, *rights[room]) for room in drafts}
        locked = take(claims, skip_locked=wait_seconds == 0)
        mine = {room: drafts[room] for room in locked}
        if not mine:
            return {}
        known = _known(mine)
        refused = _slowed(mine, known)
        return _write(
            mine, known, {}, skip_locked=False, refused=refused | _without_files(mine, known, refused)
        )


Refused = Mapping[tuple[int, str, str], ChatError]
"""Rejections that are decided under the lock, by room, author key and client id."""


def _slowed(
    drafts: Mapping[int, Sequence[Draft]], known: Mapping[tuple[int, str, str], tuple[int, str]]
) -> dict[tuple[int, str, str], ChatError]:
    """Return rejections for drafts whose author has posted or edited in the room within its slow mode interval,
    including by an earlier draft.
    """
    refused: dict[tuple[int, str, str], ChatError] = {}
    now = timezone.now()
    for room, several in drafts.items():
        slow = {draft.once: draft for draft in several if draft.slow_seconds}
        if not slow:
            continue
        last = last_written(room, {key for key, _ in slow})
        for draft in slow.values():
            if (room, *draft.once) in known:
                continue
            refusal = too_soon(draft.slow_seconds, last.get(draft.author_key), now)
            if refusal is not None:
                refused[room, *draft.once] = refusal
            else:
                last[draft.author_key] = now
    return refused


def _without_files(
    drafts: Mapping[int, Sequence[Draft]],
    known: Mapping[tuple[int, str, str], tuple[int, str]],
    refused: Refused,
) -> dict[tuple[int, str, str], ChatError]:
    """Return rejections for drafts with a file that was deleted or is in another message, including that of an
    earlier draft.
    """
    wanted = [
        (room, draft)
        for room, several in drafts.items()
        for draft in _fresh(room, several, known)
        if draft.files and (room, *draft.once) not in refused
    ]
    if not wanted:
        return {}
    free = records.lock_unsent(file.id for _, draft in wanted for file in draft.files)
    without: dict[tuple[int, str, str], ChatError] = {}
    for room, draft in wanted:
        theirs = [free.get(file.id) for file in draft.files]
        if all(one in ((room, ""), (room, draft.client_id)) for one in theirs):
            for file in draft.files:
                del free[file.id]
        else:
            without[room, *draft.once] = records.file_missing()
    return without


def _write(
    drafts: Mapping[int, Sequence[Draft]],
    known: Mapping[tuple[int, str, str], tuple[int, str]],
    rights: Mapping[int, tuple[int | None, str | None]],
    skip_locked: bool,
    refused: Refused = {},  # noqa: B006  (only read)
) -> dict[int, Appended]:
    fresh = {
        room: [draft for draft in _fresh(room, wanted, known) if (room, *draft.once) not in refused]
        for room, wanted in drafts.items()
    }
    claims = {room: Claim(len(new), *rights.get(room, ())) for room, new in fresh.items()}
    now = timezone.now()
    at = iso(now)
    rows: list[Row] = []
    done = {}
    for room, taken in take(claims, skip_locked=skip_locked).items():
        new, prev = fresh[room], taken.head - len(fresh[room])
        placed = [(room, seq, draft, draft.fingerprint) for seq, draft in enumerate(new, prev + 1)]
        rows += placed
        places = {draft.once: (seq, fingerprint) for _, seq, draft, fingerprint in placed}
        results = _results(room, drafts[room], places, known, refused)
        # Read under the lock, so that a message deleted before this number is not quoted after it.
        events = with_quotes(room, [event_of_draft(seq, draft, at) for _, seq, draft, _ in placed])
        done[room] = Appended(taken.epoch, prev, taken.head, events, results)
    if rows:
        _insert(rows, now)
        for _, seq, draft, _ in rows:
            if draft.files:
                records.attach(draft.files, seq)
    return done


Row = tuple[int, int, Draft, str]
"""A numbered draft: room, sequence number, draft and fingerprint."""

_INSERTED = (
    "room",
    "seq",
    "rev",
    "changes",
    "author",
    "author_key",
    "author_name",
    "client_id",
    "kind",
    "body",
    "fingerprint",
    "reply_to",
    "created_at",
    "data",
)


def _insert(rows: Sequence[Row], now: datetime) -> None:
    """Insert messages in a quarter of the time of ``bulk_create``. The rooms are locked meanwhile."""
    connection = connections[database()]
    fields: dict[str, Any] = {name: Message._meta.get_field(name) for name in _INSERTED}
    columns = ", ".join(connection.ops.quote_name(field.column) for field in fields.values())
    created_at = fields["created_at"].get_db_prep_save(now, connection)
    no_data = fields["data"].get_db_prep_save({}, connection)
    values = [
        (
            room,
            seq,
            seq,
            0,
            fields["author"].get_db_prep_save(draft.author_id, connection),
            draft.author_key,
            draft.author_name,
            draft.client_id,
            draft.kind,
            draft.body,
            fingerprint,
            draft.reply_to,
            created_at,
            fields["data"].get_db_prep_save(dict(draft.data), connection) if draft.data else no_data,
        )
        for room, seq, draft, fingerprint in rows
    ]
    one = f"({', '.join(['%s'] * len(_INSERTED))})"
    at_once = (connection.features.max_query_params or 60_000) // len(_INSERTED)
    with connection.cursor() as cursor:
        for some in batches(values, at_once):
            cursor.execute(
                f"INSERT INTO {_TABLE} ({columns}) VALUES {', '.join([one] * len(some))}",  # noqa: S608  (contains no user input)
                list(chain.from_iterable(some)),
            )


def _fresh(
    room: int, wanted: Sequence[Draft], known: Mapping[tuple[int, str, str], tuple[int, str]]
) -> list[Draft]:
    """Return the drafts that need a number: not stored before, each one once."""
    fresh: dict[tuple[str, str], Draft] = {}
    for draft in wanted:
        if (room, *draft.once) not in known:
            fresh.setdefault(draft.once, draft)
    return list(fresh.values())


def _results(
    room: int,
    wanted: Sequence[Draft],
    places: Mapping[tuple[str, str], tuple[int, str]],
    known: Mapping[tuple[int, str, str], tuple[int, str]],
    refused: Refused,
) -> list[Stored | ChatError]:
    results: list[Stored | ChatError] = []
    first = set(places)
    for draft in wanted:
        if refused and (room, *draft.once) in refused:
            results.append(refused[room, *draft.once])
            continue
        seq, fingerprint = places[draft.once] if draft.once in places else known[(room, *draft.once)]
        if fingerprint != draft.fingerprint:
            results.append(
                IdReused(_("This id is already used by another message; give every message its own id."))
            )
        else:
            results.append(Stored(seq, duplicate=draft.once not in first))
            first.discard(draft.once)
    return results


def _known(drafts: Mapping[int, Sequence[Draft]]) -> dict[tuple[int, str, str], tuple[int, str]]:
    """Return the sequence numbers and fingerprints of drafts that are stored already."""
    wanted = {(room, *draft.once) for room, several in drafts.items() for draft in several}
    rows = Message.objects.using(database()).filter(
        room_id__in=drafts.keys(), client_id__in={client_id for _, _, client_id in wanted}
    )
    found = rows.values_list("room_id", "author_key", "client_id", "seq", "fingerprint")
    return {
        (room, key, id_): (seq, mark) for room, key, id_, seq, mark in found if (room, key, id_) in wanted
    }
