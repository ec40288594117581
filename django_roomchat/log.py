"""The log of a room: every change gets the next number, and a reader that continues from a revision misses no change.

The update of ``RoomLog.head`` is the first statement of its transaction, and the messages are inserted in the
same transaction.
The row stays locked until the commit is visible, so the commit order is the order of the numbers, and a reader
always sees a prefix of the log without gaps (the prefix lemma).
Database sequences and timestamps lack this property: a reader can see 43, continue from there, and never see 42.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Literal
from uuid import uuid4

from django.db import IntegrityError, connections, transaction
from django.db.models import Count, F, Max, Sum
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext_noop as _
from msgspec import convert, structs

from django_roomchat.counter import Claim, take, wait_at_most
from django_roomchat.database import database
from django_roomchat.errors import ChatError, IdReused, NotFound, RateLimited
from django_roomchat.files import records
from django_roomchat.models import Message, MessageQuerySet, Room, RoomLog
from django_roomchat.protocol import Author, Event, EventData, FileToPost, Quote

QUOTE_LENGTH = 140
"""Maximum length of the quote above a reply, in characters."""
_TABLE = Message._meta.db_table

Reset = Literal["new", "epoch", "floor", "gap", "ahead"]


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that has no sequence number yet."""

    author_id: Any
    author_key: str
    author_name: str
    client_id: str
    kind: Literal["user", "system", "bot"]
    body: str
    reply_to: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of its event, see :func:`_event`."""
    slow_seconds: int = 0
    """Slow mode: the draft is rejected if its author posted in the room within this time, in seconds. 0 turns it off."""
    typed: str = ""
    """Text as typed by the author, if the content filter changed it to ``body``."""
    files: tuple[FileToPost, ...] = ()
    """Files to attach. The draft is rejected if one of them is in another message."""
    once: tuple[str, str] = field(init=False)
    """Author key and client id, which together are unique within a room."""
    fingerprint: str = field(init=False)
    """Digest of the content, which distinguishes a retry from a reused id."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "once", (self.author_key, self.client_id))
        said = f"{self.reply_to}\0{self.typed or self.body}".encode()
        if self.files:
            said += "".join(f"\0{file.id}\0{file.alt}" for file in self.files).encode()
        object.__setattr__(self, "fingerprint", hashlib.blake2b(said, digest_size=16).hexdigest())


@dataclass(frozen=True, slots=True)
class Stored:
    """Sequence number of a draft, allocated now or by an earlier attempt."""

    seq: int
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Appended:
    """Changes that one transaction made to a room. They have the numbers in ``(prev, head]``."""

    epoch: str
    prev: int
    head: int
    events: list[Event]
    results: list[Stored | ChatError]
    """Result of each draft, in the order of the drafts."""


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
            wait_at_most(wait_seconds)
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
        wait_at_most(wait_seconds)
        claims = {room: Claim(0, *rights[room]) for room in drafts}
        locked = take(claims, skip_locked=wait_seconds == 0)
        mine = {room: drafts[room] for room in locked}
        if not mine:
            return {}
        known = _known(mine)
        refused = _too_soon(mine, known)
        return _write(
            mine, known, {}, skip_locked=False, refused=refused | _without_files(mine, known, refused)
        )


Refused = Mapping[tuple[int, str, str], ChatError]
"""Rejections that are decided under the lock, by room, author key and client id."""


