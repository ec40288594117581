"""An edit needs the right to post at that moment; deleting one's own message does not."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from django_roomchat import signals
from django_roomchat.consumers import ChatConsumer
from django_roomchat.errors import ChatError
from django_roomchat.filters import Hold
from django_roomchat.identity import GUEST_SESSION_KEY, Identity
from django_roomchat.messages.edit import delete_message, edit_message
from django_roomchat.messages.history import read_history
from django_roomchat.messages.post import post_message
from django_roomchat.models import Message
from django_roomchat.moderation.sanctions import ban, mute, unmute
from django_roomchat.policy import ALLOWED, NOT_ALLOWED, OpenPolicy
from django_roomchat.realtime.threads import in_thread
from django_roomchat.rooms.create import create_room
from django_roomchat.rooms.members import add_member
from django_roomchat.rooms.settings import configure_room
from django_roomchat.testing import ChatClient

pytestmark = pytest.mark.django_db(transaction=True)
ANA, BO, MOD = (Identity(f"u:{name.lower()}", name) for name in ("Ana", "Bo", "Mod"))


@pytest.fixture(autouse=True)
def _lobby():
    create_room("lobby")
    for who, role in ((ANA, "member"), (BO, "member"), (MOD, "moderator")):
        add_member("lobby", who, role=role)
    for who in (ANA, MOD):
        post_message("lobby", "one", author=who)


def outcome(act, *about, **options):
    try:
        act(*about, **options)
    except ChatError as error:
        return error.code
    return "done"


def edit(body="two", who=ANA, seq=1):
    return outcome(edit_message, "lobby", seq, body, by=who)


class Readers(OpenPolicy):
    def can_post(self, who, room):
        return ALLOWED if who.key == MOD.key else NOT_ALLOWED


def use_readers(settings):
    settings.ROOMCHAT = {"POLICY": Readers}


WAYS = {
    "muted": (lambda settings: mute("lobby", ANA), "muted"),
    "banned": (lambda settings: ban("lobby", ANA), "banned"),
    "announcement": (lambda settings: configure_room("lobby", is_announcement=True), "announcement"),
    "archived": (lambda settings: configure_room("lobby", is_archived=True), "archived"),
    "can_post": (use_readers, "forbidden"),
}


@pytest.mark.parametrize("way", WAYS)
def test_where_a_post_is_refused_an_edit_is_refused_for_the_same_reason(way, settings):
    begin, code = WAYS[way]
    before = edit("two")
    begin(settings)

    refused = [outcome(post_message, "lobby", "hi", author=ANA), edit("three")]

    assert (before, refused, Message.objects.get(seq=1).body) == ("done", [code, code], "two")


@pytest.mark.parametrize("way", ["announcement", "can_post"])
def test_people_who_may_post_there_may_edit_there(way, settings):
    WAYS[way][0](settings)

    assert (edit(), edit(who=MOD, seq=2)) == (WAYS[way][1], "done")


def test_the_site_edits_whatever_the_room_allows():
    configure_room("lobby", is_archived=True)

    assert (edit(), edit(who=None)) == ("archived", "done")


@pytest.mark.parametrize("way", ["muted", "announcement", "can_post"])
def test_deleting_ones_own_message_needs_no_right_to_post(way, settings):
    WAYS[way][0](settings)

    assert (edit(), outcome(delete_message, "lobby", 1, by=ANA)) == (WAYS[way][1], "done")
    assert Message.objects.get(seq=1).deleted_at is not None


def test_a_muted_person_edits_again_when_the_mute_has_ended():
    mute("lobby", ANA)
    during = edit()
    unmute("lobby", ANA)

    assert (during, edit()) == ("muted", "done")


def test_an_edit_that_is_refused_mentions_nobody():
    mentioned = []

    def note(sender, mentions, **about):
        mentioned.append([mention.name for mention in mentions])

    signals.mentioned.connect(note)
    try:
        edit("@Bo")
        mute("lobby", ANA)
        edit("@Mod")
    finally:
        signals.mentioned.disconnect(note)

    assert mentioned == [["Bo"]]
    assert [mention.name for mention in read_history("lobby").messages[-1].mentions] == ["Bo"]


asked = []


def hold_everything(room, author, text):
    asked.append(text)
    return Hold("Look at it.")


def test_the_filter_is_asked_about_edits_of_people_who_may_post(settings):
    asked.clear()
    settings.ROOMCHAT = {"FILTER": hold_everything}
    held = edit("three")
    mute("lobby", ANA)

    assert (held, edit("four"), asked) == ("filtered", "muted", ["three"])
    assert outcome(edit_message, "nowhere", 1, "five", by=ANA) == "not_found"


GUEST = Identity("g:ana", "Guest 1", is_guest=True)


def guests_browser():
    browser = Client()
    session = browser.session
    session[GUEST_SESSION_KEY] = {"key": GUEST.key, "name": GUEST.name}
    session.save()
    browser.cookies["sessionid"] = session.session_key
    return browser


def test_over_http_it_is_the_same():
    seq = post_message("lobby", "one", author=GUEST).seq
    browser = guests_browser()

    def send(frame):
        response = browser.post(
            reverse("roomchat:room_frames", args=["lobby"]),
            json.dumps({"seq": seq} | frame),
            content_type="application/json",
        )
        return response.status_code, response.json()

    first = send({"type": "edit", "body": "two"})
    mute("lobby", GUEST, reason="Enough.")
    second = send({"type": "edit", "body": "three"})

    assert first[0] == 200
    assert (second[0], second[1]["error"]) == (
        403,
        {
            "code": "muted",
            "detail": "You are muted in this room. You can read, but not post. A moderator can end this. Reason: Enough.",
            "reason": "Enough.",
        },
    )
    assert send({"type": "delete"})[0] == 200


MUTED = "You are muted in this room. You can read, but not post. A moderator can end this."


async def test_on_a_socket_it_is_the_same_and_the_rights_say_so():
    async with ChatClient(ChatConsumer.as_asgi(), "lobby") as client:
        you = (await client.receive("welcome"))["you"]
        await client.receive("joined")
        seq = (await client.post("one", id="a"))["seq"]
        await in_thread(mute, "lobby", you["key"])
        rights = await client.receive("rights")
        while "post" in rights["can"]:
            rights = await client.receive("rights")
        await client.send({"type": "edit", "id": "e", "seq": seq, "body": "two"})
        refused = await client.receive("error")
        await client.send({"type": "delete", "id": "d", "seq": seq})
        deleted = await client.receive("ack")

    assert (rights["why"], refused["code"], refused["id"]) == (MUTED, "muted", "e")
    assert (deleted["id"], deleted["seq"]) == ("d", seq)
