"""Message search, in one room or in all rooms that an identity may enter.

There is no separate index. Texts are stored in one table only, so deleted, edited, erased and pruned texts are no longer found,
and search adds no cost to posting. :mod:`~django_roomchat.messages.search_patterns` makes the patterns.

A search scans backwards from the newest message until it has a page of hits or its time is up. The next page continues there.
It consists of short steps, between which a thread can do other work.
On PostgreSQL with a trigram index on the texts, the index is tried first.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.db import OperationalError, connections, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.lookups import Regex
from django.utils.translation import gettext_noop as _

from django_roomchat import policy
from django_roomchat.conf import config
from django_roomchat.database import database, twin
from django_roomchat.errors import Busy
from django_roomchat.files import records
from django_roomchat.identity import Actor, Identity, identity_of
from django_roomchat.log import iso
from django_roomchat.messages import search_index, search_patterns
from django_roomchat.messages.search_cursor import CursorSigner, no_such_cursor
from django_roomchat.models import Membership, Message, Room
from django_roomchat.protocol import Author, Hit
from django_roomchat.rooms.lookup import enter_room, name_of, room_of
from django_roomchat.text import values

HITS = 20
"""Number of hits in one page."""
ROOMS_MAX = 500
"""Maximum number of rooms searched at once. Those with the latest activity are searched."""
EXCERPT_LENGTH = 160
"""Approximate length of an excerpt, in characters."""
NAMES_MAX = 5_000
"""Maximum number of files whose names are searched. The newest are searched."""
STEP = 500
"""Number of messages scanned in the first step."""
STEP_MIN, STEP_MAX = 50, 5_000
STEP_SECONDS = 0.02
"""Time that a step should take, in seconds. Steps become longer and shorter accordingly."""
STATEMENT_SECONDS = 1.0
"""Maximum time of a statement of a step, in seconds (PostgreSQL)."""
WINDOW = 20_000
"""Number of messages among which a step looks for readable ones."""


@dataclass(frozen=True, slots=True)
class SearchResults:
    """A page of search hits."""

    hits: list[Hit]
    """The hits, newest first."""
    before: str
    """Cursor for the next page; empty if all messages were searched. A page without hits can have a next page."""


Steps = Iterator[SearchResults | None]
"""Steps of a search; the last one gives the page of results."""


def search_messages(
    query: str, *, room: str | Room | None = None, by: Actor | None = None, before: str | None = None
) -> SearchResults:
    """Find messages that contain all words of *query* in their text or in the names of their files.

    Words match inside other words. Case, diacritics, Unicode composition and character width are ignored. Quotation marks group
    several words into a phrase.

    Args:
        query: up to 8 words or phrases, up to 200 characters.
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`. ``None`` searches the rooms that *by*
            may enter, which are open rooms and those of which *by* is a member, up to the 500 with the latest activity.
        by: the acting user or identity, which must be allowed to enter *room*. Without one the site searches, in all rooms.
        before: cursor of an earlier page of the same search, to continue from there. A search is the same if *query*, *room* and
            *by* are.

    Returns:
        A page of at most 20 hits, newest first, with the cursor for the next page.

    Raises:
        ChatError: the query is empty or too long, the cursor is not from this search, or *by* may not enter the room.
            Codes: ``bad_room_name``, ``bad_value``, ``banned``, ``busy``, ``forbidden``, ``members_only``,
            ``name_taken``, ``no_permission``, ``no_such_room``, ``sign_in``.
    """
    return result_of(search_steps(query, room=room, by=by, before=before))


asearch_messages = twin(search_messages)


def result_of(steps: Steps, *, rests: bool = False) -> SearchResults:
    """Take all steps of a search in this thread.

    Args:
        steps: the steps.
        rests: whether to rest after each step as long as it took, so that other threads can work.
    """
    while True:
        began = time.monotonic()
        if (found := next(steps)) is not None:
            return found
        if rests:
            time.sleep(time.monotonic() - began)


def search_steps(
    query: str, *, room: str | Room | None = None, by: Actor | None = None, before: str | None = None
) -> Steps:
    """Search in short steps, each of which may run in another thread. The arguments are those of :func:`search_messages`.

    Yields:
        ``None`` after each step; after the last one the page of results.

    Raises:
        ChatError: as :func:`search_messages`.
    """
    who = identity_of(by)
    values.of_type(before or "", str, "“before”")
    phrases = search_patterns.phrases(query)
    if room is None:
        rooms = _rooms_of(who)
    else:
        entered = enter_room(who, name_of(room))
        rooms = [] if entered.pk is None else [entered]
    named = {one.pk: one for one in rooms}
    cursors = CursorSigner(who, "" if room is None else entered.name, query)
    messages = Message.objects.using(database())
    if room is None:
        # An expression, so that no database uses the room index and sorts all messages of the rooms: the newest come first.
        rows = messages.annotate(place=F("room_id") + 0).filter(place__in=list(named)).order_by("-pk")
    else:
        messages = rows = messages.filter(room__in=list(named)).order_by("-seq")
    field = "pk" if room is None else "seq"
    first, end = _ends(messages, field)
    if before:
        end = _before(field, who, *cursors.verify(before))
    compiled = [re.compile(search_patterns.pattern(words)) for words in phrases]
    names = _names(list(named)) if rooms else []
    matching, indexed = Q(), Q()
    for words, one in zip(phrases, compiled, strict=True):
        with_file = _with_file(names, one)
        matching &= _has_match(one.pattern) | with_file
        indexed &= search_index.may_contain(words) | with_file
    rows = rows.filter(deleted_at=None)
    page_of_index = _by_index(rows.filter(**{f"{field}__lt": end}), phrases, matching & indexed)
    for page in _scan(rows, field, first, end, matching) if page_of_index is None else [page_of_index]:
        if page is None:
            yield None
        else:
            found, last = page
            hits = [_hit(message, named[message.room_id], compiled) for message in found]
            yield SearchResults(
                hits, "" if last is None else cursors.sign(named[last.room_id].name, last.seq)
            )


# Scope ------------------------------------------------------------------------------------------------------------


def _rooms_of(who: Identity) -> list[Room]:
    """Return the rooms that *who* may enter: recent open rooms, and other rooms of which *who* is a member."""
    mine = Membership.objects.using(database()).filter(key=who.key).values("room")
    known = Q() if who.is_site else Q(visibility=Room.Visibility.OPEN) | Q(pk__in=mine)
    recent = Room.objects.using(database()).recent().filter(known)[:ROOMS_MAX]
    return [room for room in recent if policy.allows(policy.require_entry, who, room)]


def _before(field: str, who: Identity, name: str, seq: int) -> int:
    """Return the sequence number or the primary key of the message of a cursor. The search continues before it."""
    if field == "seq":
        return seq
    # The rights in that room may have ended since the page was returned.
    there = room_of(name)
    if there.pk is None or not policy.allows(policy.require_entry, who, there):
        raise no_such_cursor()
    # The message of the cursor may have been pruned; the next one gives the same page.
    left = Message.objects.using(database()).filter(room=there, seq__gte=seq).order_by("seq")
    pk: int | None = left.values_list("pk", flat=True).first()
    if pk is None:
        raise no_such_cursor()
    return pk


def _ends(messages: QuerySet[Message], field: str) -> tuple[int, int]:
    """Return the first value of the field, and the one after the last."""
    held = messages.values_list(field, flat=True)
    last = held.order_by(f"-{field}").first()
    return (0, 0) if last is None else (held.order_by(field)[0], last + 1)


# File names -------------------------------------------------------------------------------------------------------


def _names(rooms: list[int]) -> list[tuple[int, int, str]]:
    """Return room, sequence number and name of the newest files in these rooms. Makes one query."""
    sent = records.rows().filter(room_id__in=rooms, seq__isnull=False).order_by("-created_at")
    found: Any = sent.values_list("room_id", "seq", "name")[:NAMES_MAX]
    return list(found)


def _with_file(names: Sequence[tuple[int, int, str]], pattern: re.Pattern[str]) -> Q:
    """Return the condition for messages with a file whose name matches."""
    places: dict[int, set[int]] = {}
    for room, seq, name in names:
        if pattern.search(name):
            places.setdefault(room, set()).add(seq)
    found = Q()
    for room, seqs in places.items():
        found |= Q(room_id=room, seq__in=seqs)
    return found


class _UnicodeRegex(Regex):
    """A regular expression. Django compares bytes on MariaDB, for which a class of letters is a class of bytes."""

    def as_mysql(self, compiler: Any, connection: Any) -> Any:
        left, parameters = self.process_lhs(compiler, connection)
        # Neither the collation of the column nor that of the connection decides on the case.
        return f"{left} REGEXP %s", [*parameters, f"(?-i){self.rhs}"]


def _has_match(pattern: str) -> Q:
    """Return the condition for messages of which the text matches."""
    return Q(_UnicodeRegex(F("body"), pattern))


# Scan -------------------------------------------------------------------------------------------------------------


Page = tuple[list[Message], Message | None]
"""Matching messages, and the last message scanned if there may be more."""


def _scan(rows: QuerySet[Message], field: str, first: int, end: int, matching: Q) -> Iterator[Page | None]:
    """Scan the rows from *end* back to *first*, exclusive and inclusive values of the field. Yield ``None`` after each step."""
    found: list[Message] = []
    deadline = time.monotonic() + config().SEARCH_SECONDS
    size = STEP
    while first < end:
        began = time.monotonic()
        start = max(first, end - max(size, WINDOW))
        window = rows.filter(**{f"{field}__gte": start, f"{field}__lt": end})
        try:
            with _statement_timeout(STATEMENT_SECONDS):
                edge = window.only("seq", "room_id")[size - 1 : size].first()
                step = window if edge is None else window.filter(**{f"{field}__gte": getattr(edge, field)})
                hits = list(step.filter(matching)[: HITS + 1 - len(found)])
        except OperationalError as error:
            if not _is_timeout(error):
                raise
            if size <= STEP_MIN:
                raise _too_slow() from error
            size = STEP_MIN
            continue
        found += hits
        if len(found) > HITS:
            yield found[:HITS], found[HITS - 1]
            return
        end = start if edge is None else getattr(edge, field)
        now = time.monotonic()
        # A cursor names a readable message. If there is none so far, the search continues.
        if now >= deadline and first < end:
            last = edge or window.only("seq", "room_id").last()
            if last is not None:
                yield found, last
                return
        pace = min(2.0, max(0.5, STEP_SECONDS / max(now - began, 1e-6)))
        size = min(STEP_MAX, max(STEP_MIN, int(size * pace)))
        yield None
    yield found, None


@contextmanager
def _statement_timeout(seconds: float) -> Iterator[None]:
    """Limit the statements inside on PostgreSQL. In a transaction only, so that it works behind PgBouncer."""
    connection = connections[database()]
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic(using=database()), connection.cursor() as cursor:
        milliseconds = max(1, round(seconds * 1000))
        setting = "current_setting('statement_timeout'), set_config('statement_timeout', %s, true)"
        cursor.execute(f"SELECT {setting}", [str(milliseconds)])
        earlier = cursor.fetchone()[0]
        yield
        # The transaction may be that of the caller.
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [earlier])


def _is_timeout(error: OperationalError) -> bool:
    return getattr(error.__cause__, "sqlstate", getattr(error.__cause__, "pgcode", None)) == "57014"


def _too_slow() -> Busy:
    return Busy(_("The server is working on many searches; try again in a moment."), retry_after=2.0)


def _by_index(rows: QuerySet[Message], phrases: Iterable[list[str]], matching: Q) -> Page | None:
    """Return a page with the trigram index; ``None`` without one, or if it cannot answer in the time of a search."""
    alias = database()
    if not search_index.exists(alias) or not search_index.can_serve(alias, list(chain(*phrases))):
        return None
    try:
        with _statement_timeout(config().SEARCH_SECONDS):
            found = list(rows.filter(matching)[: HITS + 1])
    except OperationalError:
        return None
    return found[:HITS], found[HITS - 1] if len(found) > HITS else None


# Hits -------------------------------------------------------------------------------------------------------------


def _hit(message: Message, room: Room, patterns: Sequence[re.Pattern[str]]) -> Hit:
    return Hit(
        room=room.name,
        title=room.title,
        seq=message.seq,
        author=Author(message.author_key, message.author_name, guest=values.is_guest(message.author_key)),
        at=iso(message.created_at),
        excerpt=_excerpt(_searchable_text(message), patterns),
    )


def _searchable_text(message: Message) -> str:
    """Return the searchable text of a message: its body and the names of its files."""
    return "\n".join(filter(None, [message.body, *(file["name"] for file in message.data.get("files", ()))]))


def _excerpt(body: str, patterns: Sequence[re.Pattern[str]]) -> list[str]:
    """Return the part of a text around its first hit, as alternating pieces: text between hits, then a hit, and so on."""
    ranges = list(_ranges(body, patterns))
    first = ranges[0][0] if ranges else 0
    start = max(0, min(first - EXCERPT_LENGTH // 4, len(body) - EXCERPT_LENGTH))
    end = start + EXCERPT_LENGTH
    pieces = ["…" if start else ""]
    place = start
    for left, right in ranges:
        if left < end:
            pieces[-1] += body[place:left]
            pieces += [body[left : min(right, end)], ""]
            place = min(right, end)
    pieces[-1] += body[place:end] + ("…" if end < len(body) else "")
    return pieces


def _ranges(body: str, patterns: Sequence[re.Pattern[str]]) -> Iterator[tuple[int, int]]:
    """Yield start and end of the hits in order; hits that touch or overlap are merged."""
    spans = sorted(match.span() for pattern in patterns for match in pattern.finditer(body))
    while spans:
        left, right = spans.pop(0)
        while spans and spans[0][0] <= right:
            right = max(right, spans.pop(0)[1])
        yield left, right
