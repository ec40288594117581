import logging

import pytest
from django.db import transaction

from django_roomchat import signals
from django_roomchat.messages.edit import delete_message, edit_message
from django_roomchat.messages.post import post_message, post_messages
from django_roomchat.models import Message
from tests.support.posts import ANA, posts

pytestmark = pytest.mark.django_db(transaction=True)
SIGNALS = {
    "posted": signals.message_posted,
    "edited": signals.message_edited,
    "deleted": signals.message_deleted,
}


@pytest.fixture
def heard():
    """Signals that the receivers of a project receive."""
    heard, receivers = [], {}
    for name, signal in SIGNALS.items():

        def receive(sender, room, event, name=name, **kwargs):
            heard.append((name, sender, room, event.seq, event.rev, event.body))

        receivers[name] = receive
        signal.connect(receive)
    yield heard
    for name, signal in SIGNALS.items():
        signal.disconnect(receivers[name])


def test_every_new_message_is_announced_once(heard):
    post_messages(posts(("a", "one"), ("b", "two")))
    post_messages(posts(("b", "two")))

    assert heard == [("posted", Message, "lobby", 1, 1, "one"), ("posted", Message, "lobby", 2, 2, "two")]


def test_every_change_is_announced(heard):
    post_message("lobby", "hi", author=ANA)
    heard.clear()

    edit_message("lobby", 1, "other words", by=ANA)
    edit_message("lobby", 1, "other words", by=ANA)
    delete_message("lobby", 1, by=ANA)

    assert heard == [
        ("edited", Message, "lobby", 1, 2, "other words"),
        ("deleted", Message, "lobby", 1, 3, ""),
    ]


def test_nothing_is_announced_before_the_commit_and_nothing_after_a_rollback(heard):
    with transaction.atomic():
        post_message("lobby", "hi")
        before = list(heard)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        post_message("lobby", "undone")
        raise ZeroDivisionError

    assert (before, [body for *_, body in heard]) == ([], ["hi"])


def test_a_receiver_that_fails_hurts_nobody(heard, caplog):
    def fail(**kwargs):
        raise ZeroDivisionError

    signals.message_posted.connect(fail)
    try:
        posted = post_message("lobby", "hi")
    finally:
        signals.message_posted.disconnect(fail)

    assert (posted.seq, len(heard)) == (1, 1)
    assert [record.levelno for record in caplog.records if record.name == "django.dispatch"] == [
        logging.ERROR
    ]
