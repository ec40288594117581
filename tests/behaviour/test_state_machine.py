"""The actions and the log compared with a small model, in random order.

After every step, a client that resumes from any cursor has the same messages as a new client.
`ROOMCHAT_TEST_EXAMPLES=500` runs more examples, as the tox environment `statemachine` does.
"""

from __future__ import annotations

import copy
import itertools
import os
from dataclasses import dataclass, field
from typing import NamedTuple

import dj_database_url
import pytest
from django.db import connections
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from django_roomchat import log
from django_roomchat.errors import ChatError, Forbidden, IdReused, NotFound
from django_roomchat.identity import Identity
from django_roomchat.messages.edit import delete_message, edit_message
from django_roomchat.messages.post import post_messages
from django_roomchat.messages.types import NewPost, Posted
from django_roomchat.models import RoomLog
from django_roomchat.moderation import sanctions

EXAMPLES = int(os.environ.get("ROOMCHAT_TEST_EXAMPLES", "0"))
AUTHORS = (Identity("u:1", "Ana"), Identity("g:2", "Guest 2", is_guest=True))
LIMITS = ((1_000, 1_000), (3, 2))
"""How many changes are sent one by one, and how many messages a page has: plenty, and so few that readers start over."""

# Mostly in the first, so that something is there to be changed.
rooms = st.sampled_from((0, 0, 0, 1))
authors = st.sampled_from(AUTHORS)
bodies = st.sampled_from(("hi", "so", "né 🎉", "two\nlines"))
places = st.sampled_from((1, 1, 2, 2, 3, 3, 4, 5, 6, 9))
_numbers = itertools.count()


class State(NamedTuple):
    """The fields of a message that a client shows."""

    rev: int
    id: str
    author: str
    body: str
    is_deleted: bool
    reply_to: int | None = None


@dataclass
class Room:
    """The expected state of a room."""

    name: str
    head: int = 0
    floor: int = 0
    epoch: str = ""
    messages: dict[int, State] = field(default_factory=dict)
    posts: dict[tuple[str, str], tuple[int, str, int | None]] = field(default_factory=dict)
    """By author and id: where it stands and what was posted."""
    banned: set[str] = field(default_factory=set)
    pruned: dict[int, State] = field(default_factory=dict)
    history: list[dict[int, State]] = field(default_factory=lambda: [{}])
    """The messages that a client has which followed the log up to each number."""

    def change(self, seq: int, state: State) -> None:
        self.head = state.rev
        self.messages[seq] = state
        self.history.append(self.history[-1] | {seq: state})


