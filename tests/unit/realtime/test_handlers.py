"""A frame does the same over HTTP as through a socket."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import formats, timezone, translation

from django_roomchat import mute, post_message, protocol
from django_roomchat.errors import UnknownType
from django_roomchat.identity import of_user
from django_roomchat.models import Message
from django_roomchat.protocol import Ack
from django_roomchat.realtime import handlers
from django_roomchat.realtime.handlers import Caller
from django_roomchat.rooms.lookup import room_name

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ana():
    return User.objects.create_user("ana", password="x")


@pytest.fixture
def client(ana):
    client = Client()
    client.force_login(ana)
    return client


def send(client, frame, room="lobby", **options):
    address = reverse("roomchat:room_frames", args=[room]) if room else reverse("roomchat:frames")
    content = frame if isinstance(frame, str) else json.dumps(frame)
    response = client.post(address, content, **({"content_type": "application/json"} | options))
    return response.status_code, response.json()


def texts():
    return list(Message.objects.order_by("seq").values_list("body", flat=True))


def test_a_post_an_edit_and_a_deletion_are_frames(client):
    answers = [
        send(client, {"type": "post", "id": "a", "body": "hi"}),
        send(client, {"type": "post", "id": "b", "body": "hello", "reply_to": 1}),
        send(client, {"type": "edit", "id": "c", "seq": 1, "body": "hi!"}),
        send(client, {"type": "delete", "id": "d", "seq": 2}),
    ]

    assert answers == [
        (200, {"type": "ack", "id": id, "room": "lobby", "seq": seq, "duplicate": False})
        for id, seq in (("a", 1), ("b", 2), ("c", 1), ("d", 2))
    ]
    assert texts() == ["hi!", ""]


def test_python_performs_the_same(ana):
    frame = protocol.Post(id="a", body="hi")

    assert handlers.perform(Caller(of_user(ana)), room_name("Lobby"), frame) == Ack("a", "lobby", 1, False)


def test_what_only_a_socket_can_do_is_refused(client):
    assert send(client, {"type": "join", "room": "lobby"}) == (
        400,
        {
            "error": {
                "code": "unknown_type",
                "detail": "Frames of type “join” can be sent on a socket only.",
            }
        },
    )


@pytest.mark.parametrize("kind", ["hello", "leave", "seen", "ping"])
def test_frames_of_a_socket_have_no_verb(ana, kind):
    [frame] = [one for one in protocol.ClientFrame.__args__ if one.__struct_config__.tag == kind]
    made = frame({}) if kind == "seen" else frame()

    with pytest.raises(UnknownType):
        handlers.perform(Caller(of_user(ana)), room_name("lobby"), made)


def test_a_frame_that_is_none_is_told_why(client):
    assert send(client, "no json")[0] == 400
    assert send(client, {"type": "dance"}, room="")[1]["error"]["code"] == "unknown_type"
    assert send(client, {"type": "post"}, content_type="text/plain")[1]["error"]["code"] == "unsupported"


def test_another_sites_page_cannot_send_one(ana):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ana)
    post_message("lobby", "hello")

    response = client.post(
        reverse("roomchat:room_frames", args=["lobby"]),
        json.dumps({"type": "post", "id": "a", "body": "hi"}),
        content_type="application/json",
    )

    assert (response.status_code, texts()) == (403, ["hello"])


def test_who_may_not_post_is_told_why_in_their_language_and_for_how_long(ana):
    who = of_user(ana)
    assert handlers.enter_room(who, "lobby")[1].why == ""
    until = timezone.now() + timedelta(seconds=60)
    mute("lobby", ana, until=until)

    _room, rights = handlers.enter_room(who, "lobby", "ko")

    with translation.override("ko"):
        end = formats.date_format(until, "DATETIME_FORMAT")
    assert rights.why == f"이 방에서 {end} UTC까지 글쓰기가 금지되었습니다. 그때까지 읽을 수만 있습니다."
    assert 50 < rights.retry_after <= 60
