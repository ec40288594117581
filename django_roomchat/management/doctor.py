"""Diagnostics for ``manage.py roomchat_doctor``: sends a message through the database, and one through the
channel layer.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connections
from django.utils import timezone

from django_roomchat import log, pubsub
from django_roomchat.conf import config
from django_roomchat.database import columns_to_mend, database
from django_roomchat.models import JobRun, Room, Webhook
from django_roomchat.rooms.lookup import canonical_name, ensure_room
from django_roomchat.webhooks import http_client

WELL, SLOW, WRONG = "ok", "warn", "error"
TRY_SECONDS = 5.0
SLOW_COMMIT_SECONDS = 0.05
SLOW_LAYER_SECONDS = 0.02
OVERDUE = timedelta(days=2)
"""Time after which a daily job that has not run is reported."""
TIMES = 5
"""Number of tries; the median is reported."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Finding:
    state: str
    about: str
    advice: str = ""


def examine() -> Iterator[Finding]:
    """Run all diagnostics. Rooms, messages and sequence numbers are left as they were."""
    yield from _examine_database()
    yield from _examine_durability()
    yield from _examine_layer()
    yield from _examine_origins()
    yield from _examine_webhooks()
    yield from _examine_jobs()


def _examine_database() -> Iterator[Finding]:
    name = canonical_name(f"doctor {uuid.uuid4().hex}")
    try:
        seconds = sorted(_post_and_delete(name) for _ in range(TIMES))[TIMES // 2]
    except DatabaseError as error:
        yield Finding(WRONG, f"The database does not store messages: {error}", "Run the migrate command.")
        return
    vendor = connections[database()].display_name
    if seconds > SLOW_COMMIT_SECONDS:
        advice = "Each message waits this long for its ack. Check the disk, and the network to the database."
        yield Finding(SLOW, f"{vendor} stores a message in {seconds * 1000:.1f} ms.", advice)
    else:
        yield Finding(WELL, f"{vendor} stores a message in {seconds * 1000:.1f} ms.")


def _post_and_delete(name: str) -> float:
    """Post a message to a new room and delete the room. Returns the time until the commit, in seconds."""
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
            elif connection.vendor == "mysql":
                yield from _examine_mysql(connection, cursor)
            elif connection.vendor == "sqlite":
                yield from _examine_sqlite(connection, cursor)
    except DatabaseError as error:
        yield Finding(WRONG, f"The database's settings cannot be read: {error}")


def _examine_postgresql(cursor: Any) -> Iterator[Finding]:
    cursor.execute("SELECT current_setting('synchronous_commit'), current_setting('fsync')")
    commit, fsync = cursor.fetchone()
    if commit == "off" or fsync == "off":
        about = (
            f"PostgreSQL commits before it has written to disk (synchronous_commit={commit}, fsync={fsync})."
        )
        yield Finding(WRONG, about, "A power failure loses acknowledged messages: turn both settings on.")
    else:
        yield Finding(
            WELL, f"PostgreSQL writes to disk before a message is acknowledged (synchronous_commit={commit})."
        )


def _examine_mysql(connection: Any, cursor: Any) -> Iterator[Finding]:
    cursor.execute("SELECT @@innodb_flush_log_at_trx_commit")
    [flush] = cursor.fetchone()
    setting = f"innodb_flush_log_at_trx_commit={flush}"
    if flush == 1:
        yield Finding(
            WELL, f"{connection.display_name} writes to disk before a message is acknowledged ({setting})."
        )
    else:
        about = f"{connection.display_name} commits before it has written to disk ({setting})."
        yield Finding(WRONG, about, "A power failure loses acknowledged messages: set it to 1.")
    if columns := columns_to_mend(connection.alias):
        about = f"Columns of keys in {', '.join(columns)} take different keys for the same."
        yield Finding(WRONG, about, "Run migrate, or the SQL that check --database default prints.")


def _examine_sqlite(connection: Any, cursor: Any) -> Iterator[Finding]:
    cursor.execute("PRAGMA journal_mode")
    [journal] = cursor.fetchone()
    cursor.execute("PRAGMA synchronous")
    [synchronous] = cursor.fetchone()
    if journal != "wal":
        advice = 'Set OPTIONS: {"init_command": "PRAGMA journal_mode=WAL;"}'
        yield Finding(SLOW, f"The journal mode of SQLite is {journal}: readers wait for writers.", advice)
    if synchronous < 2:
        about = (
            "A power failure may lose the last acknowledged messages (SQLite's synchronous is below FULL)."
        )
        yield Finding(
            SLOW,
            about,
            'A crash of the process does not. Set OPTIONS: {"init_command": "PRAGMA synchronous=FULL;"}',
        )
    else:
        yield Finding(WELL, "SQLite writes to disk before a message is acknowledged (synchronous=FULL).")
    if getattr(connection, "transaction_mode", None) != "IMMEDIATE":
        about = "SQLite's transactions are deferred: one that reads before it writes fails if another one writes meanwhile."
        yield Finding(SLOW, about, 'Set OPTIONS: {"transaction_mode": "IMMEDIATE", "timeout": 20}')


def _examine_layer() -> Iterator[Finding]:
    try:
        alias = pubsub.layer_alias("lobby")
        layer: Any = get_channel_layer(alias)
        seconds = sorted(async_to_sync(_round_trips)(layer))[TIMES // 2]
    except Exception as error:
        advice = "The chat works without it, but other processes notice a message only when they next poll."
        yield Finding(WRONG, f"The channel layer does not deliver: {error!r}", advice)
        return
    kind = type(layer).__name__
    if seconds > SLOW_LAYER_SECONDS:
        yield Finding(
            SLOW,
            f"The channel layer {alias!r} ({kind}) delivers in {seconds * 1000:.1f} ms.",
            "Check the network to the channel layer.",
        )
    else:
        yield Finding(WELL, f"The channel layer {alias!r} ({kind}) delivers in {seconds * 1000:.1f} ms.")
    if kind == "InMemoryChannelLayer":
        about = (
            f"The channel layer {alias!r} does not connect processes; further processes poll the database."
        )
        yield Finding(SLOW, about, "Use channels-redis with more than one process.")
    capacity = getattr(layer, "capacity", None)
    if isinstance(capacity, int) and capacity < 1000:
        about = f"The channel layer {alias!r} has a capacity of {capacity} messages for each process and drops further ones."
        yield Finding(
            SLOW, about, 'Dropped messages are delivered with the next poll. Set CONFIG: {"capacity": 5000}'
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
        about = "Sockets are allowed for pages of this site with the scheme that the server itself uses."
        advice = (
            "If a proxy terminates TLS, sockets of https:// pages are refused: set SECURE_PROXY_SSL_HEADER."
        )
        yield Finding(WELL if settings.DEBUG else SLOW, about, "" if settings.DEBUG else advice)
    else:
        yield Finding(
            WELL, "Sockets are allowed for pages of this site with the scheme that the proxy reports."
        )
    also = [*config().ALLOWED_ORIGINS, *settings.CSRF_TRUSTED_ORIGINS]
    if also:
        yield Finding(WELL, f"Sockets are also allowed for pages of {', '.join(also)}.")
    if not settings.ALLOWED_HOSTS and not settings.DEBUG:
        yield Finding(
            WRONG,
            "ALLOWED_HOSTS is empty, so no page may open a socket.",
            "Set ALLOWED_HOSTS to your host names.",
        )


def _examine_webhooks() -> Iterator[Finding]:
    active = Webhook.objects.using(database()).filter(is_active=True)
    try:
        urls = list(active.values_list("url", flat=True))
    except DatabaseError:
        # Reported above.
        return
    if not urls:
        return
    if http_client.is_installed():
        yield Finding(WELL, f"Active webhooks: {len(urls)}.")
    else:
        about = f"Active webhooks: {len(urls)}, but urllib3 is not installed."
        yield Finding(WRONG, about, 'Install it: python -m pip install "django-roomchat[webhooks]".')
    # The path of a URL is often a secret.
    unusual = {urlsplit(url).netloc: found for url in urls if (found := http_client.cautions(url))}
    for netloc, cautions in sorted(unusual.items()):
        yield Finding(SLOW, f"Webhooks are sent to {netloc!r}.", " ".join(cautions))


def _examine_jobs() -> Iterator[Finding]:
    runs = JobRun.objects.using(database()).filter(job="roomchat_prune")
    try:
        finished = runs.values_list("finished_at", flat=True).first()
    except DatabaseError:
        # Reported above.
        return
    advice = "Run it daily: it deletes messages after their retention period, files that were never sent and expired tickets."
    if finished is None:
        yield Finding(SLOW, "roomchat_prune has never run.", advice)
    elif timezone.now() - finished > OVERDUE:
        yield Finding(SLOW, f"roomchat_prune last ran at {finished:%Y-%m-%d %H:%M}.", advice)
    else:
        yield Finding(WELL, f"roomchat_prune last ran at {finished:%Y-%m-%d %H:%M}.")