def _too_soon(
    drafts: Mapping[int, Sequence[Draft]], known: Mapping[tuple[int, str, str], tuple[int, str]]
) -> dict[tuple[int, str, str], ChatError]:
    """Return rejections for drafts whose author has posted in the room within its slow mode interval, including
    by an earlier draft.
    """
    refused: dict[tuple[int, str, str], ChatError] = {}
    now = timezone.now()
    for room, several in drafts.items():
        slow = {draft.once: draft for draft in several if draft.slow_seconds}
        if not slow:
            continue
        authors = Message.objects.using(database()).filter(
            room_id=room, author_key__in={key for key, _ in slow}
        )
        last = dict(authors.order_by().values_list("author_key").annotate(Max("created_at")))
        for draft in slow.values():
            if (room, *draft.once) in known:
                continue
            before = last.get(draft.author_key)
            wait = draft.slow_seconds - (now - before).total_seconds() if before is not None else 0
            if wait > 0:
                refused[room, *draft.once] = RateLimited(
                    _("Slow mode is on: one message every %(seconds)d seconds."),
                    retry_after=round(wait, 1) + 0.1,
                    seconds=draft.slow_seconds,
                )
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
            without[room, *draft.once] = records.missing()
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
        events = _with_quotes(room, [_event_of_draft(seq, draft, at) for _, seq, draft, _ in placed])
        done[room] = Appended(taken.epoch, prev, taken.head, events, results)
    if rows:
        _insert(rows, now)
        for _, seq, draft, _ in rows:
            if draft.files:
                records.bind(draft.files, seq)
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
        for start in range(0, len(values), at_once):
            some = values[start : start + at_once]
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


def change(
    room: int,
    seq: int,
    make: Callable[[Message], bool],
    *,
    access_version: int | None = None,
    wait_seconds: float | None = None,
) -> Appended | None:
    """Change a message. The change gets the next number.

    Args:
        room: primary key of the room.
        seq: sequence number of the message.
        make: function that changes the locked message. It returns whether it changed anything, or raises an
            exception.
        access_version: access version of the room when the permissions were checked; ``None`` for no condition.
        wait_seconds: time to wait for a locked room, in seconds (PostgreSQL); ``None`` waits without limit.

    Returns:
        The change, with ``head == prev`` if nothing was changed; ``None`` if the access version has changed.

    Raises:
        NotFound: the message does not exist.
    """
    try:
        with transaction.atomic(using=database()):
            wait_at_most(wait_seconds)
            taken = take({room: Claim(1, access_version)}).get(room)
            if taken is None:
                return None
            message = Message.objects.using(database()).filter(room_id=room, seq=seq).first()
            if message is None:
                raise NotFound(_("There is no message %(seq)d in this room."), seq=seq)
            if not make(message):
                raise _Unchanged(Appended(taken.epoch, taken.head - 1, taken.head - 1, [], []))
            _store(message, taken.head, _CHANGEABLE)
            return Appended(
                taken.epoch, taken.head - 1, taken.head, _with_quotes(room, [_event_of_row(message)]), []
            )
    except _Unchanged as unchanged:
        return unchanged.state


def change_many(room: int, seqs: Iterable[int], make: Callable[[Message], bool]) -> Appended | None:
    """Change messages of a room in one transaction. Each change gets a number.

    Args:
        room: primary key of the room.
        seqs: sequence numbers of the messages. Missing messages are skipped.
        make: function that changes a message, as for :func:`change`. It may also change the author.

    Returns:
        The changes; ``None`` if the room was deleted.
    """
    with transaction.atomic(using=database()):
        if not take({room: Claim(0)}):
            return None
        found = Message.objects.using(database()).filter(room_id=room, seq__in=list(seqs)).order_by("seq")
        changed = [message for message in found if make(message)]
        taken = take({room: Claim(len(changed))})[room]
        prev = taken.head - len(changed)
        for rev, message in enumerate(changed, prev + 1):
            _store(message, rev, (*_CHANGEABLE, *_AUTHORSHIP))
        events = _with_quotes(room, [_event_of_row(message) for message in changed])
        return Appended(taken.epoch, prev, taken.head, events, [])


_CHANGEABLE = ("rev", "changes", "body", "edited_at", "deleted_at", "pinned_at", "data")
_AUTHORSHIP = ("author_id", "author_key", "author_name", "client_id", "fingerprint")


def _store(message: Message, rev: int, fields: Sequence[str]) -> None:
    message.rev = rev
    message.changes += 1
    changed = {field: getattr(message, field) for field in fields}
    Message.objects.using(database()).filter(pk=message.pk).update(**changed)


