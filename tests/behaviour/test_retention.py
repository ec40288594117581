"""Messages that a room keeps for a limited time."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from django_roomchat.messages.history import prune_history
from django_roomchat.messages.post import post_message
from django_roomchat.models import (
    Message,
    Room,
)
from tests.support.privacy import audited, left

pytestmark = pytest.mark.django_db
BOTH = ["old", "new"]


@pytest.fixture
def old():
    """In each of three rooms a message that is forty days old and one of today."""
    for room, days in (("short", 30), ("long", 60), ("forever", None)):
        for body in ("old", "new"):
            post_message(room, body)
        Room.objects.filter(name=room).update(retention_days=days)
    Message.objects.filter(body="old").update(created_at=timezone.now() - timedelta(days=40))


def test_each_room_keeps_its_messages_as_long_as_it_says(old):
    assert prune_history() == {"short": 1}
    assert left() == {"short": ["new"], "long": BOTH, "forever": BOTH}
    assert audited() == []


def test_what_is_asked_for_takes_the_place_of_what_rooms_say(old):
    assert prune_history(older_than=timedelta(days=35)) == {"short": 1, "long": 1, "forever": 1}


def test_a_number_to_keep_comes_on_top_of_what_rooms_say(old):
    assert prune_history(keep=2, dry_run=True) == {"short": 1}
    assert prune_history(keep=1) == {"short": 1, "long": 1, "forever": 1}


def test_no_days_are_no_limit(old):
    Room.objects.update(retention_days=0)

    assert prune_history() == {}


def test_the_command_without_options_does_what_rooms_say(old, capsys):
    call_command("roomchat_prune")

    assert capsys.readouterr().out == "short: 1\n1 messages pruned.\n"
