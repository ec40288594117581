"""Rooms in which people take turns: slow mode, and announcements; from Python, over HTTP and on a socket."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from django_roomchat import log
from django_roomchat.consumers import ChatConsumer
from django_roomchat.errors import ChatError
from django_roomchat.identity import Identity
from django_roomchat.messages.edit import edit_message
from django_roomchat.messages.post import post_message, post_messages
from django_roomchat.messages.types import NewPost
from django_roomchat.models import Membership, Message, Room, RoomLog
from django_roomchat.realtime import threads
from django_roomchat.rooms import lookup
from django_roomchat.testing import ChatClient

pytestmark = pytest.mark.django_db(transaction=True)
ANA, BOB = Identity("g:ana", "Ana", is_guest=True), Identity("g:bob", "Bob", is_guest=True)
MODERATOR = Identity("u:mod", "Mod")


def make_room(name="lobby", **settings):
    room = lookup.ensure_room(Room(name=name, title=name))
    Room.objects.filter(pk=room.pk).update(**settings)
    Membership.objects.create(room=room, key=MODERATOR.key, role="moderator")
    RoomLog.objects.filter(pk=room.pk).update(access_version=1)
    return room


@pytest.fixture
def slow():
    return make_room(slow_seconds=60)


def say(who=ANA, body="hi", room="lobby", **options):
    try:
        return post_message(room, body, author=who, **options).seq
    except ChatError as error:
        return error.code


def pass_seconds(seconds):
    Message.objects.update(created_at=F("created_at") - timedelta(seconds=seconds))


def test_one_post_of_each_person_in_a_while(slow):
    first = [say(), say(), say(BOB), say(BOB)]
    pass_seconds(61)

    assert (first, say(), say()) == ([1, "rate_limited", 2, "rate_limited"], 3, "rate_limited")
    assert log.verify(RoomLog.objects.get()) == []


def test_the_answer_says_when_to_come_again(slow):
    say()
    pass_seconds(20)

    with pytest.raises(ChatError) as caught:
        post_message("lobby", "again", author=ANA)

    assert (caught.value.code, caught.value.detail, caught.value.status) == (
        "rate_limited",
        "Slow mode is on: one message every 60 seconds.",
        429,
    )
    assert 39 < caught.value.retry_after <= 40.2


def test_moderators_and_the_site_are_not_slowed(slow):
    assert [say(MODERATOR), say(MODERATOR), say(None), say(None)] == [1, 2, 3, 4]


def test_other_rooms_are_not_slowed(slow):
    say()

    assert [say(room="other"), say(room="other")] == [1, 2]


def edit(body, who=ANA):
    try:
        return edit_message("lobby", 1, body, by=who).seq
    except ChatError as error:
        return error.code, round(error.retry_after or 0)


def test_an_edit_counts_like_a_post(slow):
    say()
    too_soon = edit("better")
    pass_seconds(61)
    in_time = edit("better")

    assert (too_soon, in_time, edit("best"), say(), say(BOB)) == (
        ("rate_limited", 60),
        1,
        ("rate_limited", 60),
        "rate_limited",
        3,  # the edit took 2
    )


def test_an_edit_that_changes_nothing_and_edits_of_moderators_and_the_site_are_not_slowed(slow):
    say(MODERATOR, "hi")

    assert [edit(body, who) for body, who in (("a", MODERATOR), ("b", MODERATOR), ("c", None))] == [1, 1, 1]
    assert edit_message("lobby", say(BOB), "hi", by=BOB).duplicate


def test_a_batch_is_slowed_as_if_its_posts_came_one_by_one(slow):
    posts = [NewPost(who, "lobby", "hi", id) for who, id in ((ANA, "a"), (ANA, "b"), (BOB, "c"), (ANA, "a"))]
    posts.append(NewPost(ANA, "other", "hi", "d"))

    results = [
        getattr(result, "code", None) or (result.seq, result.duplicate) for result in post_messages(posts)
    ]

    assert results == [(1, False), "rate_limited", (2, False), (1, True), (1, False)]
    assert log.verify(RoomLog.objects.get(room__name="lobby")) == []


def test_a_post_that_is_repeated_is_acknowledged_and_not_slowed(slow):
    first = post_message("lobby", "hi", author=ANA, id="a")
    second = post_message("lobby", "hi", author=ANA, id="a")

    assert [(first.seq, first.duplicate), (second.seq, second.duplicate)] == [(1, False), (1, True)]


def test_of_posts_at_the_same_time_one_is_stored(slow):
    def say_something(number):
        try:
            return say(body=f"message {number}")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(say_something, range(8)))

    assert sorted(map(str, answers)) == ["1"] + ["rate_limited"] * 7


def test_only_slow_rooms_pay_a_query(slow):
    def cost(room):
        for _ in range(2):
            say(None, room=room)
        with CaptureQueriesContext(connection) as captured:
            say(ANA, room=room)
        return len([query for query in captured if query["sql"].split()[0] not in ("BEGIN", "COMMIT")])

    # Lock the room, look for repeated posts, and read the time of the last post. The role may be cached.
    # MySQL and MariaDB read the number that they took.
    reads = int(connection.vendor == "mysql")
    assert cost("other") == 2 + reads
    assert cost("lobby") <= 2 + reads + 3 + 3 + reads


def test_slow_mode_that_is_switched_on_applies_in_processes_that_cache_the_room(slow):
    Room.objects.update(slow_seconds=0)
    before = [say(), say()]
    lookup.change_access(slow, "", lambda room: Room.objects.filter(pk=room.pk).update(slow_seconds=60))

    assert (before, say()) == ([1, 2], "rate_limited")


def send(client, body, id):
    response = client.post(
        reverse("roomchat:messages", args=["lobby"]),
        json.dumps({"id": id, "body": body}),
        content_type="application/json",
    )
    return (
        response.status_code,
        response.json().get("error", {}).get("code"),
        response.headers.get("Retry-After"),
    )


def test_over_http_it_is_the_same(slow):
    client = Client()

    assert [send(client, "hi", id) for id in "ab"] == [(201, None, None), (429, "rate_limited", "60")]


async def test_on_a_socket_it_is_the_same():
    await threads.in_thread(make_room, slow_seconds=60)
    async with ChatClient(ChatConsumer.as_asgi(), "lobby") as client:
        rights = await client.receive("rights")
        answers = [await client.post("hi", id=id) for id in "ab"]

    assert (rights["slow_seconds"], answers[0]["type"]) == (60, "ack")
    assert (answers[1]["code"], answers[1]["id"]) == ("rate_limited", "b")
    assert 59 < answers[1]["retry_after"] <= 60.2


async def test_in_an_announcement_room_only_moderators_post_whichever_way():
    await threads.in_thread(make_room, is_announcement=True)
    python = await threads.in_thread(lambda: [say(), say(MODERATOR), say(None)])
    http = await threads.in_thread(send, Client(), "hi", "a")
    async with ChatClient(ChatConsumer.as_asgi(), "lobby") as client:
        rights = await client.receive("rights")
        socket = await client.post("hi", id="a")

    assert python == ["announcement", 1, 2]
    assert http == (403, "announcement", None)
    assert ("post" in rights["can"], socket["code"]) == (False, "announcement")