class _Unchanged(Exception):
    """Rolls back the transaction, including the allocated number, which is not needed."""

    def __init__(self, state: Appended) -> None:
        self.state = state


def prune(room: int, through: int) -> int:
    """Delete the messages of a room up to a sequence number.

    The floor rises to their latest revision. Readers below the floor receive the newest page again.

    Args:
        room: primary key of the room.
        through: last sequence number to delete.

    Returns:
        Number of deleted messages.
    """
    with transaction.atomic(using=database()):
        if not take({room: Claim(0)}):
            return 0
        old = Message.objects.using(database()).filter(room_id=room, seq__lte=through)
        sums = old.aggregate(count=Count("pk"), rev=Max("rev"), changes=Sum("changes"))
        if sums["count"]:
            RoomLog.objects.using(database()).filter(pk=room).update(
                floor=Greatest("floor", sums["rev"]),
                pruned_changes=F("pruned_changes") + sums["count"] + sums["changes"],
            )
            old.delete()
            records.release(records.rows().filter(room_id=room, seq__lte=through))
        return int(sums["count"])


def start_new_epoch(room: int) -> None:
    """Give the log of a room a new epoch, for example after restoring a backup. All clients then discard what
    they have and start over.

    Args:
        room: primary key of the room.
    """
    RoomLog.objects.using(database()).filter(pk=room).update(epoch=uuid4())


def audit(log: RoomLog) -> list[str]:
    """Verify the numbering of a room: every number must belong to one change of one message.

    Args:
        log: the log of the room.

    Returns:
        Errors, one sentence each; an empty list if the numbering is correct.
    """
    messages = Message.objects.using(database()).filter(room_id=log.pk)
    sums = messages.aggregate(count=Count("pk"), last=Max("rev"), changes=Sum("changes"))
    accounted = sums["count"] + (sums["changes"] or 0) + log.pruned_changes
    found = []
    if accounted != log.head:
        found.append(f"the head is {log.head}, but {accounted} changes are accounted for")
    if (sums["last"] or 0) > log.head:
        found.append(f"a message has the revision {sums['last']}, above the head {log.head}")
    if log.head > max(sums["last"] or 0, log.floor):
        found.append(f"the last change is {sums['last'] or 0}, below the head {log.head}")
    shared = messages.values("rev").annotate(times=Count("pk")).filter(times__gt=1)
    found += [f"the revision {row['rev']} is on {row['times']} messages" for row in shared]
    untouched = messages.filter(changes=0).exclude(rev=F("seq")).count()
    if untouched:
        found.append(f"{untouched} messages have a new revision without a change")
    return found


# Reading --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Slice:
    """A range of a room's log: all changes in ``(prev, head]``, or with *reset* the newest page."""

    room: str
    title: str
    epoch: str
    floor: int
    prev: int
    head: int
    events: list[Event]
    reset: Reset | None = None
    more: bool = False
    access_version: int = 0


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
    "pinned_at",
    "data",
)


def read(name: str, epoch: str, since: int | None, *, limit: int, page: int) -> Slice:
    """Read the changes after a revision.

    Args:
        name: canonical name of the room. A room that does not exist reads as an empty one.
        epoch: epoch of the log that *since* refers to. It is ignored at revision 0.
        since: revision that the reader has reached; ``None`` for a new reader.
        limit: maximum number of changes. A reader that missed more receives the newest page.
        page: number of messages in the newest page.

    Returns:
        The changes after *since*, or with ``reset`` the newest page.
    """
    log = _log_of(name)
    reset = _reset(epoch, since, log)
    if reset is None and since is not None:
        # The head was read first. By the prefix lemma all changes up to it are visible now; later changes have a
        # number above it and are sent in a later frame.
        changes = Message.objects.filter(room_id=log.pk, rev__lte=log.head).changed_since(since)
        events = _events(log.pk, changes[: limit + 1])
        if since < log.head and since < _floor_now(log):
            reset = "floor"
        elif len(events) <= limit:
            return _slice(name, log, events, prev=since)
        else:
            reset = "gap"
    before = Message.objects.filter(room_id=log.pk, seq__lte=log.head).before(None)
    newest = _events(log.pk, before[: page + 1])
    return _slice(name, log, newest[:page][::-1], prev=0, reset=reset, more=len(newest) > page)


