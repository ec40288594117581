import asyncio
import json
from datetime import timedelta

import pytest
from channels.layers import get_channel_layer
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

import django_roomchat
from django_roomchat import pubsub
from django_roomchat.errors import (
    BadRoomName,
    BadText,
    BadValue,
    Busy,
    ChatError,
    Forbidden,
    IdReused,
    NotFound,
)
from django_roomchat.identity import Identity, new_guest, of_user, site
from django_roomchat.messages.edit import adelete_message, aedit_message, delete_message, edit_message
from django_roomchat.messages.history import aread_history, prune_history, read_history
from django_roomchat.messages.post import apost_message, policy, post_message, post_messages
from django_roomchat.messages.room_list import unread
from django_roomchat.messages.types import NewPost, Posted
from django_roomchat.models import Ban, Message, Room, RoomLog
from django_roomchat.moderation import sanctions
from django_roomchat.moderation.sanctions import aunban, ban, unban
from django_roomchat.policy import Decision, OpenPolicy, permissions
from django_roomchat.rooms import lookup

pytestmark = pytest.mark.django_db

ANA, BOB = Identity("g:ana", "Ana", is_guest=True), Identity("g:bob", "Bob", is_guest=True)


@pytest.fixture
def told(monkeypatch):
    """What is told to everybody."""
    news = []
    monkeypatch.setattr(pubsub, "publish", news.append)
    return news


def messages(room="lobby"):
    rows = Message.objects.filter(room__name=room).order_by("seq")
    return list(rows.values_list("seq", "body", "author_key", "author_name", "kind"))


def ranges(told):
    return [
        (batch.room, batch.prev, batch.head, [json.loads(event)["body"] for _, event in batch.events])
        for batch in told
    ]


def posts(*several, room="lobby", who=ANA):
    return [NewPost(who, room, body, id_) for id_, body in several]


# Posting ---------------------------------------------------------------------------------------------------------


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
    told, django_capture_on_commit_callbacks, room, body, options, kind
):
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(ChatError) as caught:
        post_message(room, body, author=ANA, **options)

    assert type(caught.value) is kind
    assert (Message.objects.count(), told) == (0, [])


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


# Telling ---------------------------------------------------------------------------------------------------------


def test_everybody_is_told_after_the_commit_and_not_before(told, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        post_message("lobby", "hi")
        before = list(told)

    assert (before, ranges(told)) == ([], [("lobby", 0, 1, ["hi"])])


@pytest.mark.django_db(transaction=True)
def test_nobody_is_told_before_the_outermost_commit(told):
    with transaction.atomic():
        post_message("lobby", "hi")
        with transaction.atomic():
            post_message("lobby", "again")
        before = list(told)

    assert (before, ranges(told)) == ([], [("lobby", 0, 1, ["hi"]), ("lobby", 1, 2, ["again"])])


@pytest.mark.django_db(transaction=True)
def test_nobody_is_told_of_what_was_rolled_back(told):
    post_message("lobby", "first")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        post_message("lobby", "undone")
        post_message("another room", "undone")
        raise ZeroDivisionError

    post_message("lobby", "second")
    post_message("another room", "second")

    assert ranges(told) == [
        ("lobby", 0, 1, ["first"]),
        ("lobby", 1, 2, ["second"]),
        ("another room", 0, 1, ["second"]),
    ]


def test_a_repeated_post_is_not_told_again(told, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        post_message("lobby", "hi", id="a")
        post_message("lobby", "hi", id="a")

    assert ranges(told) == [("lobby", 0, 1, ["hi"])]


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


# Many at once ----------------------------------------------------------------------------------------------------


def test_many_posts_are_one_transaction_and_one_piece_of_news_for_each_room(
    told, django_capture_on_commit_callbacks
):
    wanted = [*posts(("a", "one"), ("b", "two")), *posts(("c", "three"), room="other")]

    with django_capture_on_commit_callbacks(execute=True):
        results = post_messages(wanted)

    assert results == [
        Posted("lobby", "a", 1, False),
        Posted("lobby", "b", 2, False),
        Posted("other", "c", 1, False),
    ]
    assert ranges(told) == [("lobby", 0, 2, ["one", "two"]), ("other", 0, 1, ["three"])]


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


# Changing --------------------------------------------------------------------------------------------------------


def test_an_edit_takes_the_next_number_and_is_told(told, django_capture_on_commit_callbacks):
    post_message("lobby", "hi", author=ANA)

    with django_capture_on_commit_callbacks(execute=True):
        done = edit_message("Lobby", 1, " other words ", by=ANA)

    message = Message.objects.get()
    assert (done.room, done.seq, done.duplicate) == ("lobby", 1, False)
    assert (message.rev, message.body, message.edited_at is not None) == (2, "other words", True)
    assert ranges(told) == [("lobby", 1, 2, ["other words"])]


def test_a_deletion_erases_the_words_and_keeps_the_place(told, django_capture_on_commit_callbacks):
    post_message("lobby", "hi", author=ANA)
    Message.objects.update(data={"link": "x"})

    with django_capture_on_commit_callbacks(execute=True):
        done = delete_message("lobby", 1, by=ANA)

    message = Message.objects.get()
    assert (done.seq, message.rev, message.body, message.data) == (1, 2, "", {})
    assert message.deleted_at is not None
    assert ranges(told) == [("lobby", 1, 2, [""])]


@pytest.mark.parametrize(
    "repeat",
    [lambda: edit_message("lobby", 1, "hi", by=ANA), lambda: delete_message("lobby", 1, by=ANA)],
)
def test_a_change_that_was_made_before_is_a_duplicate_and_not_told(
    told, django_capture_on_commit_callbacks, repeat
):
    post_message("lobby", "hi", author=ANA)
    if repeat.__code__.co_names[0] == "delete_message":
        repeat()

    with django_capture_on_commit_callbacks(execute=True):
        done = repeat()

    assert (done.duplicate, told) == (True, [])


def test_what_was_deleted_cannot_be_edited():
    post_message("lobby", "hi", author=ANA)
    delete_message("lobby", 1, by=ANA)

    with pytest.raises(NotFound) as caught:
        edit_message("lobby", 1, "back again", by=ANA)

    assert caught.value.detail == "Message 1 was deleted."
    assert Message.objects.get().body == ""


@pytest.mark.parametrize(
    "change",
    [
        lambda who: edit_message("lobby", 1, "x", by=who),
        lambda who: delete_message("lobby", 1, by=who),
    ],
)
def test_nobody_changes_what_others_said_but_those_who_may(change):
    post_message("lobby", "hi", author=ANA)

    with pytest.raises(Forbidden) as caught:
        change(BOB)

    assert caught.value.detail == "This message is not yours."
    assert messages() == [(1, "hi", "g:ana", "Ana", "user")]
    assert change(None).seq == 1


def test_staff_may_delete_and_not_edit_what_others_said():
    staff = User.objects.create_user("staff", is_staff=True)
    post_message("lobby", "hi", author=ANA)

    with pytest.raises(Forbidden):
        edit_message("lobby", 1, "x", by=staff)

    assert delete_message("lobby", 1, by=staff).seq == 1


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        (lambda: edit_message("nowhere", 1, "x"), "There is no message 1 in this room."),
        (lambda: delete_message("lobby", 9), "There is no message 9 in this room."),
    ],
)
def test_what_is_not_there_cannot_be_changed(change, detail):
    post_message("lobby", "hi")

    with pytest.raises(NotFound) as caught:
        change()

    assert caught.value.detail == detail


