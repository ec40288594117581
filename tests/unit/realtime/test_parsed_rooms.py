"""The room of a frame is parsed once, by the codec."""

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client

from django_roomchat import post_message
from django_roomchat.consumers import ChatConsumer
from django_roomchat.identity import of_user
from django_roomchat.messages.types import NewPost
from django_roomchat.protocol import RoomName, codec
from django_roomchat.realtime.group_commit import GroupCommit
from django_roomchat.testing import ChatClient
from django_roomchat.text import validation

pytestmark = pytest.mark.django_db(transaction=True)
FRAMES = [
    {"type": "post", "id": "x", "body": "hi"},
    {"type": "edit", "id": "x", "seq": 1, "body": "hi!"},
    {"type": "delete", "id": "x", "seq": 1},
    {"type": "react", "id": "x", "seq": 1, "emoji": "👍"},
    {"type": "pinned", "id": "x"},
    {"type": "people", "id": "x"},
    {"type": "notify", "id": "x", "on": False},
    {"type": "search", "id": "x", "query": "hi"},
    {"type": "members", "id": "x"},
    {"type": "person", "id": "x", "key": "u:1"},
    {"type": "report", "id": "x", "seq": 1},
]


@pytest.fixture
def ana():
    return User.objects.create_user("ana", password="x", pk=1)


@pytest.fixture
def parsed(monkeypatch):
    names = []
    parse = validation.room_name

    def count(typed, max_length):
        names.append(typed)
        return parse(typed, max_length)

    monkeypatch.setattr(validation, "room_name", count)
    # A name that another test has sent is not parsed again.
    codec._parsed.cache_clear()
    return names


def kind(frame):
    return frame["type"]


@pytest.mark.parametrize("frame", FRAMES, ids=kind)
async def test_a_frame_from_a_socket_is_parsed_once(ana, parsed, frame):
    async with ChatClient(ChatConsumer.as_asgi(), "lobby", user=ana) as client:
        await client.receive("joined")
        await client.post("hi", id="first")
        parsed.clear()

        await client.send(frame | {"room": "Lobby"})
        while "id" not in (answer := await client.receive()):
            pass

    assert (answer["type"] == "error", parsed) == (False, ["Lobby"])


async def test_a_frame_without_a_room_is_not_parsed(ana, parsed):
    async with ChatClient(ChatConsumer.as_asgi(), "lobby", user=ana) as client:
        await client.receive("joined")
        parsed.clear()

        await client.post("hi", id="first")

    assert parsed == []


@pytest.mark.parametrize("frame", FRAMES, ids=kind)
def test_a_frame_over_http_is_parsed_once_beside_the_url(ana, parsed, frame):
    post_message("lobby", "hi", author=ana)
    client = Client()
    client.force_login(ana)
    parsed.clear()

    answer = client.post(
        "/chat/lobby/frames/", json.dumps(frame | {"room": "Lobby"}), content_type="application/json"
    )

    assert (answer.status_code, parsed) == (200, ["lobby", "Lobby"])


async def test_two_spellings_of_a_room_are_committed_in_one_queue(ana, monkeypatch, settings):
    settings.ROOMCHAT = {"FILTER": lambda *about: None}
    commit, answers = GroupCommit(), []

    for number, spelling in enumerate(["Lobby", "lobby ", "LOBBY"]):
        commit.put(NewPost(of_user(ana), RoomName(spelling, 100), "hi", f"{number}"), answers.append)
    queues = len(commit._queues)
    await commit.drain()

    assert (queues, [answer.seq for answer in answers]) == (1, [1, 2, 3])
