"""Counts of unread messages and mentions."""

import pytest

from django_roomchat.messages import read_markers, room_list, unread_counts
from django_roomchat.messages.edit import delete_message, edit_message
from django_roomchat.messages.post import post_message, post_messages
from django_roomchat.messages.read_markers import mark_all, mark_read
from django_roomchat.messages.room_list import unread
from django_roomchat.messages.types import NewPost
from django_roomchat.models import Message
from django_roomchat.protocol import Marked
from tests.support.unread import ANA, BEN, join, mention, say

pytestmark = pytest.mark.django_db(transaction=True)


def test_ones_own_deleted_and_edited_messages_and_the_lines_of_the_system_are_not_unread():
    say("mine", author=ANA)
    deleted = say("deleted")
    edited = say("edited")
    line = say("Ben joined.")
    Message.objects.filter(seq=line).update(kind="system", data={"line": {"code": "joined"}})
    post_message("lobby", "The site says something.")
    edit_message("lobby", edited, "edited again", by=BEN)
    delete_message("lobby", deleted, by=BEN)

    assert mark_read("lobby", 0, by=ANA) == Marked("lobby", 0, 2, 0)


def test_mentions_are_those_of_oneself():
    first, second = say("one"), say("two")
    mention(first, "g:ana")
    mention(second, "g:anabel")

    assert mark_read("lobby", 0, by=ANA) == Marked("lobby", 0, 2, 1)


def test_counts_end_at_a_hundred():
    mark_all([])
    post_messages([NewPost(BEN, "lobby", "hi", str(number)) for number in range(150)])

    assert mark_read("lobby", 0, by=ANA) == Marked("lobby", 0, 100, 0)


def test_a_database_whose_subqueries_cannot_refer_counts_the_same(monkeypatch):
    for room in ("one", "two", "three"):
        say("1", "2", "3", room=room)
    mark_read("one", 1, by=ANA)
    mark_read("two", 3, by=ANA)
    mention(2, "g:ana", room="one")
    join(ANA, room="three")
    before = unread(ANA), mark_read("one", 1, by=ANA)

    for module in (read_markers, room_list, unread_counts):
        monkeypatch.setattr(module, "can_refer", lambda: False, raising=False)
    monkeypatch.setattr(unread_counts, "CHUNK", 1)

    assert (unread(ANA), mark_read("one", 1, by=ANA)) == before
    assert {room.name: (room.unread, room.mentions) for room in before[0]} == {
        "one": (2, 1),
        "two": (0, 0),
        "three": (0, 0),
    }
