"""Finding what was said, in one room or in all that somebody may enter.

There is no index. A message stands in one place only, so whatever is deleted, edited, erased or pruned is not found any more,
and a post costs nothing for being findable. The database compares texts by a pattern that spells out every letter's other forms:
SQLite, and PostgreSQL in the locale ``C``, know upper and lower case of English letters only.

A search goes back from the newest message until it has a page of hits or its time is up, and goes on from there when asked again.
Where PostgreSQL has a trigram index on the texts, that finds them first.
"""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from asgiref.sync import sync_to_async
from django.db import DatabaseError, connections, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_noop as _

from django_roomchat import files, policy
from django_roomchat.actions import enter_room
from django_roomchat.conf import config
from django_roomchat.counter import database
from django_roomchat.errors import BadValue, ChatError
from django_roomchat.identity import Identity
from django_roomchat.models import Membership, Message, MessageQuerySet, Room
from django_roomchat.protocol import Author, Hit

QUERY_MAX_LENGTH = 200
WORDS_MAX = 8
HITS = 20
"""On a page."""
ROOMS_MAX = 500
"""Rooms that are searched at once: those with the latest activity."""
EXCERPT_LENGTH = 160
"""Characters of a message that are shown, about."""
NAMES_MAX = 5_000
"""Files whose names are looked through: the newest."""
STEP = 5_000
"""Messages that are looked through at a time, before the clock is looked at."""

