"""Batches and signals of appended messages, after the commit."""

import pytest
from django.db import transaction

from django_roomchat import log, pubsub, signals
from tests.support.log import append, drafts, make_room

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def published(monkeypatch):
    batches = []
    monkeypatch.setattr(pubsub, "publish", batches.append)
    return batches


def appended(*client_ids):
    return append(make_room(), *drafts(*client_ids))


def test_the_events_of_a_transaction_are_one_batch(published):
    done = appended("a", "b")

    log.announce("lobby", done)

    [batch] = published
    assert (batch.room, batch.epoch, batch.prev, batch.head, [rev for rev, _ in batch.events]) == (
        "lobby",
        done.epoch,
        0,
        2,
        [1, 2],
    )


def test_each_event_sends_its_signals(published):
    told = []

    log.announce("lobby", appended("a", "b"), lambda room, event: told.append((room, event.seq)))

    assert told == [("lobby", 1), ("lobby", 2)]


def test_an_exception_in_a_receiver_does_not_affect_the_others(published, caplog):
    received = []

    def fail(sender, **kwargs):
        raise RuntimeError("boom")

    def receive(sender, event, **kwargs):
        received.append(event.seq)

    signals.message_posted.connect(fail)
    signals.message_posted.connect(receive)
    try:
        log.announce("lobby", appended("a"))
    finally:
        signals.message_posted.disconnect(fail)
        signals.message_posted.disconnect(receive)

    assert (received, len(published)) == ([1], 1)


def test_a_call_waits_for_the_commit_and_is_dropped_by_a_rollback():
    calls = []
    with transaction.atomic():
        log.on_commit(calls.append, "committed")
        before = list(calls)
    with transaction.atomic():
        log.on_commit(calls.append, "rolled back")
        transaction.set_rollback(True)

    assert (before, calls) == ([], ["committed"])


def test_an_exception_in_a_call_is_logged_and_the_others_are_made(caplog):
    calls = []

    def fail():
        raise RuntimeError("boom")

    with transaction.atomic():
        log.on_commit(fail)
        log.on_commit(calls.append, "made")

    assert (calls, "boom" in caplog.text) == (["made"], True)
