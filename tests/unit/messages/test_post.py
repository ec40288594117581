"""Posts: one or many, their authors, repeated identifiers, and the batches that are published."""

import asyncio

import pytest
from channels.layers import get_channel_layer
from django.contrib.auth.models import User
from django.db import transaction

from django_roomchat import pubsub
from django_roomchat.errors import (
    BadRoomName,
    BadText,
    BadValue,
    ChatError,
    Forbidden,
    IdReused,
    NotFound,
)
from django_roomchat.identity import new_guest, of_user
from django_roomchat.messages.history import read_history
from django_roomchat.messages.post import apost_message, post_message, post_messages
from django_roomchat.messages.types import NewPost, Posted
from django_roomchat.models import Message, Room
from django_roomchat.policy import Decision, OpenPolicy
from django_roomchat.rooms import lookup
from tests.support.posts import ANA, BOB, messages, posts, ranges

pytestmark = pytest.mark.django_db

# Posting -------------------------------------------------------------------------------------------------------------


def test_a_post_makes_the_room_and_says_where_it_stands():
    posted = post_message("  My Room ", "hi", author=ANA, id="a")

    assert posted == Posted("my room", "a", 1, duplicate=False)
    assert Room.objects.values_list("name", "title").get() == ("my room", "My Room")
    assert messages("my room") == [(1, "hi", "g:ana", "Ana", "user")]


def test_a_room_may_be_given_as_it_is():
    room = Room.objects.get(name=post_message("lobby", "hi").room)

    assert post_message(room, "again").seq == 2


def test_a_user_speaks_under_their_name():
    user = User.objects.create_user("ana", first_name="Ana", last_name="Ng")

    post_message("lobby", "hi", author=user)

    assert messages() == [(1, "hi", f"u:{user.pk}", "Ana Ng", "user")]
    assert Message.objects.get().author == user


@pytest.mark.parametrize(
    ("options", "name", "kind"),
    [
        ({}, "System", "system"),
        ({"name": "Weather"}, "Weather", "bot"),
        ({"kind": "bot"}, "System", "bot"),
        ({"author": ANA, "kind": "bot"}, "Ana", "bot"),
    ],
)
def test_the_project_may_speak_itself(options, name, kind):
    post_message("lobby", "hi", **options)

    assert [(shown, sort) for _, _, _, shown, sort in messages()] == [(name, kind)]


def test_an_author_brings_the_name_along():
    with pytest.raises(BadValue) as caught:
        post_message("lobby", "hi", author=ANA, name="Weather")

    assert caught.value.detail == "Give an author or a name, not both: an author has a name already."


def test_the_same_id_is_the_same_message_however_often_it_is_posted():
    first = post_message("lobby", "paid", id="order-5-paid")

    again = post_message("Lobby", "paid", id="order-5-paid")

    assert (first, again) == (
        Posted("lobby", "order-5-paid", 1, False),
        Posted("lobby", "order-5-paid", 1, True),
    )
    assert len(messages()) == 1


def test_without_an_id_every_post_is_a_message():
    post_message("lobby", "hi")
    post_message("lobby", "hi")

    assert len(messages()) == 2


@pytest.mark.parametrize(
    ("room", "body", "options", "kind"),
    [
        ("a/b", "hi", {}, BadRoomName),
        ("lobby", "", {}, BadText),
        ("lobby", "x" * 4001, {}, BadText),
        ("lobby", "a\x00", {}, BadText),
        ("lobby", 5, {}, BadText),
        ("lobby", "hi", {"id": ""}, BadValue),
        ("lobby", "hi", {"id": "a b"}, BadValue),
        ("lobby", "hi", {"reply_to": 7}, NotFound),
    ],
)
def test_what_cannot_be_said_raises_and_nothing_is_stored(
    published, django_capture_on_commit_callbacks, room, body, options, kind
):
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(ChatError) as caught:
        post_message(room, body, author=ANA, **options)

    assert type(caught.value) is kind
    assert (Message.objects.count(), published) == (0, [])


def test_an_id_reused_for_other_words_raises():
    post_message("lobby", "hi", author=ANA, id="a")

    with pytest.raises(IdReused):
        post_message("lobby", "other words", author=ANA, id="a")


def test_a_message_may_answer_another():
    post_message("lobby", "hi")

    post_message("lobby", "hello", reply_to=1)

    assert Message.objects.get(seq=2).reply_to == 1


class NoPosts(OpenPolicy):
    def can_post(self, who, room):
        return Decision(who.name == "Bob", "Only Bob.", code="only_bob")


def test_who_may_not_post_is_told_why_and_makes_no_room(settings):
    settings.ROOMCHAT = {"POLICY": NoPosts}

    with pytest.raises(Forbidden) as caught:
        post_message("lobby", "hi", author=ANA)

    assert (caught.value.code, caught.value.detail) == ("only_bob", "Only Bob.")
    assert Room.objects.count() == 0
    assert post_message("lobby", "hi", author=BOB).seq == 1


def test_the_site_is_not_asked(settings):
    settings.ROOMCHAT = {"POLICY": NoPosts}

    assert post_message("lobby", "hi").seq == 1


# Telling -------------------------------------------------------------------------------------------------------------


