"""The edit history of a message: kept if the site enables it, shown to whom the policy allows, deleted with the message."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from django_roomchat.consumers import ChatConsumer
from django_roomchat.identity import Identity, site
from django_roomchat.messages.edit import (
    EARLIER_MAX,
    aearlier_texts,
    aedit_message,
    delete_message,
    earlier_texts,
    edit_message,
)
from django_roomchat.messages.history import read_history
from django_roomchat.messages.post import post_message
from django_roomchat.models import Membership, Message, RoomLog
from django_roomchat.policy import ALLOWED, OpenPolicy
from django_roomchat.rooms import lookup
from django_roomchat.testing import ChatClient
from tests.support.refusals import code

pytestmark = pytest.mark.django_db(transaction=True)
ANA, BO, MOD = (Identity(f"u:{name.lower()}", name) for name in ("Ana", "Bo", "Mod"))


@pytest.fixture(autouse=True)
def _lobby(settings):
    settings.ROOMCHAT = {"EDIT_HISTORY": True}
    post_message("lobby", "one", author=ANA)
    Membership.objects.create(room=lookup.room_of("lobby"), key=MOD.key, name=MOD.name, role="moderator")
    RoomLog.objects.update(access_version=1)


def said(**options):
    return [text.body for text in earlier_texts("lobby", 1, **options)]


def test_earlier_texts_are_kept_with_their_times():
    posted_at = read_history("lobby", by=site()).messages[0].at
    edit_message("lobby", 1, "two", by=ANA)
    edited_at = read_history("lobby", by=site()).messages[0].edited_at
    edit_message("lobby", 1, "two", by=ANA)
    edit_message("lobby", 1, "three", by=ANA)

    assert [(text.body, text.at) for text in earlier_texts("Lobby", 1)] == [
        ("one", posted_at),
        ("two", edited_at),
    ]


def test_only_the_last_ones_are_kept():
    for number in range(EARLIER_MAX + 3):
        edit_message("lobby", 1, f"text {number}", by=ANA)

    assert said() == [f"text {number}" for number in range(2, EARLIER_MAX + 2)]


def test_the_author_and_moderators_see_them_and_others_do_not():
    edit_message("lobby", 1, "two", by=ANA)

    assert (said(by=ANA), said(by=MOD), said()) == (["one"], ["one"], ["one"])
    assert code(earlier_texts, "lobby", 1, by=BO) == "forbidden"


class Glass(OpenPolicy):
    def can_see_edits(self, who, room, message):
        return ALLOWED


def test_the_policy_may_show_them_to_everybody(settings):
    edit_message("lobby", 1, "two", by=ANA)
    settings.ROOMCHAT = {"EDIT_HISTORY": True, "POLICY": Glass}

    assert said(by=BO) == ["one"]


def test_nothing_is_left_of_a_deleted_message():
    edit_message("lobby", 1, "two", by=ANA)
    kept = said()

    delete_message("lobby", 1, by=ANA)

    assert (kept, said(), Message.objects.get().data) == (["one"], [], {})


def test_nothing_is_kept_unless_the_site_wants_it(settings):
    settings.ROOMCHAT = {}

    edit_message("lobby", 1, "two", by=ANA)

    assert (said(), Message.objects.get().data) == ([], {})


def test_what_was_said_before_is_in_no_event():
    edit_message("lobby", 1, "two", by=ANA)

    [event] = read_history("lobby", by=site()).messages

    assert said() == ["one"]
    assert "'one'" not in repr(event)


def test_where_there_is_no_message_there_are_no_edits():
    assert code(earlier_texts, "lobby", 2) == "not_found"
    assert code(earlier_texts, "nowhere", 1, by=BO) == "not_found"


def test_edits_end_with_the_time_for_them(settings):
    settings.ROOMCHAT = {"EDIT_SECONDS": 60}
    in_time = code(edit_message, "lobby", 1, "two", by=ANA)
    Message.objects.update(created_at="2026-01-01T00:00:00Z")

    assert (in_time, code(edit_message, "lobby", 1, "three", by=ANA)) == (None, "too_late")
    assert code(edit_message, "lobby", 1, "three") is None


def test_edits_are_a_frame_over_http():
    edit_message("lobby", 1, "two", by=ANA)

    response = Client().post(
        reverse("roomchat:room_frames", args=["lobby"]),
        json.dumps({"type": "edits", "seq": 1}),
        content_type="application/json",
    )

    assert (response.status_code, response.json()["error"]["code"]) == (403, "forbidden")


async def test_edits_are_a_frame_and_in_no_other(settings):
    settings.ROOMCHAT = {"EDIT_HISTORY": True, "POLICY": Glass}
    async with ChatClient(ChatConsumer.as_asgi(), "lobby") as client:
        await client.receive("joined")
        await aedit_message("lobby", 1, "two")
        heard = await client.receive("events")
        await client.send({"type": "edits", "seq": 1, "id": "e"})
        listed = await client.receive("edits")

    assert "one" not in json.dumps(heard)
    assert (listed["id"], listed["room"], listed["seq"]) == ("e", "lobby", 1)
    assert [text["body"] for text in listed["texts"]] == ["one"]
    assert [text.body for text in await aearlier_texts("lobby", 1)] == ["one"]
