"""Bans, and posts that a change of rights overtakes."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from django_roomchat.errors import (
    Busy,
)
from django_roomchat.messages.edit import delete_message, edit_message
from django_roomchat.messages.history import read_history
from django_roomchat.messages.post import policy, post_message, post_messages
from django_roomchat.models import Ban, RoomLog
from django_roomchat.moderation.sanctions import ban, unban
from django_roomchat.policy import permissions
from django_roomchat.rooms import lookup
from tests.support.posts import ANA, BOB, messages, posts, refusal

pytestmark = pytest.mark.django_db


def test_who_is_banned_can_do_nothing_in_the_room_and_everything_elsewhere():
    post_message("lobby", "hi", author=BOB)

    head = ban("Lobby", BOB)

    banned = ("banned", "You are banned from this room. A moderator can end this.")
    assert head == 1
    assert refusal(post_message, "lobby", "hi", author=BOB) == banned
    assert refusal(read_history, "lobby", by=BOB) == banned
    assert refusal(edit_message, "lobby", 1, "x", by=BOB) == banned
    assert refusal(delete_message, "lobby", 1, by=BOB) == banned
    assert post_message("other", "hi", author=BOB).seq == 1
    assert post_message("lobby", "hi", author=ANA).seq == 2


def test_a_ban_may_say_why_and_until_when():
    ban("lobby", BOB, reason="Spam.", until=timezone.now() + timedelta(hours=1))
    ban("other", BOB, until=timezone.now() + timedelta(hours=1))
    Ban.objects.filter(room__name="other").update(until=timezone.now() - timedelta(seconds=1))

    code, detail = refusal(post_message, "lobby", "hi", author=BOB)
    assert (
        code,
        detail.startswith("You are banned from this room until "),
        detail.endswith("Reason: Spam."),
    ) == (
        "banned",
        True,
        True,
    )
    assert post_message("other", "hi", author=BOB).seq == 1


def test_a_second_ban_takes_the_place_of_the_first():
    ban("lobby", BOB, reason="Spam.")
    ban("lobby", "g:bob", reason="More spam.")

    assert [(one.key, one.reason) for one in Ban.objects.all()] == [("g:bob", "More spam.")]


def test_who_is_unbanned_may_come_back():
    user = User.objects.create_user("ana")
    ban("lobby", user)
    refused = refusal(post_message, "lobby", "hi", author=user)

    unban("lobby", user)

    assert refused[0] == "banned"
    assert post_message("lobby", "hi", author=user).seq == 1


def test_only_those_who_moderate_may_ban(settings):
    staff = User.objects.create_user("staff", is_staff=True)

    assert refusal(ban, "lobby", BOB, by=ANA) == ("forbidden", "You are not allowed to do this.")
    assert refusal(unban, "lobby", BOB, by=ANA)[0] == "forbidden"
    ban("lobby", BOB, by=staff)

    assert [(one.key, one.name, one.by) for one in Ban.objects.all()] == [("g:bob", "Bob", staff)]


def test_everybody_is_told_whose_rights_have_changed(published, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        ban("lobby", BOB)
        before = len(published)
        unban("lobby", "g:bob")

    assert before == 0
    assert [(news.room, news.version, news.key) for news in published] == [
        ("lobby", 1, "g:bob"),
        ("lobby", 2, "g:bob"),
    ]


@pytest.mark.django_db(transaction=True)
def test_no_post_overtakes_a_ban_that_this_process_has_not_received():
    post_message("lobby", "hi", author=BOB)
    post_message("lobby", "again", author=BOB)
    remembered = dict(lookup.remembered)

    ban("lobby", BOB)
    lookup.remembered.update(remembered)

    assert refusal(post_message, "lobby", "hi", author=BOB)[0] == "banned"
    assert len(messages()) == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "act", [lambda: post_message("lobby", "x", author=ANA), lambda: edit_message("lobby", 1, "x", by=ANA)]
)
def test_where_rights_change_all_the_time_one_is_asked_to_come_again(monkeypatch, act):
    post_message("lobby", "hi", author=ANA)
    require_entry = policy.require_entry

    def overtaken(who, room):
        require_entry(who, room)
        RoomLog.objects.update(access_version=room.log.access_version + 1)

    for module in (policy, permissions):
        monkeypatch.setattr(module, "require_entry", overtaken)

    with pytest.raises(Busy) as caught:
        act()

    assert (caught.value.detail, caught.value.retry_after) == (
        "Permissions in this room are changing; try again.",
        1.0,
    )


@pytest.mark.django_db(transaction=True)
def test_of_many_posts_those_in_a_room_whose_rights_have_changed_are_looked_at_again(monkeypatch):
    for room in ("lobby", "other"):
        post_message(room, "hi", author=ANA)
    require_entry, times = policy.require_entry, []

    def overtaken_once(who, room):
        require_entry(who, room)
        if room.name == "other" and not times:
            times.append(1)
            RoomLog.objects.filter(room__name="other").update(access_version=5)

    monkeypatch.setattr(policy, "require_entry", overtaken_once)

    results = post_messages([*posts(("a", "one")), *posts(("b", "two"), room="other")])

    assert [(result.room, result.seq, result.duplicate) for result in results] == [
        ("lobby", 2, False),
        ("other", 2, False),
    ]
    assert len(messages("lobby")) == 2