_WIDE = re.compile("[\u3000\uff00-\uffef]+")
_PHRASES = re.compile(r'"([^"]*)"|(\S+)')
_CURSOR = re.compile(r"(\d{1,16})@(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Found:
    """A page of hits."""

    hits: list[Hit]
    """Newest first."""
    before: str
    """Ask with this for the next page; empty if everything was looked through. There may be more even where there are no hits."""


def search_messages(
    who: Identity, query: str, room: str | Room | None = None, before: str | None = None
) -> Found:
    """Find messages that contain all words of *query*, in their text or the names of their files, newest first.

    Words are found inside of others, whatever their case, composition and width. Quotes keep several words together.

    Args:
        who: searches. Only what they may read is found.
        query: the words, up to 200 characters.
        room: its name, however typed, or the room; ``None`` for all rooms that they may enter: open ones and those that they
            belong to, the 500 with the latest activity.
        before: from an earlier page, to go on.

    Raises:
        ChatError: there is nothing to search for, or they may not enter the room.
    """
    patterns = _patterns(query)
    if room is None:
        rooms = _rooms_of(who)
    else:
        entered = enter_room(who, room.name if isinstance(room, Room) else room)
        rooms = [] if entered.pk is None else [entered]
    named = {one.pk: one for one in rooms}
    messages = Message.objects.using(database()).filter(deleted_at=None)
    if room is None:
        # Summed up, so that no database begins with the rooms' index and sorts all that is in them: the newest come first.
        rows = messages.annotate(place=F("room_id") + 0).filter(place__in=list(named)).order_by("-pk")
    else:
        rows = messages.filter(room__in=list(named)).order_by("-seq")
    order = "-pk" if room is None else "-seq"
    if before:
        rows = _before(rows, order, before)
    compiled = [re.compile(pattern) for pattern in patterns]
    names = _names(list(named)) if rooms else []
    matching = Q()
    for pattern, one in zip(patterns, compiled, strict=True):
        matching &= Q(body__regex=pattern) | _with_file(names, one)
    found, last = _look(rows, order, matching) if rooms else ([], None)
    hits = [_hit(message, named[message.room_id], compiled) for message in found]
    return Found(hits, f"{last.seq}@{named[last.room_id].name}" if last is not None else "")


async def asearch_messages(
    who: Identity, query: str, room: str | Room | None = None, before: str | None = None
) -> Found:
    """See :func:`search_messages`."""
    return await sync_to_async(search_messages)(who, query, room, before)


# Where ------------------------------------------------------------------------------------------------------------


def _rooms_of(who: Identity) -> list[Room]:
    """The rooms that *who* may enter, as far as they can know of them: private rooms are those of their memberships."""
    mine = Membership.objects.using(database()).filter(key=who.key).values("room")
    known = Q(visibility=Room.Visibility.OPEN) | Q(pk__in=mine)
    recent = Room.objects.using(database()).recent().filter(known)[:ROOMS_MAX]
    return [room for room in recent if _may_enter(who, room)]


def _may_enter(who: Identity, room: Room) -> bool:
    try:
        policy.require_entry(who, room)
    except ChatError:
        return False
    return True


def _before(rows: MessageQuerySet, order: str, cursor: str) -> MessageQuerySet:
    """Those before the place where a page ended. It names a message that was readable, not a number that counts everybody's."""
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise BadValue(_("“before” must be the cursor of an earlier page of results, or empty."))
    seq, name = int(match[1]), match[2]
    if order == "-seq":
        return rows.filter(seq__lt=seq)
    there = Message.objects.using(database()).filter(room__name=name)
    # What stood there may have been pruned; the next message is as good.
    pk = there.filter(seq__gte=seq).order_by("seq").values_list("pk", flat=True).first()
    return rows if pk is None else rows.filter(pk__lt=pk)


# What -------------------------------------------------------------------------------------------------------------


def _patterns(query: str) -> list[str]:
    """A pattern for each word, understood by Python, PostgreSQL, MySQL and MariaDB alike.

    Raises:
        BadValue: there is nothing to search for, or too much.
    """
    if len(query) > QUERY_MAX_LENGTH:
        raise BadValue(_("A search can have at most %(most)d characters."), most=QUERY_MAX_LENGTH)
    phrases = [quoted or word for quoted, word in _PHRASES.findall(query.replace("\0", " "))]
    patterns = [
        r"\s+".join(_pattern(word) for word in words)
        for phrase in phrases
        if (words := _fold(phrase).split())
    ]
    if not patterns:
        raise BadValue(_("Enter something to search for."))
    if len(patterns) > WORDS_MAX:
        raise BadValue(_("A search can have at most %(most)d words."), most=WORDS_MAX)
    return patterns


def _pattern(word: str) -> str:
    spellings, longest = _spellings()
    pieces = []
    place = 0
    while place < len(word):
        for length in range(longest, 0, -1):
            piece = word[place : place + length]
            if length == 1 or piece in spellings:
                break
        pieces.append(_any_of(piece, spellings.get(piece, ())))
        place += len(piece)
    return "".join(pieces)


def _any_of(piece: str, spellings: Sequence[str]) -> str:
    # Alternatives, not a class in brackets: MariaDB compares bytes.
    letters = "".join(_any_of(one, _spellings()[0].get(one, ())) for one in piece) if len(piece) > 1 else ""
    choices = [letters] if letters else [_literal(piece)]
    choices += [_literal(spelling) for spelling in spellings if spelling != piece]
    return choices[0] if len(choices) == 1 else f"(?:{'|'.join(choices)})"


def _literal(character: str) -> str:
    return f"\\{character}" if character.isascii() and not character.isalnum() else character


def _fold(text: str) -> str:
    """The same for all that is written the same but for case, composition and width."""
    narrow = _WIDE.sub(lambda run: unicodedata.normalize("NFKC", run[0]), text)
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", narrow).casefold())


@cache
def _spellings() -> tuple[dict[str, list[str]], int]:
    """What stands in texts for what :func:`_fold` makes of it, and the longest of these: ``K`` for ``k``, ``ß`` for ``ss``."""
    found: dict[str, list[str]] = {}
    written = [chr(number) for number in range(0x20000)]
    # Half-width katakana have their voice marks beside them.
    written += [chr(number) + mark for number in range(0xFF66, 0xFF9E) for mark in "ﾞﾟ"]
    for one in written:
        folded = _fold(one)
        if folded != one and (len(one) == 1 or len(folded) == 1):
            found.setdefault(folded, []).append(one)
    return found, max(map(len, found))


def _names(rooms: list[int]) -> list[tuple[int, int, str]]:
    """The names of the newest files in rooms, with their rooms and places. One query."""
    sent = files.rows().filter(room_id__in=rooms, seq__isnull=False).order_by("-created_at")
    found: Any = sent.values_list("room_id", "seq", "name")[:NAMES_MAX]
    return list(found)


def _with_file(names: Sequence[tuple[int, int, str]], pattern: re.Pattern[str]) -> Q:
    """The messages with a file that is called so."""
    places: dict[int, set[int]] = {}
    for room, seq, name in names:
        if pattern.search(name):
            places.setdefault(room, set()).add(seq)
    found = Q()
    for room, seqs in places.items():
        found |= Q(room_id=room, seq__in=seqs)
    return found


# How --------------------------------------------------------------------------------------------------------------


def _look(rows: MessageQuerySet, order: str, matching: Q) -> tuple[list[Message], Message | None]:
    """A page of matching messages, and the last one that was looked at if there may be more."""
    if (found := _by_trigrams(rows, matching)) is not None:
        return found[:HITS], found[HITS - 1] if len(found) > HITS else None
    found = []
    ends = time.monotonic() + config().SEARCH_SECONDS
    field = order.removeprefix("-")
    while True:
        edge = rows.only("seq", "room_id")[STEP - 1 : STEP].first()
        step = rows if edge is None else rows.filter(**{f"{field}__gte": getattr(edge, field)})
        found += step.filter(matching)[: HITS + 1 - len(found)]
        if len(found) > HITS:
            return found[:HITS], found[HITS - 1]
        if edge is None:
            return found, None
        if time.monotonic() >= ends:
            return found, edge
        rows = rows.filter(**{f"{field}__lt": getattr(edge, field)})


def _by_trigrams(rows: MessageQuerySet, matching: Q) -> list[Message] | None:
    """The same from PostgreSQL's index, if there is one and it is quick; its time is that of a search."""
    connection = connections[database()]
    if connection.vendor != "postgresql" or not _has_trigrams(connection.alias):
        return None
    try:
        with transaction.atomic(using=database()), connection.cursor() as cursor:
            milliseconds = max(1, round(config().SEARCH_SECONDS * 1000))
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(milliseconds)])
            found = list(rows.filter(matching)[: HITS + 1])
            cursor.execute("SELECT set_config('statement_timeout', '0', true)")
            return found
    except DatabaseError:
        return None


