"""Deletion of a room: everything in it goes, the audit trail stays, and open sockets leave."""

import pytest

from django_roomchat import add_member, adelete_room, create_room, delete_room, invite, post_message
from django_roomchat.consumers import ChatConsumer
from django_roomchat.errors import ChatError
from django_roomchat.identity import Identity
from django_roomchat.models import AuditEntry, Invitation, Membership, Message, Room
from django_roomchat.realtime.threads import in_thread
from django_roomchat.testing import ChatClient

pytestmark = pytest.mark.django_db(transaction=True)
OWNER, MODERATOR = Identity("u:owner", "Owner"), Identity("u:mod", "Mod")


def filled_room(**settings):
    room = create_room("Board", by=OWNER, **settings)
    add_member(room, MODERATOR, role="moderator")
    post_message(room, "hi", author=OWNER)
    invite(room, by=OWNER)
    return room


def test_a_room_is_deleted_with_everything_in_it_but_its_audit_trail():
    room = filled_room()
    before = AuditEntry.objects.filter(room_name=room.name).count()

    deleted = [delete_room("BOARD", by=OWNER), delete_room("board")]

    assert deleted == [True, False]
    assert not any(model.objects.exists() for model in (Room, Message, Membership, Invitation))
    trail = AuditEntry.objects.filter(room_name=room.name).order_by("pk")
    last = trail.last()
    assert (before, trail.count()) == (3, 4)
    assert (last.verb, last.by_name, last.data) == (
        "delete_room",
        "Owner",
        {"title": "Board", "visibility": "open", "messages": 1, "members": 2},
    )


def test_a_person_who_may_not_manage_the_room_deletes_nothing():
    room = filled_room()

    with pytest.raises(ChatError) as caught:
        delete_room(room, by=MODERATOR)

    assert (caught.value.code, Message.objects.count()) == ("forbidden", 1)


def test_a_room_that_was_created_again_is_another_room():
    filled_room()
    delete_room("board")

    assert post_message("board", "new").seq == 1


async def test_open_sockets_leave_a_deleted_room():
    room = await in_thread(filled_room, visibility="private")
    async with ChatClient(ChatConsumer.as_asgi(), "lobby") as client:
        you = (await client.receive("welcome"))["you"]
        await client.receive("joined")
        await in_thread(add_member, room, Identity(you["key"], you["name"], is_guest=True))
        await client.send({"type": "join", "room": room.name})
        joined = await client.receive("joined")
        await adelete_room(room)
        left = await client.receive("error")

    assert (joined["room"], left["code"], left["room"]) == (room.name, "no_such_room", room.name)
