"""Costs that do not depend on the machine: frames, sends, tasks, threads, calls and bytes.

Durations are measured by `benchmarks/`, database queries by `test_queries.py`.
"""

import asyncio
import gc
import sys
import threading
import tracemalloc
import uuid

import pytest
from django.db import connection

from django_roomchat import log, protocol, pubsub
from django_roomchat.consumers import ChatConsumer
from django_roomchat.identity import Identity
from django_roomchat.messages.post import post_messages
from django_roomchat.messages.types import NewPost
from django_roomchat.protocol import Author, Event, encode_event
from django_roomchat.realtime import encoded_frames, hub, threads
from tests.support.fakes import settle

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_hub")]
ANA = Identity("g:ana", "Ana", is_guest=True)
EPOCH = str(uuid.UUID(int=1))


class Member:
    """A socket of the consumer, without a server: what it is sent is counted and forgotten."""

    def __init__(self, query=b"", subprotocols=(protocol.SUBPROTOCOL,)):
        self.scope = {
            "type": "websocket",
            "path": "/ws/chat/lobby/",
            "headers": [],
            "query_string": query,
            "subprotocols": list(subprotocols),
            "url_route": {"kwargs": {"room_name": "lobby"}},
        }
        self.sent = 0
        self.frames = []
        self.coming = asyncio.Queue()
        self.coming.put_nowait({"type": "websocket.connect"})

    async def send(self, message):
        self.sent += 1
        self.frames[:] = [message]

    async def open(self):
        self.task = asyncio.create_task(ChatConsumer()(self.scope, self.coming.get, self.send))
        while '"type":"joined"' not in (self.frames[-1].get("text", "") if self.frames else ""):
            await asyncio.sleep(0.001)  # the frame arrives when a database thread has finished

    async def close(self):
        self.coming.put_nowait({"type": "websocket.disconnect"})
        await self.task


@pytest.fixture
async def enter():
    """Puts so many more members into the room."""
    inside = []

    async def enter(count, **options):
        members = [Member(**options) for _ in range(count)]
        await asyncio.gather(*(member.open() for member in members))
        inside.extend(members)
        return members

    yield enter
    await asyncio.gather(*(member.close() for member in inside))


def batch(prev, count=1):
    """News of *count* messages."""
    events = [
        Event(seq, seq, f"id{seq}", "user", Author("u:1", "Ana"), "x" * 100, "2026-11-21T10:00:00.123Z")
        for seq in range(prev + 1, prev + count + 1)
    ]
    return pubsub.Batch("lobby", EPOCH, prev, prev + count, [(e.rev, encode_event(e)) for e in events])


DRIVER = ("psycopg", "namedtuple_QueryPart")
"""Modules of PostgreSQL's; the latter is what one of its tuples is made of."""


def calls_of(act, *about):
    """How many Python functions are called: a count of work that no other process disturbs.

    A database's driver is left out: psycopg adapts every value in Python where its C part is not installed.
    """
    count = 0

    def profile(frame, event, argument):
        nonlocal count
        count += event == "call" and not frame.f_globals.get("__name__", "").startswith(DRIVER)

    sys.setprofile(profile)
    try:
        act(*about)
    finally:
        sys.setprofile(None)
    return count


async def test_a_batch_becomes_one_frame_whatever_the_number_of_sockets(enter, monkeypatch):
    await enter(50)
    encoded = []
    monkeypatch.setattr(
        encoded_frames, "encode", lambda frame: encoded.append(frame) or protocol.encode(frame)
    )

    hub.current()._receive(batch(0, 20))

    assert len(encoded) == 1


async def test_a_batch_is_sent_to_each_socket_once_and_at_once(enter):
    members = await enter(50)
    before = [member.sent for member in members]

    hub.current()._receive(batch(0, 20))

    assert [member.sent - sent for member, sent in zip(members, before, strict=True)] == [1] * 50


async def test_members_share_the_very_same_message(enter):
    members = await enter(10)

    hub.current()._receive(batch(0))

    assert len({id(member.frames[-1]) for member in members}) == 1


async def test_a_delivery_starts_no_task_and_no_thread(enter, monkeypatch):
    await enter(50)
    started = []
    monkeypatch.setattr(asyncio, "create_task", lambda *about, **options: started.append(about))
    monkeypatch.setattr(
        asyncio.get_running_loop(), "run_in_executor", lambda *about: started.append(about), raising=False
    )
    alive = threading.active_count()

    hub.current()._receive(batch(0, 20))

    assert started == []
    assert threading.active_count() == alive


async def test_a_socket_that_waits_has_one_task_that_the_server_gave_it(enter):
    await enter(1)
    await settle()
    before = len(asyncio.all_tasks())

    await enter(50)
    await settle()

    assert len(asyncio.all_tasks()) - before == 50


async def test_a_delivery_costs_few_calls(enter):
    await enter(100)
    hub.current()._receive(batch(0))

    calls = calls_of(hub.current()._receive, batch(1))

    assert calls / 100 <= 10


async def test_twenty_messages_in_a_batch_cost_no_more_calls_than_one(enter):
    await enter(50)
    hub.current()._receive(batch(0))
    one = calls_of(hub.current()._receive, batch(1))

    twenty = calls_of(hub.current()._receive, batch(2, 20))

    assert twenty <= one + 2 * 20


async def test_the_tutorials_dialect_is_encoded_once_for_all_of_its_sockets(enter, monkeypatch):
    members = [Member(subprotocols=()) for _ in range(20)]
    for member in members:
        member.task = asyncio.create_task(ChatConsumer()(member.scope, member.coming.get, member.send))
    while not all(member.sent for member in members):
        await asyncio.sleep(0.001)
    encoded = []
    monkeypatch.setattr(
        encoded_frames, "encode", lambda frame: encoded.append(frame) or protocol.encode(frame)
    )

    hub.current()._receive(batch(0))

    assert len(encoded) == 1
    await asyncio.gather(*(member.close() for member in members))


async def test_a_quiet_socket_costs_few_bytes(enter):
    await enter(20)
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        await enter(200)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    # The stand-in for a server has its part in it: a queue, a scope, the last message.
    assert (after - before) / 200 <= 11 * 1024


async def test_those_who_come_back_together_read_no_history(enter, monkeypatch):
    await threads.in_thread(
        post_messages, [NewPost(ANA, "lobby", f"message {number}", f"id{number}") for number in range(30)]
    )
    await enter(1)
    reads = []
    for name in ("read", "tail"):
        original = getattr(log, name)
        monkeypatch.setattr(
            log,
            name,
            lambda *about, _original=original, **options: reads.append(about) or _original(*about, **options),
        )
    epoch = hub.current()._rooms["lobby"].epoch

    await enter(100, query=f"epoch={epoch}&since=10".encode())

    assert reads == []


def test_a_post_of_many_costs_few_calls():
    post_messages([NewPost(ANA, "lobby", "hi", "first")])
    few = calls_of(post_messages, [NewPost(ANA, "lobby", "hi", f"few{number}") for number in range(100)])

    many = calls_of(post_messages, [NewPost(ANA, "lobby", "hi", f"many{number}") for number in range(300)])

    # mysqlclient writes each parameter into the statement by a call of its own.
    assert (many - few) / 200 <= (60 if connection.vendor == "mysql" else 40)
