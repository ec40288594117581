"""Reactions: rights, limits and frames, from Python, over HTTP and through a socket."""

import json

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from django_roomchat.consumers import ChatConsumer
from django_roomchat.identity import Identity, site
from django_roomchat.messages import reactions
from django_roomchat.messages.edit import delete_message, edit_message
from django_roomchat.messages.history import read_history
from django_roomchat.messages.post import post_message
from django_roomchat.messages.reactions import areact, react
from django_roomchat.models import Message, Reaction, Room, RoomLog
from django_roomchat.moderation.sanctions import ban, mute
from django_roomchat.policy import NOT_ALLOWED, OpenPolicy
from django_roomchat.realtime import threads
from django_roomchat.signals import message_edited, reaction_changed
from django_roomchat.testing import ChatClient
from tests.support.caches import clear_caches
from tests.support.people import at_once
from tests.support.refusals import code

pytestmark = pytest.mark.django_db(transaction=True)
ANA, BO, CY = (Identity(f"g:{name.lower()}", name, is_guest=True) for name in ("Ana", "Bo", "Cy"))


@pytest.fixture(autouse=True)
def _lobby():
    post_message("lobby", "hello", author=ANA)


def shown(seq=1):
    [event] = [event for event in read_history("lobby", by=site()).messages if event.seq == seq]
    return [(emoji, of.count, of.keys) for emoji, of in (event.reactions or {}).items()]


def test_everybody_sees_who_reacted_in_the_order_of_first_use():
    for who, emoji in ((ANA, "🎉"), (BO, "👍"), (CY, "❤️"), (BO, "🎉"), (CY, "👍")):
        react("lobby", 1, emoji, by=who)

    assert shown() == [("🎉", 2, [ANA.key, BO.key]), ("👍", 2, [BO.key, CY.key]), ("❤️", 1, [CY.key])]


def test_the_order_is_the_same_on_postgresql(on_postgres):
    clear_caches()
    post_message("lobby", "hello", author=ANA)

    for emoji in ("👨‍👩‍👧‍👦", "🎉", "❤️", "☝", "👍"):
        react("lobby", 1, emoji, by=ANA)
    react("lobby", 1, "🎉", by=BO)
    react("lobby", 1, "👨‍👩‍👧‍👦", on=False, by=ANA)

    assert [emoji for emoji, _, _ in shown()] == ["🎉", "❤️", "☝", "👍"]


def test_a_reaction_takes_a_number_and_a_repeated_one_does_not():
    first = react("Lobby", 1, "👍", by=BO)
    second = react("lobby", 1, "👍", by=BO)
    off = react("lobby", 1, "👍", on=False, by=BO)
    again = react("lobby", 1, "👍", on=False, by=BO)

    assert [(done.room, done.seq, done.duplicate) for done in (first, second, off, again)] == [
        ("lobby", 1, False),
        ("lobby", 1, True),
        ("lobby", 1, False),
        ("lobby", 1, True),
    ]
    assert (RoomLog.objects.get().head, Message.objects.get().rev, shown()) == (3, 3, [])
    assert (Reaction.objects.count(), Message.objects.get().data, Message.objects.get().edited_at) == (
        0,
        {},
        None,
    )


def test_two_spellings_of_an_emoji_are_one():
    react("lobby", 1, "❤", by=ANA)
    react("lobby", 1, "❤️", by=BO)
    react("lobby", 1, "❤️", on=False, by=ANA)

    assert shown() == [("❤", 1, [BO.key])]


def test_an_event_names_the_first_twenty_and_counts_all():
    people = [Identity(f"g:{number}", "Guest") for number in range(22)]
    for who in people:
        react("lobby", 1, "👍", by=who)

    react("lobby", 1, "👍", on=False, by=people[0])

    assert shown() == [("👍", 21, [who.key for who in people[1:21]])]


def test_a_message_has_at_most_twenty_different_ones():
    many = [chr(0x1F600 + number) for number in range(reactions.EMOJI_MAX)]
    for emoji in many:
        react("lobby", 1, emoji, by=ANA)

    assert code(react, "lobby", 1, "👍", by=BO) == "too_many"
    assert code(react, "lobby", 1, many[0], by=BO) is None
    assert code(react, "lobby", 1, "👍", on=False, by=BO) is None
    assert len(shown()) == reactions.EMOJI_MAX


@pytest.mark.parametrize("given", ["", "yes", "👍👍", "<img src=x onerror=alert(1)>", "\u202e"])
def test_what_is_no_emoji_is_refused(given):
    assert code(react, "lobby", 1, given, by=ANA) == "bad_emoji"


def test_a_reaction_needs_a_message():
    delete_message("lobby", 1)

    assert code(react, "lobby", 1, "👍", by=ANA) == "not_found"
    assert code(react, "lobby", 2, "👍", by=ANA) == "not_found"
    assert code(react, "nowhere", 1, "👍", by=ANA) == "not_found"


def test_who_is_banned_or_comes_to_an_archived_room_is_refused():
    react("lobby", 1, "👍", by=ANA)
    ban("lobby", BO)
    banned = code(react, "lobby", 1, "👍", by=BO)
    Room.objects.update(archived_at="2026-01-01T00:00:00Z")

    assert (banned, code(react, "lobby", 1, "🎉", by=ANA)) == ("banned", "archived")
    assert code(react, "lobby", 1, "👍", on=False, by=ANA) == "archived"
    assert shown() == [("👍", 1, [ANA.key])]