def _has_trigrams(alias: str) -> bool:
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_indexes WHERE tablename = %s AND indexdef LIKE %s)",
            [Message._meta.db_table, "%(body%gin_trgm_ops%"],
        )
        return bool(cursor.fetchone()[0])


# Shown ------------------------------------------------------------------------------------------------------------


def _hit(message: Message, room: Room, patterns: Sequence[re.Pattern[str]]) -> Hit:
    return Hit(
        room=room.name,
        title=room.title,
        seq=message.seq,
        author=Author(message.author_key, message.author_name),
        at=_utc(message.created_at),
        excerpt=_excerpt(_told(message), patterns),
    )


def _told(message: Message) -> str:
    """The text of a message and the names of its files."""
    return "\n".join(filter(None, [message.body, *(file["name"] for file in message.data.get("files", ()))]))


def _utc(moment: datetime) -> str:
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _excerpt(body: str, patterns: Sequence[re.Pattern[str]]) -> list[str]:
    """The part of a text around its first hit, in pieces: what stands between hits and, every second one, a hit."""
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
    """Where hits begin and end, in order; those that touch are one."""
    spans = sorted(match.span() for pattern in patterns for match in pattern.finditer(body))
    while spans:
        left, right = spans.pop(0)
        while spans and spans[0][0] <= right:
            right = max(right, spans.pop(0)[1])
        yield left, right
