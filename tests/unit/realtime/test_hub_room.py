"""The buffer of recent events of a room."""

import json

from django_roomchat.protocol import Author, Event, encode_event
from django_roomchat.pubsub import Batch
from django_roomchat.realtime.hub_room import HubRoom
from tests.support.batches import batch, event


def numbered(prev, head):
    return batch(prev=prev, head=head, events=[event(rev) for rev in range(prev + 1, head + 1)])


def room_with(*batches, events_max=10):
    room = HubRoom("lobby", events_max)
    room.set_epoch("an epoch")
    for one in batches:
        room.add(one)
    return room


def revs(encoded):
    return [rev for rev, _ in encoded.batch.events]


def test_events_after_a_cursor_are_in_memory():
    room = room_with(numbered(0, 2), numbered(2, 5))

    assert (revs(room.after(1, None)), room.cursor, room.ring_floor) == ([2, 3, 4, 5], 5, 0)


def test_the_oldest_batches_are_dropped_when_there_are_too_many_events():
    room = room_with(numbered(0, 4), numbered(4, 8), numbered(8, 12), events_max=8)

    assert (room.ring_floor, room.after(3, None), revs(room.after(4, None))) == (4, None, list(range(5, 13)))


def test_the_last_batch_stays_even_if_it_is_larger_than_the_buffer():
    room = room_with(numbered(0, 20), events_max=8)

    assert (room.ring_floor, room.covers("an epoch", 0)) == (0, True)


def test_a_deletion_clears_the_buffer_so_that_deleted_text_is_not_sent_again():
    deleted = Event(
        1,
        3,
        "id1",
        "user",
        Author("u:1", "Ana"),
        "",
        "2026-11-21T10:00:00.123Z",
        deleted_at="2026-11-21T11:00:00.123Z",
    )
    room = room_with(numbered(0, 2), Batch("lobby", "an epoch", 2, 3, [(3, encode_event(deleted))]))

    assert (room.ring_floor, room.erased, room.covers("an epoch", 0), room.covers("an epoch", 2)) == (
        2,
        3,
        False,
        True,
    )


def test_a_cursor_of_another_epoch_or_beyond_the_buffer_is_not_covered():
    room = room_with(numbered(0, 2))

    answers = [
        room.covers(*about) for about in (("an epoch", 2), ("an epoch", 3), ("another", 1), ("another", 0))
    ]

    assert answers == [True, False, False, True]


def test_clients_with_the_same_cursor_share_one_frame():
    room = room_with(numbered(0, 2))

    first, second = room.resumption(1, "Lobby"), room.resumption(1, "Lobby")

    assert first is second
    assert [sent["rev"] for sent in json.loads(first["text"])["events"]] == [2]


def test_a_new_batch_makes_new_frames():
    room = room_with(numbered(0, 2))
    before = room.resumption(1, "Lobby")

    room.add(numbered(2, 3))

    assert json.loads(room.resumption(1, "Lobby")["text"])["head"] == 3
    assert json.loads(before["text"])["head"] == 2


def test_another_epoch_makes_the_access_of_all_sockets_be_checked():
    room = room_with(numbered(0, 2))
    room.access_version = 7

    room.set_epoch("another")

    assert (room.epoch, room.access_version) == ("another", -1)
