"""History of a room, and messages that are pruned."""

from datetime import timedelta

import pytest
from django.utils import timezone

from django_roomchat.identity import site
from django_roomchat.messages.history import prune_history, read_history
from django_roomchat.messages.post import post_message
from django_roomchat.messages.room_list import unread
from django_roomchat.models import Message, Room, RoomLog
from django_roomchat.policy import Decision, OpenPolicy
from tests.support.posts import ANA, messages, refusal

pytestmark = pytest.mark.django_db

# Reading -------------------------------------------------------------------------------------------------------------


def test_history_is_paged_newest_first(settings):
    settings.ROOMCHAT = {"PAGE_MESSAGES": 2}
    for body in "abcde":
        post_message("lobby", body)

    pages, before = [], None
    while True:
        history = read_history("Lobby", by=ANA, before=before)
        pages.append([event.body for event in history.messages])
        before = history.before
        if before is None:
            break

    log = RoomLog.objects.get()
    assert pages == [["e", "d"], ["c", "b"], ["a"]]
    assert (history.room.name, history.epoch, history.floor, history.head) == ("lobby", str(log.epoch), 0, 5)


def test_a_room_in_which_nothing_was_said_has_an_empty_history():
    history = read_history(" My Room", by=ANA)

    assert (history.room.pk, history.room.name, history.room.title) == (None, "my room", "My Room")
    assert (history.messages, history.before, history.epoch, history.floor, history.head) == (
        [],
        None,
        "",
        0,
        0,
    )
    assert Room.objects.count() == 0


class NoEntry(OpenPolicy):
    def can_enter(self, who, room):
        return Decision(room.name != "secret", "Secret.", code="secret")


def test_who_may_not_enter_reads_and_lists_nothing(settings):
    settings.ROOMCHAT = {"POLICY": NoEntry}
    for room in ("secret", "lobby"):
        post_message(room, "hi")

    assert refusal(read_history, "secret", by=ANA) == ("secret", "Secret.")
    assert [room.name for room in unread(ANA)] == ["lobby"]
    assert [room.name for room in unread(site())] == ["lobby", "secret"]


# Forgetting ----------------------------------------------------------------------------------------------------------


def aged(room, *days):
    for number, age in enumerate(days, 1):
        post_message(room, f"{age} days old")
        Message.objects.filter(room__name=room, seq=number).update(
            created_at=timezone.now() - timedelta(days=age)
        )


@pytest.mark.parametrize(
    ("options", "pruned", "left"),
    [
        ({"older_than": timedelta(days=5)}, {"one": 2, "other": 1}, {"one": [3], "other": [2, 3]}),
        ({"keep": 1}, {"one": 2, "other": 2}, {"one": [3], "other": [3]}),
        ({"keep": 1, "rooms": [" ONE"]}, {"one": 2}, {"one": [3], "other": [1, 2, 3]}),
        ({"keep": 2, "older_than": timedelta(days=5)}, {"one": 2, "other": 1}, {"one": [3], "other": [2, 3]}),
        ({"keep": 3}, {}, {"one": [1, 2, 3], "other": [1, 2, 3]}),
        ({}, {}, {"one": [1, 2, 3], "other": [1, 2, 3]}),
        ({"keep": 1, "dry_run": True}, {"one": 2, "other": 2}, {"one": [1, 2, 3], "other": [1, 2, 3]}),
    ],
)
def test_old_messages_are_forgotten_as_wanted(options, pruned, left):
    aged("one", 9, 8, 1)
    aged("other", 9, 2, 1)

    assert prune_history(**options) == pruned
    assert {room: [seq for seq, *_ in messages(room)] for room in left} == left
