"""Messages that the content filter holds, and the decisions about them."""

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from django_roomchat.errors import Held
from django_roomchat.messages.post import post_message
from django_roomchat.models import AuditEntry, HeldMessage, Message
from django_roomchat.moderation.held import refuse, release
from django_roomchat.moderation.sanctions import ban
from tests.support.filters import ANA, answer, house_filter, say, texts

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _filter(settings):
    settings.ROOMCHAT = {"FILTER": house_filter}


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
    assert texts() == []
    # Django's admin keeps this text in its log.
    assert str(held) == f"lobby: {held.created_at:%Y-%m-%d %H:%M:%S}"


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


def test_a_held_message_of_a_banned_author_stays_held():
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


def test_held_is_no_refusal():
    assert (Held.code, Held.status) == ("held", 202)
