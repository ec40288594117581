import asyncio

import pytest
from django.db import InterfaceError, OperationalError

from django_roomchat.errors import Busy, Forbidden
from django_roomchat.identity import Identity
from django_roomchat.messages.types import NewPost, Posted
from django_roomchat.realtime import group_commit
from django_roomchat.realtime.group_commit import GroupCommit
from tests.support.fakes import settle

ANA = Identity("u:1", "Ana")
UNAVAILABLE = "The message could not be stored; try again."
BROKEN = "The message could not be stored."


class Store:
    """Replaces `post_messages`: numbers posts, and waits, is locked or fails if the test chooses."""

    def __init__(self):
        self.batches = []
        self.numbers = {}
        self.gate = None
        self.lane_gates = {}
        self.locked = set()
        self.errors = []
        self.poison = set()
        self.refused = set()
        self.running = 0
        self.most_running = 0

    async def in_thread(self, function, posts, *, wait_seconds):
        self.batches.append(([post.id for post in posts], wait_seconds))
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            if wait_seconds == 0 and self.gate is not None:
                await self.gate
            if wait_seconds:
                for room in {post.room for post in posts} & set(self.lane_gates):
                    await self.lane_gates[room]
            if self.errors:
                raise self.errors.pop(0)
            if {post.id for post in posts} & self.poison:
                raise ZeroDivisionError
            return [self.store(post, wait_seconds) for post in posts]
        finally:
            self.running -= 1

    def store(self, post, wait_seconds):
        if post.room in self.locked and wait_seconds == 0:
            return None
        if post.id in self.refused:
            return Forbidden("No.")
        self.numbers[post.room] = self.numbers.get(post.room, 0) + 1
        return Posted(post.room, post.id, self.numbers[post.room], duplicate=False)

    def hold(self):
        self.gate = asyncio.get_running_loop().create_future()

    def go_on(self):
        gate, self.gate = self.gate, None
        gate.set_result(None)


@pytest.fixture
def store(monkeypatch):
    store = Store()
    monkeypatch.setattr(group_commit, "in_thread", store.in_thread)
    return store


class Box:
    """An inbox, and what it answers."""

    def __init__(self):
        self.inbox = GroupCommit()
        self.answers = []

    def put(self, *ids, room="lobby"):
        for id_ in ids:
            self.inbox.put(
                NewPost(ANA, room, "hi", id_), lambda result, id_=id_: self.answers.append((id_, result))
            )

    @property
    def stored(self):
        return [(id_, result.room, result.seq) for id_, result in self.answers if isinstance(result, Posted)]

    @property
    def refused(self):
        return [
            (id_, result.code, result.detail, result.retry_after)
            for id_, result in self.answers
            if not isinstance(result, Posted)
        ]


@pytest.fixture
async def box(store):
    return Box()


async def test_a_lone_post_goes_at_once(box, store):
    box.put("a")
    await box.inbox.drain()

    assert (store.batches, box.stored) == ([(["a"], 0)], [("a", "lobby", 1)])


async def test_what_arrives_during_a_commit_is_committed_together(box, store):
    store.hold()
    box.put("a")
    await settle()

    box.put("b", "c")
    box.put("d", room="other")
    store.go_on()
    await box.inbox.drain()

    assert store.batches == [(["a"], 0), (["b", "c", "d"], 0)]
    assert box.stored == [("a", "lobby", 1), ("b", "lobby", 2), ("c", "lobby", 3), ("d", "other", 1)]


async def test_a_batch_has_a_bound(box, store, settings):
    settings.ROOMCHAT = {"BATCH_MAX_POSTS": 2}

    box.put("a", "b", "c", "d", "e")
    await box.inbox.drain()

    assert [ids for ids, _ in store.batches] == [["a", "b"], ["c", "d"], ["e"]]
    assert [id_ for id_, _, _ in box.stored] == list("abcde")


async def test_a_post_that_is_refused_fails_alone(box, store):
    store.refused = {"b"}

    box.put("a", "b", "c")
    await box.inbox.drain()

    assert [id_ for id_, _, _ in box.stored] == ["a", "c"]
    assert box.refused == [("b", "forbidden", "No.", None)]


async def test_more_than_may_wait_is_refused_and_there_is_room_again_afterwards(box, store, settings):
    settings.ROOMCHAT = {"INBOX_MAX_POSTS": 2}
    store.hold()
    box.put("a", "b")
    await settle()

    with pytest.raises(Busy) as caught:
        box.put("c")
    store.go_on()
    await box.inbox.drain()
    box.put("d", "e")
    await box.inbox.drain()

    assert (caught.value.detail, caught.value.retry_after) == (
        "Too many messages are waiting to be stored; try again.",
        1.0,
    )
    assert [id_ for id_, _, _ in box.stored] == ["a", "b", "d", "e"]


async def test_a_locked_room_does_not_hold_up_the_others(box, store):
    store.locked = {"locked"}
    store.lane_gates["locked"] = asyncio.get_running_loop().create_future()

    box.put("a", room="locked")
    box.put("b", room="free")
    await settle()
    while_locked = box.stored
    box.put("c", room="free")
    await settle()
    later = box.stored
    store.lane_gates["locked"].set_result(None)
    await box.inbox.drain()

    assert while_locked == [("b", "free", 1)]
    assert later == [("b", "free", 1), ("c", "free", 2)]
    assert box.stored == [*later, ("a", "locked", 1)]


