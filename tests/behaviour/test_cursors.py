"""Cursors and positions: in a private room they are answered to a person who is not a member as if the room did not exist."""

import json
import re
from typing import get_args
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from django_roomchat import protocol
from django_roomchat.consumers import ChatConsumer
from django_roomchat.identity import of_user
from django_roomchat.messages.post import post_message
from django_roomchat.messages.search import search_messages
from django_roomchat.messages.search_cursor import CursorSigner
from django_roomchat.models import Attachment, Invitation, Message, RoomLog
from django_roomchat.realtime.threads import in_thread
from django_roomchat.rooms.create import create_room
from django_roomchat.testing import ChatClient
from tests.support.matrix import Case

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("media_folder")]
HERE, NOWHERE = "~x", "~y"
SEQS = (0, 1, 2, 4, 10**15)
"""Positions before, at and after the messages of the private room."""

FRAMES = {
    "search": [{"query": "x", "before": f"{seq}@{room}"} for seq in SEQS for room in ("ROOM", "lobby")]
    + [{"query": "x", "everywhere": True, "before": f"{seq}@ROOM"} for seq in SEQS],
    "members": [{"after": key} for key in ("", "u:1", "u:2", "z")],
    "blocked": [{"after": key} for key in ("", "u:1", "u:2", "z")],
    "sanctions": [{"after": key} for key in ("", "u:1", "u:2", "z")],
    "invitations": [{"before": number} for number in range(5)],
    "revoke_all": [{}],
    "revoke": [{"invitation": number} for number in range(5)],
    "read": [{"seq": seq} for seq in SEQS],
    "edit": [{"seq": seq, "body": "y"} for seq in SEQS],
    "delete": [{"seq": seq} for seq in SEQS],
    "react": [{"seq": seq, "emoji": "👍"} for seq in SEQS],
    "pin": [{"seq": seq} for seq in SEQS],
    "edits": [{"seq": seq} for seq in SEQS],
    "report": [{"seq": seq} for seq in SEQS],
    "post": [{"body": "y", "reply_to": seq} for seq in SEQS],
    "people": [{"prefix": prefix} for prefix in ("", "m", "v")],
    "person": [{"key": key} for key in ("u:1", "u:2", "u:99")],
    "direct": [{"key": key} for key in ("u:1", "u:2", "u:99")],
}
"""Every frame with a field that gives a position or a key in a room, with values that exist there and values that do not."""
QUERIES = {
    "room": [{field: seq} for field in ("before", "after", "at") for seq in SEQS],
    "messages": [{field: seq} for field in ("before", "after", "around") for seq in SEQS],
    "events": [{"wait": 0, "epoch": "EPOCH", "since": seq} for seq in SEQS],
    "search": [{"q": "x", "room": "ROOM", "before": f"{seq}@ROOM"} for seq in SEQS]
    + [{"q": "x", "before": f"{seq}@ROOM"} for seq in SEQS],
}
"""Every page with a position in its query string."""


def plain(content, room):
    """An answer without the name that was asked for, and without what differs in each answer anyway."""
    text = content.decode().replace(room, "ROOM").replace(str(UUID(int=0)), "EPOCH")
    text = re.sub(r'(csrfmiddlewaretoken" value|name="id" value)="[^"]*"', "", text)
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "", text)


def filled(value, room, epoch):
    if isinstance(value, str):
        return value.replace("ROOM", room).replace("EPOCH", epoch)
    return value


def answers(browser, room, epoch):
    """The answers to all requests that give a position in a room."""
    frames_url = reverse("roomchat:room_frames", args=[room])
    told = {}
    for tag, several in FRAMES.items():
        for number, fields in enumerate(several):
            frame = {name: filled(value, room, epoch) for name, value in fields.items()}
            content = json.dumps({"type": tag, "id": "x", "room": room} | frame)
            told[f"{tag} {number}"] = browser.post(frames_url, content, content_type="application/json")
    for view, several in QUERIES.items():
        url = reverse(f"roomchat:{view}", args=[] if view == "search" else [room])
        for number, fields in enumerate(several):
            query = {name: filled(value, room, epoch) for name, value in fields.items()}
            told[f"GET {view} {number}"] = browser.get(url, query)
    for number, file in enumerate([*Attachment.objects.order_by("key"), Attachment(pk=UUID(int=1))]):
        for view, about in (("download", [file.pk, "x"]), ("thumb", [file.pk])):
            told[f"GET {view} {number}"] = browser.get(reverse(f"roomchat:{view}", args=[room, *about]))
        told[f"DELETE file {number}"] = browser.delete(reverse("roomchat:file", args=[room, file.pk]))
    return {ask: (one.status_code, plain(one.content, room)) for ask, one in told.items()}


@pytest.mark.parametrize("role", ["stranger", "guest"])
def test_a_position_in_a_private_room_is_answered_as_in_a_room_that_does_not_exist(role):
    case = Case("private", role)
    post_message("lobby", "x")
    RoomLog.objects.filter(room__name=HERE).update(epoch=UUID(int=0))
    case.browser.get(reverse("roomchat:index"))

    here, nowhere = (answers(case.browser, room, str(UUID(int=0))) for room in (HERE, NOWHERE))

    assert here == nowhere
    # The frame of a person's own list concerns no room.
    assert {said[0] for ask, said in here.items() if not ask.startswith("blocked ")} == {400, 404}
    assert (
        Message.objects.filter(room__name=HERE).count(),
        Invitation.objects.filter(revoked_at=None).count(),
    ) == (3, 1)


def test_every_frame_with_a_cursor_is_asked():
    cursors = {
        cls.__struct_config__.tag
        for cls in get_args(protocol.ClientFrame)
        if {"before", "after", "prefix", "seq", "reply_to", "invitation"} & set(cls.__struct_fields__)
    }

    assert cursors - set(FRAMES) == set()


async def test_a_position_on_a_socket_is_answered_as_in_a_room_that_does_not_exist():
    case = await in_thread(Case, "private", "stranger")
    epoch = str((await RoomLog.objects.aget(room__name=HERE)).epoch)

    async def told(room):
        async with ChatClient(ChatConsumer.as_asgi(), user=case.user) as socket:
            await socket.receive("welcome")
            for seq in SEQS:
                await socket.send({"type": "join", "room": room, "epoch": epoch, "since": seq})
            return [str(await socket.receive("error")).replace(room, "ROOM") for _ in SEQS]

    here, nowhere = [await told(room) for room in (HERE, NOWHERE)]

    assert here == nowhere
    assert len(here) == len(SEQS)


def test_a_cursor_of_a_member_tells_another_person_nothing():
    case = Case("private", "stranger")
    club = create_room("Club", visibility="private", by=case.user)
    for body in "xxx":
        post_message(club, body)
        post_message("lobby", body)
    before = CursorSigner(of_user(case.user), "", "x").sign(club.name, 2)

    theirs = search_messages("x", by=case.user, before=before)
    other = Client().get(reverse("roomchat:search"), {"q": "x", "before": before})

    assert [(hit.room, hit.seq) for hit in theirs.hits] == [("lobby", 1), (club.name, 1)]
    assert other.context["hits"] == [] and "earlier page of results" in other.context["error"]