def test_an_edit_to_nothing_is_refused():
    post_message("lobby", "hi")

    with pytest.raises(BadText):
        edit_message("lobby", 1, " ")


@pytest.mark.django_db(transaction=True)
async def test_the_twins_do_the_same():
    await apost_message("lobby", "hi", author=ANA)
    await aedit_message("lobby", 1, "other words", by=ANA)
    history = await aread_history("lobby", by=ANA)
    await adelete_message("lobby", 1, by=ANA)
    await sanctions.aban("lobby", BOB)
    await aunban("lobby", BOB)

    assert [event.body for event in history.messages] == ["other words"]
    assert [event.body for event in (await aread_history("lobby", by=BOB)).messages] == [""]


# Rights ----------------------------------------------------------------------------------------------------------


def refusal(act, *about, **options):
    with pytest.raises(Forbidden) as caught:
        act(*about, **options)
    return caught.value.code, caught.value.detail


def test_who_is_banned_can_do_nothing_in_the_room_and_everything_elsewhere():
    post_message("lobby", "hi", author=BOB)

    head = ban("Lobby", BOB)

    banned = ("banned", "You are banned from this room.")
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

    assert refusal(post_message, "lobby", "hi", author=BOB) == ("banned", "Spam.")
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


def test_everybody_is_told_whose_rights_have_changed(told, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        ban("lobby", BOB)
        before = len(told)
        unban("lobby", "g:bob")

    assert before == 0
    assert [(news.room, news.version, news.key) for news in told] == [
        ("lobby", 1, "g:bob"),
        ("lobby", 2, "g:bob"),
    ]


@pytest.mark.django_db(transaction=True)
def test_no_post_overtakes_a_ban_that_this_process_has_not_heard_of():
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


# Reading ---------------------------------------------------------------------------------------------------------


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


# Forgetting ------------------------------------------------------------------------------------------------------


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


# The public names ------------------------------------------------------------------------------------------------


def test_the_public_names_are_loaded_when_they_are_used():
    assert django_roomchat.post_message is post_message
    assert [getattr(django_roomchat, name) for name in django_roomchat.__all__]
    with pytest.raises(AttributeError) as caught:
        django_roomchat.nothing  # noqa: B018

    assert str(caught.value) == "module 'django_roomchat' has no attribute 'nothing'"


def test_a_guest_and_a_user_of_the_same_id_are_two_authors():
    user = User.objects.create_user("ana")

    results = post_messages(
        [NewPost(of_user(user), "lobby", "hi", "a"), NewPost(new_guest(), "lobby", "hi", "a")]
    )

    assert [result.seq for result in results] == [1, 2]