def _reset(epoch: str, since: int | None, log: RoomLog) -> Reset | None:
    """Return the reason why a reader must start over; ``None`` if it need not."""
    if since is None:
        return "new"
    if since and epoch != _epoch(log):
        return "epoch"
    if since > log.head:
        return "ahead"
    if since < log.floor:
        return "floor"
    return None


def tail(name: str, *, changes: int) -> Slice:
    """Read the latest changes of a room, which a process caches for reconnecting clients.

    Args:
        name: canonical name of the room.
        changes: maximum number of changes.

    Returns:
        The changes.
    """
    log = _log_of(name)
    prev = max(log.floor, log.head - changes)
    later = Message.objects.filter(room_id=log.pk, rev__lte=log.head).changed_since(prev)
    changed = _events(log.pk, later)
    if prev < log.head and (floor := _floor_now(log)) > prev:
        prev = min(floor, log.head)
        changed = [event for event in changed if event.rev > prev]
    return _slice(name, log, changed, prev=prev)


def follow(name: str, epoch: str, since: int, *, limit: int) -> Slice:
    """Read the next changes after a revision, for a reader that uses the log as a queue and must not skip any.

    Args:
        name: canonical name of the room. A room that does not exist reads as an empty one.
        epoch: epoch of the log that *since* refers to. It is ignored at revision 0.
        since: revision that the reader has reached.
        limit: maximum number of changes.

    Returns:
        The changes; ``more`` states whether there are further ones. With ``reset`` ``floor``, changes between
        ``prev`` and ``head`` were pruned, and the events are the remaining ones. With ``epoch`` or ``ahead``,
        the log is another one, and the events are its newest messages, as in :func:`read`.
    """
    log = _log_of(name)
    reset = _reset(epoch, since, log)
    if reset not in (None, "floor"):
        return read(name, epoch, since, limit=limit, page=limit)
    changes = Message.objects.filter(room_id=log.pk, rev__lte=log.head).changed_since(since)
    events = _events(log.pk, changes[: limit + 1])
    head = log.head
    if more := len(events) > limit:
        events = events[:limit]
        log.head = events[-1].rev
    if since < head and since < _floor_now(log):
        reset = "floor"
    return _slice(name, log, events, prev=since, reset=reset, more=more)


def _floor_now(log: RoomLog) -> int:
    """Read the floor again after the rows: changes pruned between the two statements are in neither of them."""
    found = RoomLog.objects.using(database()).filter(pk=log.pk).values_list("floor", flat=True).first()
    log.floor = found or 0
    return log.floor


def _log_of(name: str) -> RoomLog:
    """Return the log of a room; an empty one without a ``pk`` if the room does not exist."""
    found = RoomLog.objects.using(database()).filter(room__name=name).select_related("room").first()
    return found or RoomLog(room=Room(), epoch="")


def _slice(
    name: str, log: RoomLog, events: list[Event], *, prev: int, reset: Reset | None = None, more: bool = False
) -> Slice:
    return Slice(
        room=name,
        title=log.room.title,
        epoch=_epoch(log),
        floor=log.floor,
        prev=prev,
        head=log.head,
        access_version=log.access_version,
        events=events,
        reset=reset,
        more=more,
    )


def _epoch(log: RoomLog) -> str:
    return str(log.epoch) if log.epoch else ""


def page(room: Room, before: int | None, *, limit: int) -> tuple[list[Event], bool]:
    """Read a page of history.

    Args:
        room: the room.
        before: sequence number before which the page ends; ``None`` for the newest page.
        limit: maximum number of messages.

    Returns:
        The events, newest first, and whether there are older ones.
    """
    found = _events(room.pk, Message.objects.filter(room_id=room.pk).before(before)[: limit + 1])
    return found[:limit], len(found) > limit