def test_everybody_is_told_after_the_commit_and_not_before(published, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        post_message("lobby", "hi")
        before = list(published)

    assert (before, ranges(published)) == ([], [("lobby", 0, 1, ["hi"])])


@pytest.mark.django_db(transaction=True)
def test_nobody_is_told_before_the_outermost_commit(published):
    with transaction.atomic():
        post_message("lobby", "hi")
        with transaction.atomic():
            post_message("lobby", "again")
        before = list(published)

    assert (before, ranges(published)) == ([], [("lobby", 0, 1, ["hi"]), ("lobby", 1, 2, ["again"])])


@pytest.mark.django_db(transaction=True)
def test_nobody_is_told_of_what_was_rolled_back(published):
    post_message("lobby", "first")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        post_message("lobby", "undone")
        post_message("another room", "undone")
        raise ZeroDivisionError

    post_message("lobby", "second")
    post_message("another room", "second")

    assert ranges(published) == [
        ("lobby", 0, 1, ["first"]),
        ("lobby", 1, 2, ["second"]),
        ("another room", 0, 1, ["second"]),
    ]


def test_a_repeated_post_is_not_told_again(published, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        post_message("lobby", "hi", id="a")
        post_message("lobby", "hi", id="a")

    assert ranges(published) == [("lobby", 0, 1, ["hi"])]


@pytest.mark.django_db(transaction=True)
async def test_an_asynchronous_view_says_it_over_the_layer():
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add("chat_lobby", channel)

    posted = await apost_message("lobby", "hi", author=ANA)

    batch = pubsub.from_message(await layer.receive(channel))
    assert (posted.seq, ranges([batch])) == (1, [("lobby", 0, 1, ["hi"])])


@pytest.mark.django_db(transaction=True)
@pytest.mark.redis
async def test_a_thread_without_a_loop_says_it_over_a_real_layer(settings, redis_url):
    hosts = [{"address": redis_url, "socket_timeout": None}]
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": hosts}}
    }
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add("chat_lobby", channel)

    await asyncio.to_thread(in_a_thread, "hi")
    await asyncio.to_thread(in_a_thread, "again")

    batches = [pubsub.from_message(await layer.receive(channel)) for _ in range(2)]
    assert ranges(batches) == [("lobby", 0, 1, ["hi"]), ("lobby", 1, 2, ["again"])]
    await layer.close_pools()


def in_a_thread(body):
    try:
        post_message("lobby", body)
    finally:
        transaction.get_connection().close()


# Many at once --------------------------------------------------------------------------------------------------------


def test_many_posts_are_one_transaction_and_one_piece_of_news_for_each_room(
    published, django_capture_on_commit_callbacks
):
    wanted = [*posts(("a", "one"), ("b", "two")), *posts(("c", "three"), room="other")]

    with django_capture_on_commit_callbacks(execute=True):
        results = post_messages(wanted)

    assert results == [
        Posted("lobby", "a", 1, False),
        Posted("lobby", "b", 2, False),
        Posted("other", "c", 1, False),
    ]
    assert ranges(published) == [("lobby", 0, 2, ["one", "two"]), ("other", 0, 1, ["three"])]


def test_a_post_that_is_refused_fails_alone(settings):
    settings.ROOMCHAT = {"POLICY": NoPosts}
    wanted = [
        *posts(("a", "one"), who=BOB),
        *posts(("b", "not allowed")),
        *posts(("c", ""), who=BOB),
        *posts(("d", "two"), room="a/b", who=BOB),
        NewPost(BOB, "lobby", "three", "e", reply_to=99),
        *posts(("f", "four"), ("a", "other words"), who=BOB),
    ]

    results = post_messages(wanted)

    assert [result.code if isinstance(result, ChatError) else result.seq for result in results] == [
        1, "only_bob", "bad_text", "bad_room_name", "not_found", 2, "id_reused",
    ]  # fmt: skip
    assert [body for _, body, *_ in messages()] == ["one", "four"]


def test_the_same_room_typed_differently_is_one_room():
    results = post_messages([*posts(("a", "one"), room="Café"), *posts(("b", "two"), room=" CAFE\u0301")])

    assert [(result.room, result.seq) for result in results] == [("café", 1), ("café", 2)]


def test_no_posts_are_no_transaction(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert post_messages([]) == []


def test_the_policy_is_asked_once_for_each_author_and_room(settings):
    asked = []

    class Counting(OpenPolicy):
        def can_post(self, who, room):
            asked.append((who.key, room.name))
            return super().can_post(who, room)

    settings.ROOMCHAT = {"POLICY": Counting}

    post_messages(
        [*posts(("a", "1"), ("b", "2")), *posts(("c", "3"), who=BOB), *posts(("d", "4"), room="other")]
    )

    assert asked == [("g:ana", "lobby"), ("g:bob", "lobby"), ("g:ana", "other")]


@pytest.mark.django_db(transaction=True)
def test_a_room_that_is_gone_is_made_again():
    post_message("lobby", "hi", author=ANA)
    Room.objects.all().delete()

    posted = post_message("lobby", "hi", author=ANA)

    assert (posted.seq, messages()) == (1, [(1, "hi", "g:ana", "Ana", "user")])


@pytest.mark.django_db(transaction=True)
def test_a_room_that_the_project_made_itself_can_be_spoken_in():
    Room.objects.create(name="lobby", title="Lobby")
    history = read_history("lobby", by=ANA)

    assert (history.messages, post_message("lobby", "hi").seq, Room.objects.count()) == ([], 1, 1)


@pytest.mark.django_db(transaction=True)
def test_a_process_forgets_rooms_before_they_fill_its_memory(monkeypatch):
    monkeypatch.setattr(lookup, "REMEMBERED_MAX", 2)

    for number in range(6):
        post_message(f"room{number}", "hi")
        post_message(f"room{number}", "hi")

    assert len(lookup.remembered) <= 3


# The public names ----------------------------------------------------------------------------------------------------


def test_a_guest_and_a_user_of_the_same_id_are_two_authors():
    user = User.objects.create_user("ana")

    results = post_messages(
        [NewPost(of_user(user), "lobby", "hi", "a"), NewPost(new_guest(), "lobby", "hi", "a")]
    )

    assert [result.seq for result in results] == [1, 2]