class Chat(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        # Rooms of its own for every run: nothing has to be taken away between them.
        number = next(_numbers)
        self.rooms = [Room(f"room {number} {letter}") for letter in "ab"]
        self.touched = list(self.rooms)

    # What happens -------------------------------------------------------------------------------------------------

    @rule(room=rooms, author=authors, body=bodies)
    def post(self, room, author, body):
        self._post([(self._room(room), author, body, f"p{next(_numbers)}", None)])

    @rule(room=rooms, author=authors, body=bodies, to=places)
    def reply(self, room, author, body, to):
        self._post([(self._room(room), author, body, f"r{next(_numbers)}", to)])

    @rule(room=rooms, data=st.data())
    def repeat(self, room, data):
        room = self._room(room)
        if room.posts:
            (author, id_), (_, body, to) = data.draw(st.sampled_from(sorted(room.posts.items(), key=repr)))
            self._post([(room, _author(author), body, id_, to)])

    @rule(room=rooms, data=st.data())
    def give_an_id_to_another_text(self, room, data):
        room = self._room(room)
        if room.posts:
            (author, id_), (_, body, to) = data.draw(st.sampled_from(sorted(room.posts.items(), key=repr)))
            self._post([(room, _author(author), f"not {body}", id_, to)])

    @rule(room=rooms, author=authors, body=bodies, data=st.data())
    def use_somebody_elses_id(self, room, author, body, data):
        room = self._room(room)
        if room.posts:
            id_ = data.draw(st.sampled_from(sorted({id_ for _, id_ in room.posts})))
            self._post([(room, author, body, id_, None)])

    @rule(posts=st.lists(st.tuples(rooms, authors, bodies, st.sampled_from(("x", "y", "z"))), max_size=5))
    def post_many_at_once(self, posts):
        """In one transaction, rooms and people mixed, with ids that may come twice."""
        self._post([(self._room(room), author, body, id_, None) for room, author, body, id_ in posts])

    @rule(room=rooms, author=authors, body=bodies, seq=places)
    def edit(self, room, author, body, seq):
        room = self._room(room)
        old, refusal = self._changeable(room, author, seq)
        if refusal is None and old.is_deleted:
            refusal = NotFound
        with expect(refusal):
            done = edit_message(room.name, seq, body, by=author)
            assert done == Posted(room.name, "", seq, duplicate=old.body == body)
            if not done.duplicate:
                room.change(seq, old._replace(rev=room.head + 1, body=body))

    @rule(room=rooms, author=authors, seq=places)
    def delete(self, room, author, seq):
        room = self._room(room)
        old, refusal = self._changeable(room, author, seq)
        with expect(refusal):
            done = delete_message(room.name, seq, by=author)
            assert done == Posted(room.name, "", seq, duplicate=old.is_deleted)
            if not done.duplicate:
                room.change(seq, old._replace(rev=room.head + 1, body="", is_deleted=True))

    @rule(room=rooms, who=authors)
    def ban(self, room, who):
        room = self._room(room)
        assert sanctions.ban(room.name, who) == room.head
        room.banned.add(who.key)

    @rule(room=rooms, who=authors)
    def unban(self, room, who):
        room = self._room(room)
        assert sanctions.unban(room.name, who.key) == room.head
        room.banned.discard(who.key)

    @rule(room=rooms, through=places)
    def prune(self, room, through):
        room = self._room(room)
        row = RoomLog.objects.filter(room__name=room.name).first()
        if row is not None:
            old = {seq for seq in room.messages if seq <= through}
            assert log.prune(row.pk, through) == len(old)
            room.floor = max([room.floor, *(room.messages[seq].rev for seq in old)])
            for seq in old:
                room.pruned[seq] = room.messages.pop(seq)
            # With the message its id is forgotten.
            room.posts = {once: post for once, post in room.posts.items() if post[0] not in old}

    @rule(room=rooms)
    def start_new_epoch(self, room):
        room = self._room(room)
        row = RoomLog.objects.filter(room__name=room.name).first()
        if row is not None:
            log.start_new_epoch(row.pk)
            assert str(RoomLog.objects.get(pk=row.pk).epoch) != room.epoch
            room.epoch = ""

    # What must hold -----------------------------------------------------------------------------------------------

    @invariant()
    def whoever_resumes_sees_what_a_new_reader_sees(self):
        for room in self.touched:
            row = RoomLog.objects.filter(room__name=room.name).first()
            if row is not None:
                room.epoch = str(row.epoch)
            for limit, page in LIMITS:
                for since in [None, *range(room.head + 2)]:
                    self._resume(room, room.epoch, since, limit, page)
                self._resume(room, "0d5d3ab4-3f1f-4c4c-9c0c-0b5c4f9b2f9e", room.head, limit, page)
            self._tail(room)

    @invariant()
    def every_number_is_one_change(self):
        for room in self.touched:
            row = RoomLog.objects.filter(room__name=room.name).first()
            if row is not None:
                assert log.verify(row) == []
                assert (row.head, row.floor) == (room.head, room.floor)
        self.touched.clear()

    # How ----------------------------------------------------------------------------------------------------------

    def _room(self, number: int) -> Room:
        room = self.rooms[number]
        if room not in self.touched:
            self.touched.append(room)
        return room

    def _post(self, wanted):
        posts = [
            NewPost(who=author, room=room.name, body=body, id=id_, reply_to=to)
            for room, author, body, id_, to in wanted
        ]
        expected = self._expected(wanted)
        assert [_plain(result) for result in post_messages(posts)] == expected

    def _expected(self, wanted):
        """The answers; the model changes with them."""
        # Whether one may, and whether there is a message to reply to, is looked up for all before the first is stored.
        before = copy.deepcopy(self.rooms)
        expected = []
        for room, author, body, id_, to in wanted:
            was = before[self.rooms.index(room)]
            known = room.posts.get((author.key, id_))
            if author.key in was.banned:
                expected.append(Forbidden)
            elif to is not None and to not in was.messages:
                expected.append(NotFound)
            elif known is None:
                seq = room.head + 1
                room.posts[author.key, id_] = (seq, body, to)
                room.change(seq, State(seq, id_, author.key, body, False, to))
                expected.append((seq, False))
            elif known[1:] == (body, to):
                expected.append((known[0], True))
            else:
                expected.append(IdReused)
        return expected

    def _changeable(self, room, author, seq):
        old = room.messages.get(seq)
        if author.key in room.banned:
            return old, Forbidden
        if old is None:
            return None, NotFound
        return old, None if old.author == author.key else Forbidden

    def _resume(self, room, epoch, since, limit, page):
        part = log.read(room.name, epoch, since, limit=limit, page=page)
        missed = [seq for seq, state in room.messages.items() if since is not None and state.rev > since]
        if since is None:
            reset = "new"
        elif since and epoch != room.epoch:
            reset = "epoch"
        elif since > room.head:
            reset = "ahead"
        elif since < room.floor:
            reset = "floor"
        else:
            reset = "gap" if len(missed) > limit else None
        assert (part.reset, part.head, part.floor, part.epoch) == (reset, room.head, room.floor, room.epoch)
        told = {event.seq: _state(event) for event in part.events}
        if reset is None:
            assert part.prev == since and not part.more
            assert [event.rev for event in part.events] == sorted(room.messages[seq].rev for seq in missed)
            seen = room.history[since] | told
            # Of what was pruned, readers may still have the last state, and no other.
            seen = {seq: state for seq, state in seen.items() if room.pruned.get(seq) != state}
            assert seen == room.messages
        else:
            newest = sorted(room.messages)[-page:]
            assert part.prev == 0 and part.more == (len(room.messages) > page)
            assert [event.seq for event in part.events] == newest
            assert told == {seq: room.messages[seq] for seq in newest}

    def _tail(self, room):
        """The events in a process's memory bring every client up to date whose cursor they cover."""
        part = log.tail(room.name, changes=4)
        assert (part.prev, part.head) == (max(room.floor, room.head - 4), room.head)
        for since in range(part.prev, part.head + 1):
            told = {event.seq: _state(event) for event in part.events if event.rev > since}
            seen = room.history[since] | told
            assert {
                seq: state for seq, state in seen.items() if room.pruned.get(seq) != state
            } == room.messages


class expect:  # noqa: N801  (reads as a word)
    """The block is refused with this error, or not at all."""

    def __init__(self, refusal):
        self.refusal = refusal

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self.refusal is None:
            return False
        assert kind is not None and type(error) is self.refusal, (kind, self.refusal)
        return True


def _author(key):
    return next(author for author in AUTHORS if author.key == key)


def _plain(result):
    return (result.seq, result.duplicate) if isinstance(result, Posted) else type(result)


def _state(event):
    return State(
        event.rev, event.id, event.author.key, event.body, event.deleted_at is not None, event.reply_to
    )


def play():
    run_state_machine_as_test(
        Chat,
        settings=settings(
            max_examples=EXAMPLES or 25,
            stateful_step_count=60 if EXAMPLES else 25,
            # A run of the suite plays the same every time; a long one is new every time, and prints how to play it again.
            derandomize=not EXAMPLES,
            print_blob=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(120 + 20 * EXAMPLES)
def test_a_client_that_resumes_has_what_a_new_client_has_after_any_history():
    play()


class Router:
    """Everything lives in the PostgreSQL beside the run's own database."""

    def db_for_read(self, model, **hints):
        return "postgresql"

    def db_for_write(self, model, **hints):
        return "postgresql"


@pytest.fixture
def on_postgresql(postgres_url, settings, django_db_blocker):
    parsed = dj_database_url.parse(postgres_url)
    connections.settings["postgresql"] = {**connections.settings["default"], "OPTIONS": {}, **parsed}
    settings.DATABASE_ROUTERS = [Router()]
    with django_db_blocker.unblock():
        yield
    connections["postgresql"].close()
    del connections["postgresql"]
    del connections.settings["postgresql"]


@pytest.mark.timeout(120 + 20 * EXAMPLES)
def test_the_same_on_postgresql(on_postgresql):
    play()


def test_an_error_that_nobody_expected_is_not_hidden():
    with pytest.raises(AssertionError), expect(NotFound):
        raise ChatError("another")
