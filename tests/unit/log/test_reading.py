"""Reads of a room's log: what a client missed, pages of history, tails and states."""

import uuid

import pytest

from django_roomchat import log
from django_roomchat.log import Slice, State, reading
from django_roomchat.log.reading import _log_of
from django_roomchat.models import Message, RoomLog
from tests.support.log import append, draft, drafts, make_room, say, seqs

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_reader_gets_what_it_missed(room):
    append(room, *drafts("a", "b", "c"))
    epoch = str(room.log.epoch)

    part = log.read("lobby", epoch, 1, limit=10, page=10)

    events = log.tail("lobby", changes=2).events
    assert part == Slice("lobby", "Lobby", epoch, 0, prev=1, head=3, events=events)
    assert seqs(part) == [2, 3]


def test_a_reader_at_the_head_missed_nothing(room):
    append(room, *drafts("a", "b"))
    epoch = str(room.log.epoch)

    assert log.read("lobby", epoch, 2, limit=10, page=10) == Slice("lobby", "Lobby", epoch, 0, 2, 2, [])


def test_a_reader_gets_changes_in_their_order_and_each_message_once(room):
    append(room, *drafts("a", "b", "c"))
    log.change(room.pk, 2, say("new"))
    log.change(room.pk, 1, say("new"))

    part = log.read("lobby", str(room.log.epoch), 2, limit=10, page=10)

    assert [(event.seq, event.rev) for event in part.events] == [(3, 3), (2, 4), (1, 5)]


def test_a_new_reader_gets_the_newest_page_oldest_first(room):
    append(room, *drafts("a", "b", "c"))

    part = log.read("lobby", "", None, limit=10, page=2)

    assert (seqs(part), part.prev, part.head, part.reset, part.more) == ([2, 3], 0, 3, "new", True)


def test_a_page_that_holds_everything_says_that_there_is_no_more(room):
    append(room, *drafts("a", "b"))

    part = log.read("lobby", "", None, limit=10, page=2)

    assert (seqs(part), part.more) == ([1, 2], False)


@pytest.mark.parametrize(
    ("since", "epoch_is_right", "reset"),
    [
        (2, True, None),
        (2, False, "epoch"),
        (0, False, "floor"),
        (5, True, "ahead"),
        (1, True, "floor"),
        (4, True, None),
    ],
)
def test_a_reset_names_its_reason(room, since, epoch_is_right, reset):
    append(room, *drafts("a", "b", "c", "d"))
    Message.objects.filter(room=room, seq__lte=2).delete()
    RoomLog.objects.filter(pk=room.pk).update(floor=2)
    epoch = str(room.log.epoch if epoch_is_right else uuid.uuid4())

    part = log.read("lobby", epoch, since, limit=10, page=1)

    assert (part.reset, part.floor, part.head) == (reset, 2, 4)
    assert (part.prev, seqs(part), part.more) == (
        (since, [3, 4][since - 2 :], False) if reset is None else (0, [4], True)
    )


def test_a_reader_at_nothing_needs_no_epoch(room):
    append(room, *drafts("a"))

    part = log.read("lobby", "", 0, limit=10, page=10)

    assert (part.reset, seqs(part)) == (None, [1])


@pytest.mark.parametrize(("limit", "reset"), [(3, None), (2, "gap")])
def test_a_reader_who_missed_too_much_starts_over(room, limit, reset):
    append(room, *drafts("a", "b", "c", "d"))

    part = log.read("lobby", str(room.log.epoch), 1, limit=limit, page=2)

    assert (part.reset, seqs(part), part.prev) == (
        (None, [2, 3, 4], 1) if reset is None else ("gap", [3, 4], 0)
    )


def test_a_room_that_does_not_exist_is_read_as_an_empty_one(database):
    assert log.read("nowhere", "", 0, limit=10, page=10) == Slice("nowhere", "", "", 0, 0, 0, [])
    assert log.read("nowhere", "", None, limit=10, page=10) == Slice("nowhere", "", "", 0, 0, 0, [], "new")
    assert log.tail("nowhere", changes=10) == Slice("nowhere", "", "", 0, 0, 0, [])


def test_what_is_written_during_a_read_comes_with_the_next(room, monkeypatch):
    append(room, *drafts("a"))
    log_of = _log_of

    def log_of_and_be_overtaken(name):
        found = log_of(name)
        append(room, draft(uuid.uuid4().hex))
        return found

    monkeypatch.setattr(reading, "_log_of", log_of_and_be_overtaken)
    since, new, tail = (
        log.read("lobby", str(room.log.epoch), 0, limit=10, page=10),
        log.read("lobby", "", None, limit=10, page=10),
        log.tail("lobby", changes=10),
    )

    # Each finds what was written during the one before it.
    assert [(seqs(part), part.head) for part in (since, new, tail)] == [([1], 1), ([1, 2], 2), ([1, 2, 3], 3)]


@pytest.mark.parametrize("since", [0, 1])
def test_a_reader_whose_messages_are_pruned_during_the_read_starts_over(room, monkeypatch, since):
    append(room, *drafts("a", "b", "c"))
    epoch, log_of = str(room.log.epoch), _log_of

    def log_of_and_be_pruned(name):
        found = log_of(name)
        log.prune(room.pk, through=2)
        return found

    monkeypatch.setattr(reading, "_log_of", log_of_and_be_pruned)
    part = log.read("lobby", epoch, since, limit=10, page=10)

    assert (seqs(part), part.reset, part.prev, part.head) == ([3], "floor", 0, 3)


def test_a_tail_whose_messages_are_pruned_during_the_read_begins_where_they_end(room, monkeypatch):
    append(room, *drafts("a", "b", "c"))
    log_of = _log_of

    def log_of_and_be_pruned(name):
        found = log_of(name)
        log.prune(room.pk, through=2)
        return found

    monkeypatch.setattr(reading, "_log_of", log_of_and_be_pruned)
    part = log.tail("lobby", changes=10)

    assert (seqs(part), part.prev, part.head) == ([3], 2, 3)


def test_the_tail_is_the_last_changes_and_says_from_where(room):
    append(room, *drafts("a", "b", "c"))
    log.change(room.pk, 1, say("new"))

    part = log.tail("lobby", changes=2)

    assert ([(event.seq, event.rev) for event in part.events], part.prev, part.head) == (
        [(3, 3), (1, 4)],
        2,
        4,
    )


def test_the_tail_does_not_reach_below_what_was_pruned(room):
    append(room, *drafts("a", "b", "c"))
    RoomLog.objects.filter(pk=room.pk).update(floor=2)

    part = log.tail("lobby", changes=100)

    assert (seqs(part), part.prev, part.floor) == ([3], 2, 2)


def test_history_is_paged_by_place(room):
    append(room, *drafts(*"abcde"))

    pages = [log.page(room, before, limit=2) for before in (None, 4, 2)]

    assert [([event.seq for event in events], more) for events, more in pages] == [
        ([5, 4], True),
        ([3, 2], True),
        ([1], False),
    ]


def test_a_full_last_page_is_the_last(room):
    append(room, *drafts("a", "b"))

    events, more = log.page(room, None, limit=2)

    assert ([event.seq for event in events], more) == ([2, 1], False)


def test_the_states_of_many_rooms_are_one_question(room, django_assert_num_queries):
    other = make_room("other", access_version=3)
    append(other, *drafts("a", "b"))

    with django_assert_num_queries(1):
        states = log.states(["lobby", "other", "nowhere"])

    assert states == {"lobby": State(str(room.log.epoch), 0, 0), "other": State(str(other.log.epoch), 2, 3)}