def pinned(room: Room, *, limit: int) -> list[Event]:
    """Read the pinned messages of a room.

    Args:
        room: the room.
        limit: maximum number of messages.

    Returns:
        The events, the latest pin first.
    """
    found = Message.objects.filter(room_id=room.pk, pinned_at__isnull=False)
    return _events(room.pk, found.order_by("-pinned_at", "-seq")[:limit])


def page_after(room: Room, after: int, *, limit: int) -> tuple[list[Event], bool]:
    """Read the page of history that follows a sequence number.

    Args:
        room: the room.
        after: the sequence number.
        limit: maximum number of messages.

    Returns:
        The events, newest first, and whether there are newer ones.
    """
    later = Message.objects.filter(room_id=room.pk, seq__gt=after).order_by("seq")
    found = _events(room.pk, later[: limit + 1])
    return found[:limit][::-1], len(found) > limit


@dataclass(frozen=True, slots=True)
class State:
    """Current epoch, head and access version of a room's log."""

    epoch: str = ""
    head: int = 0
    access_version: int = 0


def states(names: Iterable[str]) -> dict[str, State]:
    """Read the current states of rooms in one query.

    Args:
        names: canonical names of the rooms.

    Returns:
        States by room name. Rooms that do not exist are omitted.
    """
    rows = RoomLog.objects.using(database()).filter(room__name__in=list(names))
    found = rows.values_list("room__name", "epoch", "head", "access_version")
    return {name: State(str(epoch), head, version) for name, epoch, head, version in found}


def quotes(room_id: int, places: Iterable[int]) -> dict[int, Quote]:
    """Read the quotes of messages for their replies, in one query.

    Args:
        room_id: primary key of the room.
        places: sequence numbers of the quoted messages.

    Returns:
        Quotes by sequence number.
    """
    rows = Message.objects.using(database()).filter(room_id=room_id, seq__in=set(places))
    found = rows.values_list("seq", "author_name", "body", "deleted_at", "data__files")
    return {
        seq: Quote(seq, name, records.summary(body, sent)[:QUOTE_LENGTH], deleted is not None)
        for seq, name, body, deleted, sent in found
    }


def _events(room_id: int | None, messages: MessageQuerySet) -> list[Event]:
    if room_id is None:
        return []
    return _with_quotes(room_id, [_event(*row) for row in messages.using(database()).values_list(*_FIELDS)])


def _with_quotes(room_id: int, events: list[Event]) -> list[Event]:
    answered = {event.reply_to for event in events if event.reply_to is not None}
    if not answered:
        return events
    quoted = quotes(room_id, answered)
    return [
        event if event.reply_to is None else structs.replace(event, quote=quoted.get(event.reply_to))
        for event in events
    ]


def _event_of_draft(seq: int, draft: Draft, at: str) -> Event:
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


def _event_of_row(message: Message) -> Event:
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
    return Author(key, name, data.get("avatar", ""), data.get("link", "")) if data else Author(key, name)


def _extras(data: Mapping[str, Any]) -> dict[str, Any]:
    if not data:
        return {}
    extras = {key: data[key] for key in _EXTRAS if key in data}
    if sent := extras.get("files"):
        extras["files"] = records.shown(sent)
    if reactions := extras.get("reactions"):
        # PostgreSQL sorts the keys of JSON objects, so each reaction stores its position.
        extras["reactions"] = dict(sorted(reactions.items(), key=lambda one: one[1].get("place", 0)))
    # Validated by the Struct, so that rows written by other code cannot send arbitrary data to clients.
    return structs.asdict(convert(extras, EventData))


_EXTRAS = EventData.__struct_fields__


def iso(moment: datetime) -> str:
    """Format a datetime for the wire: ISO 8601, UTC, milliseconds."""
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
