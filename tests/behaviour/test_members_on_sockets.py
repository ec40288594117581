"""Frames and requests about members."""

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from django_roomchat import (
    aadd_member,
    acreate_room,
    add_member,
    aleave_room,
    alist_members,
    aremove_member,
    aset_role,
    configure_room,
    post_message,
    protocol,
)
from django_roomchat.consumers import ChatConsumer
from django_roomchat.errors import NotFound
from django_roomchat.identity import of_user
from django_roomchat.models import Room
from django_roomchat.realtime import handlers, threads
from django_roomchat.testing import ChatClient
from tests.support.members import MEMBER, STRANGER, roles

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def users():
    return {name: User.objects.create_user(name, password="x") for name in ("ana", "bob")}


def send(user, frame, room=""):
    client = Client()
    client.force_login(user)
    address = reverse("roomchat:room_frames", args=[room]) if room else reverse("roomchat:frames")
    response = client.post(address, json.dumps(frame), content_type="application/json")
    return response.json()


def test_a_room_is_made_and_managed_over_http(users):
    ana, bob = users["ana"], users["bob"]
    key = of_user(bob).key

    made = send(ana, {"type": "create", "id": "1", "title": "Club", "slow_seconds": 2, "listed": False})
    post_message("club", "hi", author=bob)
    answers = [
        send(ana, {"type": "configure", "id": "2", "title": "The club", "slow_seconds": 0}, "Club"),
        send(ana, {"type": "add", "id": "3", "key": key}, "club"),
        send(ana, {"type": "role", "id": "4", "key": key, "role": "moderator"}, "club"),
        send(ana, {"type": "remove", "id": "5", "key": key}, "club"),
        send(bob, {"type": "add", "id": "6", "key": key}, "club"),
        send(bob, {"type": "quit", "id": "7"}, "club"),
    ]
    direct = send(ana, {"type": "direct", "id": "8", "key": key}, "club")
    listed = send(ana, {"type": "members", "id": "9"}, "club")

    stored = Room.objects.get(name="club")
    assert made == {
        "type": "room", "id": "1", "room": "club", "title": "Club", "visibility": "open", "url": "/chat/club/"
    }  # fmt: skip
    assert (stored.title, stored.slow_seconds, stored.is_listed) == ("The club", 0, False)
    assert answers == [{"type": "done", "id": str(number), "room": "club"} for number in range(2, 8)]
    assert (direct["visibility"], direct["room"][0], roles(Room.objects.get(name=direct["room"]))) == (
        "direct",
        "~",
        {"ana": "member", "bob": "member"},
    )
    [owner] = listed.pop("members")
    assert listed == {"type": "members", "id": "9", "room": "club"}
    assert (owner["key"], owner["name"], owner["role"]) == (of_user(ana).key, "ana", "owner")


def test_a_project_without_our_pages_has_no_addresses(users, settings):
    settings.ROOT_URLCONF = "django.contrib.auth.urls"

    made = handlers.perform(handlers.Caller(of_user(users["ana"])), None, protocol.Create("Club"))

    assert (made.room, made.url) == ("club", "")


def client(room, user):
    return ChatClient(ChatConsumer.as_asgi(), room, user=user)


async def test_a_removed_member_receives_nothing_more(users):
    ana, bob = users["ana"], users["bob"]
    room = await acreate_room("Board", by=ana, visibility="private")
    await aadd_member(room, bob, by=ana)
    async with client(room.name, ana) as owner, client(room.name, bob) as member:
        await owner.receive("joined")
        await member.receive("joined")
        await owner.send({"type": "remove", "id": "1", "key": of_user(bob).key})
        assert await owner.receive("done") == {"type": "done", "id": "1", "room": room.name}

        refusal = await member.receive("error")
        bye = await member.receive("bye")
        posted = await owner.post("he is gone", id="2")

        assert (refusal["code"], refusal["room"], bye["code"]) == ("no_such_room", room.name, 4003)
        with pytest.raises(ConnectionResetError):
            await member.receive()
        assert posted["type"] == "ack"


async def test_a_new_role_brings_new_rights(users):
    ana, bob = users["ana"], users["bob"]
    room = await acreate_room("Board", by=ana, visibility="private")
    await aadd_member(room, bob, by=ana)
    async with client(room.name, bob) as member:
        before = await member.receive("rights")
        await member.receive("joined")

        await aset_role(room, bob, "moderator", by=ana)
        after = await member.receive("rights")

    assert (before["role"], "moderate" in before["can"]) == ("member", False)
    assert (after["role"], "moderate" in after["can"]) == ("moderator", True)


async def test_an_archived_room_says_so_to_everybody_in_it(users):
    room = await acreate_room("Board", by=users["ana"])
    async with client(room.name, users["bob"]) as visitor:
        before = await visitor.receive("rights")
        await visitor.receive("joined")

        await threads.in_thread(configure_room, room, is_archived=True)
        after = await visitor.receive("rights")

    assert ("archived" in before, after["archived"]) == (False, True)
    assert ("post" in before["can"], "post" in after["can"]) == (True, False)


async def test_members_receive_system_messages(users):
    room = await acreate_room("Club", by=users["ana"], tells_changes=True)
    async with client(room.name, users["ana"]) as socket:
        await socket.receive("joined")

        await aadd_member(room, users["bob"], by=users["ana"])
        [event] = (await socket.receive("events"))["events"]

    assert (event["kind"], event["body"], event["line"]) == (
        "system",
        "ana added bob.",
        {
            "code": "joined",
            "name": "bob",
            "by": "ana",
            "target_key": f"u:{users['bob'].pk}",
            "by_key": f"u:{users['ana'].pk}",
        },
    )


async def test_everything_has_a_twin():
    room = await acreate_room("Club")
    done = [
        await aadd_member(room, MEMBER),
        await aset_role(room, MEMBER, "owner"),
        len(await alist_members(room)),
        await aremove_member(room, MEMBER),
        await aleave_room(room, by=MEMBER),
    ]

    assert done == [True, True, 1, True, False]


def test_a_private_room_that_is_gone_is_not_found():
    with pytest.raises(NotFound):
        add_member("~gone", STRANGER)
