"""What the site's content filter lets pass, changes, refuses and holds, on all three ways in."""

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from django_roomchat.consumers import ChatConsumer
from django_roomchat.errors import ChatError, Held
from django_roomchat.filters import PASS, Change, Hold, Refuse
from django_roomchat.identity import Identity
from django_roomchat.messages.edit import edit_message
from django_roomchat.messages.post import post_message, post_messages
from django_roomchat.messages.types import NewPost
from django_roomchat.models import AuditEntry, HeldMessage, Message, Room
from django_roomchat.moderation.held import refuse, release
from django_roomchat.moderation.sanctions import ban
from django_roomchat.realtime import threads
from django_roomchat.testing import ChatClient

pytestmark = pytest.mark.django_db(transaction=True)
ANA = Identity("g:ana", "Ana", is_guest=True)


def house_filter(room, who, body):
    """The first word says what happens."""
    word, _, rest = body.partition(" ")
    if word == "fail":
        raise RuntimeError("The filter's own trouble.")
    answers = {
        "change": lambda: Change(rest.upper()),
        "refuse": lambda: Refuse("Not here.", code="rude"),
        "hold": lambda: Hold(f"{who.name} in {room.name}"),
        "empty": lambda: Change(" "),
        "wrong": lambda: True,
    }
    return answers.get(word, lambda: PASS)()


@pytest.fixture(autouse=True)
def _filter(settings):
    settings.ROOMCHAT = {"FILTER": house_filter}


def answer(act, *about, **options):
    try:
        act(*about, **options)
    except ChatError as error:
        return error.code, error.detail, error.retry_after
    return None


def say(body, **options):
    return answer(post_message, "lobby", body, author=ANA, **options)


def texts():
    return list(Message.objects.order_by("seq").values_list("body", flat=True))


def test_a_post_passes_is_changed_or_is_refused():
    assert [say("hello"), say("change quietly"), say("refuse this")] == [
        None,
        None,
        ("rude", "Not here.", None),
    ]
    assert texts() == ["hello", "QUIETLY"]


def test_a_refused_post_makes_no_room():
    assert say("refuse this") is not None
    assert not Room.objects.exists()


@pytest.mark.parametrize("word", ["fail", "empty", "wrong"])
def test_nothing_passes_where_the_filter_fails(word, caplog):
    assert say(f"{word} now") == (
        "unavailable",
        "The message could not be checked; try again.",
        1.0,
    )
    assert texts() == []
    assert "The content filter failed in room 'lobby'" in caplog.text


def test_a_filter_that_fails_harms_only_its_own_post():
    posts = [NewPost(ANA, "lobby", body, body[0]) for body in ("a", "fail", "b")]

    assert [getattr(result, "code", "stored") for result in post_messages(posts)] == [
        "stored",
        "unavailable",
        "stored",
    ]


def test_the_sites_own_words_are_not_filtered():
    post_message("lobby", "refuse this")
    edit_message("lobby", 1, "hold this")

    assert texts() == ["hold this"]


def test_an_edit_is_filtered_too():
    say("hello")

    answers = [
        answer(edit_message, "lobby", 1, body, by=ANA)
        for body in ("change me", "refuse me", "hold me", "fail")
    ]

    assert [given and given[0] for given in answers] == [None, "rude", "filtered", "unavailable"]
    assert texts() == ["ME"]
    assert answer(edit_message, "lobby", 1, "fine", by=ANA) is None
    assert texts() == ["fine"]


def test_a_changed_post_is_stored_once_however_often_it_comes(settings):
    first = post_message("lobby", "change it", author=ANA, id="a")
    second = post_message("lobby", "change it", author=ANA, id="a")
    settings.ROOMCHAT = {}
    third = post_message("lobby", "change it", author=ANA, id="a")

    assert [(posted.seq, posted.duplicate) for posted in (first, second, third)] == [
        (1, False),
        (1, True),
        (1, True),
    ]
    assert say("change that", id="a")[0] == "id_reused"


def test_what_was_stored_is_acknowledged_whatever_the_filter_says_now(settings):
    settings.ROOMCHAT = {}
    post_message("lobby", "refuse this", author=ANA, id="a")
    settings.ROOMCHAT = {"FILTER": house_filter}

    assert post_message("lobby", "refuse this", author=ANA, id="a").duplicate


def test_a_held_post_waits_once_for_a_moderator():
    said = [say("hold this", id="a"), say("hold this", id="a")]

    held = HeldMessage.objects.get()
    assert said == [("held", "Your message is waiting for a moderator's approval.", None)] * 2
    assert (held.room.name, held.author_key, held.client_id, held.body, held.reason, held.state) == (
        "lobby",
        "g:ana",
        "a",
        "hold this",
        "Ana in lobby",
        "waiting",
    )
    assert (texts(), str(held)) == ([], "hold this")


def test_what_is_released_stands_under_its_authors_name_and_its_own_id():
    say("hold this", id="a")
    post_message("lobby", "meanwhile")
    mod = User.objects.create_user("mod", is_staff=True)
    held = HeldMessage.objects.get()

    posted = release(held, by=mod)
    again = release(held, by=mod)
    refuse(held, by=mod)

    held.refresh_from_db()
    message = Message.objects.get(seq=2)
    assert (posted.seq, posted.duplicate, again) == (2, False, None)
    assert (message.author_key, message.author_name, message.client_id) == ("g:ana", "Ana", "a")
    assert (held.state, held.decided_by, held.decided_at is not None) == ("released", mod, True)
    assert post_message("lobby", "hold this", author=ANA, id="a").duplicate
    assert list(AuditEntry.objects.values_list("verb", "by_name", "target_name")) == [
        ("release", "mod", "Ana")
    ]


def test_what_is_refused_is_refused_for_good():
    say("hold this", id="a")

    refuse(HeldMessage.objects.get())

    assert say("hold this", id="a") == ("filtered", "A moderator has rejected this message.", None)
    assert (HeldMessage.objects.get().state, texts()) == ("refused", [])


def test_what_somebody_said_who_is_banned_by_now_waits_on():
    say("hold this")
    ban("lobby", ANA)

    refused = answer(release, HeldMessage.objects.get())

    assert (refused[0], HeldMessage.objects.get().state, texts()) == ("banned", "waiting", [])


def test_only_moderators_decide():
    say("hold this")

    assert answer(release, HeldMessage.objects.get(), by=ANA)[0] == "forbidden"


def test_over_http_a_held_post_is_accepted_and_not_made():
    client = Client()
    address = reverse("roomchat:messages", args=["lobby"])

    held, refused = (
        client.post(address, json.dumps({"id": "a", "body": body}), content_type="application/json")
        for body in ("hold this", "refuse this")
    )

    assert (held.status_code, held.json()["error"]["code"]) == (202, "held")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "rude")


async def test_on_a_socket_a_post_is_filtered_too():
    async with ChatClient(ChatConsumer.as_asgi(), "lobby") as client:
        await client.receive("joined")
        answers = [
            await client.post(body, id=body[0])
            for body in ("change it", "refuse it", "hold it", "fail", "ok")
        ]

    assert [given.get("code", given["type"]) for given in answers] == [
        "ack",
        "rude",
        "held",
        "unavailable",
        "ack",
    ]
    assert "retry_after" not in answers[2]
    assert await threads.in_thread(texts) == ["IT", "ok"]


def test_held_is_no_refusal():
    assert (Held.code, Held.status) == ("held", 202)
