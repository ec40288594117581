"""Pinned messages: rights, limits, frames and system messages, from Python, over HTTP and through a socket."""

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from django_roomchat.consumers import ChatConsumer
from django_roomchat.identity import Identity, site
from django_roomchat.messages import pins
from django_roomchat.messages.edit import delete_message, edit_message
from django_roomchat.messages.history import read_history
from django_roomchat.messages.pins import apin_message, apinned_messages, pin_message, pinned_messages
from django_roomchat.messages.post import post_message
from django_roomchat.models import AuditEntry, Membership, Message, Room, RoomLog
from django_roomchat.moderation.sanctions import ban
from django_roomchat.rooms import lookup
from django_roomchat.signals import pin_changed
from django_roomchat.testing import ChatClient
from tests.support.caches import clear_caches
from tests.support.people import at_once
from tests.support.refusals import code

pytestmark = pytest.mark.django_db(transaction=True)
ANA, MOD = (Identity(f"u:{name.lower()}", name) for name in ("Ana", "Mod"))


@pytest.fixture(autouse=True)
def _lobby():
    for number in range(1, 4):
        post_message("lobby", f"message {number}", author=ANA)
    Membership.objects.create(room=lookup.room_of("lobby"), key=MOD.key, name=MOD.name, role="moderator")
    RoomLog.objects.update(access_version=1)


def pinned():
    return [event.seq for event in pinned_messages("lobby")]


def test_the_last_one_pinned_is_the_first():
    for seq in (2, 1, 3):
        pin_message("Lobby", seq, by=MOD)
    pin_message("lobby", 1, on=False, by=MOD)

    assert pinned() == [3, 2]
    assert all(event.pinned_at for event in pinned_messages("lobby"))


def test_a_pin_takes_a_number_and_a_repeated_one_does_not():
    done = [pin_message("lobby", 1, on, by=MOD) for on in (True, True, False, False)]

    assert [(one.room, one.seq, one.duplicate) for one in done] == [
        ("lobby", 1, False),
        ("lobby", 1, True),
        ("lobby", 1, False),
        ("lobby", 1, True),
    ]
    assert (RoomLog.objects.get().head, Message.objects.get(seq=1).rev) == (5, 5)


def test_moderators_and_the_site_pin_and_others_do_not():
    assert [code(pin_message, "lobby", 1, by=who) for who in (ANA, MOD, None)] == ["forbidden", None, None]


def test_what_is_not_there_cannot_be_pinned():
    delete_message("lobby", 1)

    assert [code(pin_message, "lobby", seq, by=MOD) for seq in (1, 4)] == ["not_found"] * 2
    assert code(pin_message, "nowhere", 1) == "not_found"
    assert pinned_messages("nowhere") == []


def test_a_deleted_message_is_pinned_no_more():
    pin_message("lobby", 1)
    pin_message("lobby", 2)

    delete_message("lobby", 1)

    assert (pinned(), Message.objects.get(seq=1).pinned_at) == ([2], None)


def test_a_pin_survives_an_edit():
    pin_message("lobby", 1)

    edit_message("lobby", 1, "changed")

    assert [(event.seq, event.body) for event in pinned_messages("lobby")] == [(1, "changed")]


def test_an_archived_room_keeps_its_pins():
    pin_message("lobby", 1, by=MOD)
    Room.objects.update(archived_at="2026-01-01T00:00:00Z")

    assert code(pin_message, "lobby", 1, on=False, by=MOD) == "archived"
    assert pinned() == [1]


def test_a_room_has_a_limited_number_of_pins(monkeypatch):
    monkeypatch.setattr(pins, "PINS_MAX", 2)
    pin_message("lobby", 1)
    pin_message("lobby", 2)

    assert code(pin_message, "lobby", 3) == "too_many"
    assert code(pin_message, "lobby", 2) is None
    pin_message("lobby", 1, on=False)
    assert code(pin_message, "lobby", 3) is None
    assert pinned() == [3, 2]