async def test_in_a_locked_room_nobody_overtakes(box, store):
    store.locked = {"locked"}
    store.hold()
    gate = store.lane_gates["locked"] = asyncio.get_running_loop().create_future()
    box.put("a", "b", room="locked")
    await settle()
    box.put("c", room="locked")
    box.put("x", room="free")
    store.go_on()
    await settle()

    store.locked = set()
    box.put("d", room="locked")
    await settle()
    gate.set_result(None)
    await box.inbox.drain()
    box.put("e", room="locked")
    await box.inbox.drain()

    assert [(id_, seq) for id_, room, seq in box.stored if room == "locked"] == [
        ("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5),
    ]  # fmt: skip
    # After its queue the room goes with the others again.
    assert store.batches[-1] == (["e"], 0)


async def test_a_locked_room_is_waited_for_so_long(box, store, settings):
    settings.ROOMCHAT = {"LOCK_TIMEOUT_SECONDS": 0.7}
    store.locked = {"locked"}

    box.put("a", room="locked")
    await box.inbox.drain()

    assert store.batches == [(["a"], 0), (["a"], 0.7)]


async def test_a_room_that_stays_locked_refuses_its_posts_and_they_may_be_repeated(box, store):
    store.locked = {"locked"}
    gate = store.lane_gates["locked"] = asyncio.get_running_loop().create_future()
    box.put("a", "b", room="locked")
    await settle()
    store.errors = [OperationalError("canceling statement due to lock timeout")]

    gate.set_result(None)
    await box.inbox.drain()

    assert box.refused == [(id_, "unavailable", UNAVAILABLE, 1.0) for id_ in "ab"]
    assert [wait for _, wait in store.batches] == [0, 2.0]


async def test_a_room_that_cannot_be_had_at_all_refuses_its_posts(box, store, monkeypatch):
    store.locked = {"gone"}
    monkeypatch.setattr(store, "store", lambda post, wait_seconds: None)

    box.put("a", room="gone")
    await box.inbox.drain()

    assert box.refused == [("a", "unavailable", UNAVAILABLE, 1.0)]
    assert box.inbox._count == 0


async def test_locked_rooms_leave_threads_for_the_others(box, store, settings):
    settings.ROOMCHAT = {"DATABASE_THREADS": 4}
    box.inbox = GroupCommit()
    rooms = [f"locked{number}" for number in range(6)]
    store.locked = set(rooms)
    gate = asyncio.get_running_loop().create_future()
    store.lane_gates = dict.fromkeys(rooms, gate)

    for room in rooms:
        box.put("a", room=room)
    await settle()

    assert store.running == 2
    gate.set_result(None)
    await box.inbox.drain()
    assert len(box.stored) == 6


@pytest.mark.parametrize(
    "error", [OperationalError("deadlock detected"), InterfaceError("connection already closed")]
)
async def test_a_transaction_that_the_database_gave_up_is_repeated(box, store, error):
    store.errors = [error, error]

    box.put("a", "b")
    await box.inbox.drain()

    assert (store.batches, [id_ for id_, _, _ in box.stored]) == ([(["a", "b"], 0)] * 3, ["a", "b"])


async def test_a_database_that_does_not_answer_refuses_the_posts_and_is_reported(box, store, caplog):
    store.errors = [OperationalError("gone")] * 3

    box.put("a", "b")
    await box.inbox.drain()
    box.put("c")
    await box.inbox.drain()

    assert box.refused == [(id_, "unavailable", UNAVAILABLE, 1.0) for id_ in "ab"]
    assert caplog.messages == ["The database did not store 2 posts: OperationalError('gone')"]
    assert [id_ for id_, _, _ in box.stored] == ["c"]


async def test_a_post_that_breaks_the_transaction_fails_alone(box, store, caplog):
    store.poison = {"b"}

    box.put("a", "b", "c")
    await box.inbox.drain()

    assert [id_ for id_, _, _ in box.stored] == ["a", "c"]
    assert box.refused == [("b", "unavailable", BROKEN, 1.0)]
    assert caplog.messages == ["A post to room 'lobby' could not be stored"]


async def test_an_answer_that_fails_does_not_keep_the_others_from_theirs(box, store, caplog):
    def fail(result):
        raise ZeroDivisionError

    store.hold()
    box.put("a")
    await settle()
    box.put("b")
    box.inbox.put(NewPost(ANA, "lobby", "hi", "x"), fail)
    box.put("c")
    store.go_on()
    await box.inbox.drain()
    box.put("d")
    await box.inbox.drain()

    assert [id_ for id_, _, _ in box.stored] == ["a", "b", "c", "d"]
    assert caplog.messages == ["The sender of a post could not be answered"]
    assert box.inbox._count == 0


async def test_an_empty_inbox_is_drained(box):
    await box.inbox.drain()

    assert box.answers == []


async def test_every_event_loop_has_an_inbox_of_its_own(store):
    async def of_this_loop():
        return group_commit.current()

    here = group_commit.current()
    there = await asyncio.to_thread(asyncio.run, of_this_loop())

    assert (group_commit.current() is here, there is here) == (True, False)


async def test_a_slow_content_filter_holds_up_its_own_room_only(box, store, settings):
    settings.ROOMCHAT = {"FILTER": lambda room, who, text: None}
    store.lane_gates["lobby"] = gate = asyncio.get_running_loop().create_future()

    box.put("a", "b")
    box.put("c", room="other")
    await settle()
    meanwhile = box.stored
    gate.set_result(None)
    await box.inbox.drain()

    assert meanwhile == [("c", "other", 1)]
    assert box.stored == [*meanwhile, ("a", "lobby", 1), ("b", "lobby", 2)]
