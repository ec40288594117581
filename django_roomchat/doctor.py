"""What works, found out by trying it: a message through the database, and one through the channel layer and back."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connections

from django_roomchat import bus, log
from django_roomchat.actions import canonical_name, ensure_room
from django_roomchat.conf import config
from django_roomchat.counter import database
from django_roomchat.models import Room

WELL, SLOW, WRONG = "well", "mind", "wrong"
TRY_SECONDS = 5.0
SLOW_COMMIT_SECONDS = 0.05
SLOW_LAYER_SECONDS = 0.02
TIMES = 5
"""The median of so many tries is told."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Finding:
    state: str
    about: str
    advice: str = ""


def examine() -> Iterator[Finding]:
    """Try everything. Rooms, messages and numbers are afterwards as they were."""
    yield from _examine_database()
    yield from _examine_durability()
    yield from _examine_layer()
    yield from _examine_origins()


def _examine_database() -> Iterator[Finding]:
    name = canonical_name(f"doctor {uuid.uuid4().hex}")
    try:
        seconds = sorted(_post_and_delete(name) for _ in range(TIMES))[TIMES // 2]
    except DatabaseError as error:
        yield Finding(WRONG, f"The database does not take messages: {error}", "Did you run migrate?")
        return
    vendor = connections[database()].display_name
    if seconds > SLOW_COMMIT_SECONDS:
        advice = "A lone message waits so long for its ack. Is the disk slow, or the database far away?"
        yield Finding(SLOW, f"{vendor} stores a message in {seconds * 1000:.1f} ms.", advice)
    else:
        yield Finding(WELL, f"{vendor} stores a message in {seconds * 1000:.1f} ms.")


def _post_and_delete(name: str) -> float:
    """Seconds from a post to its commit. The room goes again, and with it its message."""
    room = ensure_room(Room(name=name, title=name))
    try:
        began = time.perf_counter()
        drafts = {room.pk: [log.Draft(None, "site:doctor", "doctor", uuid.uuid4().hex, "system", "ping")]}
        log.append(drafts)
        return time.perf_counter() - began
    finally:
        Room.objects.using(database()).filter(pk=room.pk).delete()


def _examine_durability() -> Iterator[Finding]:
    connection = connections[database()]
    try:
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                yield from _examine_postgresql(cursor)
            elif connection.vendor == "sqlite":
                yield from _examine_sqlite(connection, cursor)
    except DatabaseError as error:
        yield Finding(WRONG, f"The database's settings cannot be read: {error}")


def _examine_postgresql(cursor: Any) -> Iterator[Finding]:
    cursor.execute("SELECT current_setting('synchronous_commit'), current_setting('fsync')")
    commit, fsync = cursor.fetchone()
    if commit == "off" or fsync == "off":
        about = f"PostgreSQL acknowledges before it has written (synchronous_commit={commit}, fsync={fsync})."
        yield Finding(
            WRONG, about, "After a power cut, messages that were acknowledged are gone: turn both on."
        )
    else:
        yield Finding(WELL, f"What is acknowledged is on PostgreSQL's disk (synchronous_commit={commit}).")


def _examine_sqlite(connection: Any, cursor: Any) -> Iterator[Finding]:
    cursor.execute("PRAGMA journal_mode")
    [journal] = cursor.fetchone()
    cursor.execute("PRAGMA synchronous")
    [synchronous] = cursor.fetchone()
    if journal != "wal":
        advice = 'OPTIONS: {"init_command": "PRAGMA journal_mode=WAL;"}'
        yield Finding(SLOW, f"SQLite's journal is {journal}: readers wait for writers.", advice)
    if synchronous < 2:
        about = "A power cut may take SQLite's last acknowledged messages (synchronous is below FULL)."
        yield Finding(
            SLOW,
            about,
            'A crash of the process does not. OPTIONS: {"init_command": "PRAGMA synchronous=FULL;"}',
        )
    else:
        yield Finding(WELL, "What is acknowledged is on SQLite's disk (synchronous=FULL).")
    if getattr(connection, "transaction_mode", None) != "IMMEDIATE":
        about = "SQLite's transactions are deferred: those that read first and then write fail when another writes."
        yield Finding(SLOW, about, 'OPTIONS: {"transaction_mode": "IMMEDIATE", "timeout": 20}')


def _examine_layer() -> Iterator[Finding]:
    try:
        alias = bus.layer_alias("lobby")
        layer: Any = get_channel_layer(alias)
        seconds = sorted(async_to_sync(_round_trips)(layer))[TIMES // 2]
    except Exception as error:
        advice = "The chat works without it, but other processes hear of a message only when they next poll."
        yield Finding(WRONG, f"The channel layer does not deliver: {error!r}", advice)
        return
    kind = type(layer).__name__
    if seconds > SLOW_LAYER_SECONDS:
        yield Finding(
            SLOW,
            f"The channel layer {alias!r} ({kind}) delivers in {seconds * 1000:.1f} ms.",
            "Is it far away?",
        )
    else:
        yield Finding(WELL, f"The channel layer {alias!r} ({kind}) delivers in {seconds * 1000:.1f} ms.")
    if kind == "InMemoryChannelLayer":
        about = f"The channel layer {alias!r} is of this process only; with several, the others poll the database."
        yield Finding(SLOW, about, "With more than one process use channels-redis.")
    capacity = getattr(layer, "capacity", None)
    if isinstance(capacity, int) and capacity < 1000:
        about = f"The channel layer {alias!r} holds {capacity} messages for each process, and drops the next ones."
        yield Finding(
            SLOW, about, 'Nothing is lost, but late until the next poll. CONFIG: {"capacity": 5000}'
        )


async def _round_trips(layer: Any) -> list[float]:
    return [await _in_time(_round_trip(layer)) for _ in range(TIMES)]


async def _round_trip(layer: Any) -> float:
    channel, group = await layer.new_channel("roomchat-doctor"), f"chat.doctor.{uuid.uuid4().hex}"
    await layer.group_add(group, channel)
    try:
        began = time.perf_counter()
        await layer.group_send(group, {"type": "roomchat.doctor"})
        await layer.receive(channel)
        return time.perf_counter() - began
    finally:
        await layer.group_discard(group, channel)


async def _in_time(work: Awaitable[T]) -> T:
    return await asyncio.wait_for(work, TRY_SECONDS)


def _examine_origins() -> Iterator[Finding]:
    if settings.SECURE_PROXY_SSL_HEADER is None:
        about = "Sockets are for pages of this site, by the scheme that the server itself speaks."
        advice = "If a proxy ends TLS, pages are https:// and refused: set SECURE_PROXY_SSL_HEADER."
        yield Finding(WELL if settings.DEBUG else SLOW, about, "" if settings.DEBUG else advice)
    else:
        yield Finding(WELL, "Sockets are for pages of this site, by the scheme that the proxy names.")
    also = [*config().ALLOWED_ORIGINS, *settings.CSRF_TRUSTED_ORIGINS]
    if also:
        yield Finding(WELL, f"And for pages of {', '.join(also)}.")
    if not settings.ALLOWED_HOSTS and not settings.DEBUG:
        yield Finding(
            WRONG, "ALLOWED_HOSTS is empty: no page of any host may open a socket.", "Name your hosts."
        )