def test_the_limit_holds_for_those_who_pin_at_once(on_postgres, monkeypatch):
    clear_caches()
    monkeypatch.setattr(pins, "PINS_MAX", 2)
    for number in range(6):
        post_message("lobby", f"message {number}")

    results = at_once(*[lambda seq=seq: code(pin_message, "lobby", seq) for seq in range(1, 7)])

    assert sorted(results, key=str) == [None, None, *["too_many"] * 4]
    assert len(pinned()) == 2


def test_a_pin_makes_a_system_message_with_the_next_number():
    pin_message("lobby", 1, by=MOD)
    Room.objects.update(tells_changes=True)
    pin_message("lobby", 2, by=MOD)
    pin_message("lobby", 2, by=MOD)
    pin_message("lobby", 2, on=False, by=MOD)

    said = [event for event in read_history("lobby", by=site()).messages if event.kind == "system"]

    assert [(event.seq, event.line.code, event.line.by) for event in said] == [(6, "pinned", "Mod")]
    assert Message.objects.get(seq=2).rev == 7
    assert AuditEntry.objects.count() == 3


def test_pins_are_in_the_audit_trail():
    pin_message("lobby", 1, by=MOD)
    pin_message("lobby", 1, by=MOD)
    pin_message("lobby", 1, on=False)
    code(pin_message, "lobby", 2, by=ANA)

    trail = AuditEntry.objects.order_by("pk").values_list(
        "verb", "by_name", "target_name", "room_name", "data"
    )
    assert list(trail) == [
        ("pin", "Mod", "Ana", "lobby", {"seq": 1}),
        ("unpin", "System", "Ana", "lobby", {"seq": 1}),
    ]


def test_the_signal_contains_the_person_and_the_change():
    heard = []

    def hear(sender, room, event, by, on, **kwargs):
        heard.append((room, event.seq, by.key, on))

    pin_changed.connect(hear)
    try:
        pin_message("lobby", 1, by=MOD)
        pin_message("lobby", 1, by=MOD)
        pin_message("lobby", 1, on=False, by=MOD)
    finally:
        pin_changed.disconnect(hear)

    assert heard == [("lobby", 1, MOD.key, True), ("lobby", 1, MOD.key, False)]


def test_who_may_not_enter_does_not_see_the_pins():
    ban("lobby", ANA)

    assert code(pinned_messages, "lobby", by=ANA) == "banned"


# On the wire ----------------------------------------------------------------------------------------------------


def test_pins_are_frames_over_http():
    user = User.objects.create_user("mod", is_staff=True)
    client = Client()
    client.force_login(user)

    def send(**frame):
        address = reverse("roomchat:room_frames", args=["lobby"])
        response = client.post(address, json.dumps(frame), content_type="application/json")
        return response.status_code, response.json()

    acked = send(type="pin", seq=2, id="a")
    listed = send(type="pinned", id="b")
    off = send(type="pin", seq=2, on=False, id="c")

    assert (acked[0], listed[0], off[0]) == (200, 200, 200)
    assert acked[1] == {"type": "ack", "id": "a", "room": "lobby", "seq": 2, "duplicate": False}
    assert (listed[1]["type"], listed[1]["id"], listed[1]["room"]) == ("pinned", "b", "lobby")
    assert [(event["seq"], event["body"]) for event in listed[1]["events"]] == [(2, "message 2")]
    assert send(type="pinned")[1]["events"] == []


async def test_all_sockets_of_the_room_receive_a_pin():
    async with ChatClient(ChatConsumer.as_asgi(), "lobby") as client:
        await client.receive("joined")
        await apin_message("lobby", 1)
        [event] = (await client.receive("events"))["events"]
        await client.send({"type": "pinned", "id": "p"})
        listed = await client.receive("pinned")
        await client.send({"type": "pin", "seq": 2, "id": "q"})
        refused = await client.receive("error")

    assert (event["seq"], event["rev"], "pinned_at" in event) == (1, 4, True)
    assert listed["events"] == [event]
    assert (refused["code"], refused["frame"], refused["id"]) == ("forbidden", "pin", "q")
    assert [event.seq for event in await apinned_messages("lobby")] == [1]
