"""Pruning during a read, between the query for the head and the query for the rows."""

import pytest

from django_roomchat import log
from django_roomchat.log import reading
from django_roomchat.log.reading import _log_of
from django_roomchat.messages.edit import delete_message
from django_roomchat.messages.post import post_message
from django_roomchat.models import Room

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def room():
    """Three messages, of which the first was deleted with number 4."""
    for body in "abc":
        post_message("lobby", body)
    delete_message("lobby", 1)
    return Room.objects.get()


@pytest.fixture
def prune_meanwhile(room, monkeypatch):
    """Prunes as soon as the position was read."""

    def prune(through):
        def log_of(name, original=_log_of):
            found = original(name)
            log.prune(room.pk, through)
            return found

        monkeypatch.setattr(reading, "_log_of", log_of)

    return prune


def test_a_client_that_missed_a_pruned_deletion_starts_over(room, prune_meanwhile):
    prune_meanwhile(1)

    part = log.read("lobby", str(room.log.epoch), 3, limit=10, page=10)

    assert (part.reset, part.floor, [event.seq for event in part.events]) == ("floor", 4, [2, 3])


def test_a_client_with_every_event_does_not_start_over(room, prune_meanwhile):
    prune_meanwhile(1)

    part = log.read("lobby", str(room.log.epoch), 4, limit=10, page=10)

    assert (part.reset, part.prev, part.head, part.events) == (None, 4, 4, [])


def test_the_recent_events_begin_above_what_is_pruned_meanwhile(room, prune_meanwhile):
    post_message("lobby", "d")
    prune_meanwhile(1)

    part = log.tail("lobby", changes=4)

    assert (part.prev, part.head, [event.seq for event in part.events]) == (4, 5, [5])


def test_the_recent_events_do_not_begin_above_the_head_that_was_read(room, monkeypatch):
    def log_of(name, original=_log_of):
        found = original(name)
        post_message("lobby", "d")
        log.prune(room.pk, 5)
        return found

    monkeypatch.setattr(reading, "_log_of", log_of)

    part = log.tail("lobby", changes=4)

    assert (part.prev, part.head, part.events) == (4, 4, [])


def test_the_floor_never_falls(room):
    """The last change of the first message has revision 4, that of the second revision 2."""
    log.prune(room.pk, 1)
    log.prune(room.pk, 2)

    room.log.refresh_from_db()
    assert room.log.floor == 4
    assert log.verify(room.log) == []