def test_who_is_muted_may_not_even_nod():
    mute("lobby", BO)

    assert code(react, "lobby", 1, "👍", by=BO) == "muted"


class Silent(OpenPolicy):
    def can_react(self, who, room):
        return NOT_ALLOWED


def test_the_policy_is_asked(settings):
    settings.ROOMCHAT = {"POLICY": Silent}

    assert code(react, "lobby", 1, "👍", by=ANA) == "forbidden"
    assert code(react, "lobby", 1, "👍") is None


def test_a_deleted_message_has_no_reactions_left():
    react("lobby", 1, "👍", by=BO)

    delete_message("lobby", 1)

    assert (Reaction.objects.count(), shown()) == (0, [])


def test_a_reaction_survives_an_edit():
    react("lobby", 1, "👍", by=BO)

    edit_message("lobby", 1, "hello!", by=ANA)

    assert shown() == [("👍", 1, [BO.key])]


def test_the_signal_is_sent_for_reactions_and_not_for_edits():
    heard = []

    def hear(signal, sender, room, event, **about):
        heard.append((signal is reaction_changed, sender, room, event.seq, about))

    reaction_changed.connect(hear)
    message_edited.connect(hear)
    try:
        react("lobby", 1, "👍", by=BO)
        react("lobby", 1, "👍", by=BO)
        react("lobby", 1, "👍", on=False, by=BO)
    finally:
        reaction_changed.disconnect(hear)
        message_edited.disconnect(hear)

    assert heard == [(True, Message, "lobby", 1, {"emoji": "👍", "by": BO, "on": on}) for on in (True, False)]


def test_those_who_react_at_once_on_postgresql_are_all_counted(on_postgres):
    clear_caches()
    post_message("lobby", "hello", author=ANA)
    people = [Identity(f"g:{number}", "Guest") for number in range(8)]

    results = at_once(*[lambda who=who: react("lobby", 1, "👍", by=who) for who in (*people, people[0])])

    [(emoji, count, keys)] = shown()
    assert sorted(done.duplicate for done in results) == [False] * 8 + [True]
    assert (emoji, count, sorted(keys)) == ("👍", 8, sorted(who.key for who in people))
    assert (RoomLog.objects.get().head, Reaction.objects.count()) == (9, 8)


def test_a_reaction_costs_the_same_for_any_number_of_reactions():
    def cost(who):
        with CaptureQueriesContext(connection) as captured:
            react("lobby", 1, "👍", by=who)
        return len(captured)

    first, others = cost(ANA), {cost(Identity(f"g:{number}", "Guest")) for number in range(30)}

    assert others == {first}
    assert first <= 14


# On the wire ----------------------------------------------------------------------------------------------------


def test_a_reaction_is_a_frame_over_http():
    client = Client()
    client.force_login(User.objects.create_user("dee"))

    def send(**frame):
        address = reverse("roomchat:room_frames", args=["lobby"])
        response = client.post(
            address, json.dumps({"type": "react", "id": "a"} | frame), content_type="application/json"
        )
        return response.status_code, response.json()

    ack = {"type": "ack", "id": "a", "room": "lobby", "seq": 1, "duplicate": False}
    assert send(seq=1, emoji="👍") == (200, ack)
    assert shown() == [("👍", 1, [f"u:{User.objects.get().pk}"])]
    assert send(seq=1, emoji="👍", on=False) == (200, ack)
    assert shown() == []
    assert send(seq=1, emoji="no")[1]["error"]["code"] == "bad_emoji"


async def test_all_sockets_of_the_room_receive_a_reaction():
    async with (
        ChatClient(ChatConsumer.as_asgi(), "lobby") as one,
        ChatClient(ChatConsumer.as_asgi(), "lobby") as two,
    ):
        await one.receive("joined")
        await two.receive("joined")
        await one.send({"type": "react", "seq": 1, "emoji": "👍", "id": "a"})
        ack, heard = await one.receive("ack"), await two.receive("events")
        await areact("lobby", 1, "👍", by=BO)
        then = await two.receive("events")
        await one.send({"type": "react", "seq": 1, "emoji": "?"})
        refused = await one.receive("error")

    [event], [later] = heard["events"], then["events"]
    assert (ack["seq"], ack["id"], ack["duplicate"]) == (1, "a", False)
    assert (event["seq"], event["rev"], event["reactions"]["👍"]["count"]) == (1, 2, 1)
    assert (later["rev"], later["reactions"]["👍"]["count"], later["body"]) == (3, 2, "hello")
    assert later["reactions"]["👍"].keys() == {"count", "keys"}
    assert (refused["code"], refused["frame"]) == ("bad_emoji", "react")


async def test_who_comes_later_sees_the_reactions():
    await areact("lobby", 1, "🎉", by=BO)

    async with ChatClient(ChatConsumer.as_asgi(), "lobby") as late:
        [event] = (await late.receive("joined"))["events"]

    assert event["reactions"] == {"🎉": {"count": 1, "keys": [BO.key]}}
    assert await threads.in_thread(shown) == [("🎉", 1, [BO.key])]
