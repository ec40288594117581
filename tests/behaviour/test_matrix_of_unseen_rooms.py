"""A room that a person must not see looks as if it did not exist."""

import json
import re

import pytest
from django.db import transaction
from django.urls import reverse

from django_roomchat.consumers import ChatConsumer
from django_roomchat.realtime.threads import in_thread
from django_roomchat.testing import ChatClient
from tests.support.matrix import Case, tags

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("media_folder")]


def answers_about(room, browser):
    """All responses over HTTP that concern a room."""
    said = {}
    with transaction.atomic():
        for ask in ("room", "messages", "room_frames"):
            address = reverse(f"roomchat:{ask}", args=[room])
            said[f"GET {ask}"] = browser.get(address)
            said[f"POST {ask}"] = browser.post(address, {"body": "hi", "id": "x"})
            said[f"JSON {ask}"] = browser.post(
                address, json.dumps({"id": "x", "body": "hi"}), "application/json"
            )
        for tag in sorted(tags()):
            said[tag] = browser.post(
                address, json.dumps(ANYTHING | {"type": tag, "room": room}), "application/json"
            )
        transaction.set_rollback(True)
    return {
        ask: (one.status_code, headers_of(one), without_chance(one.content, room))
        for ask, one in said.items()
    }


ANYTHING = {
    "id": "x", "seq": 1, "key": "u:1", "role": "member", "body": "hi", "on": True, "query": "hi", "invitation": 1,
    "title": "x", "name": "Zoë", "heads": {}, "token": "x", "emoji": "👍", "prefix": "a",
}  # fmt: skip
"""Fields that any frame may need."""


def headers_of(response):
    """Without the time of the answer."""
    return {
        name: value for name, value in response.headers.items() if name not in ("Expires", "Last-Modified")
    }


def without_chance(content, room):
    """An answer without the name that was asked for, and without what is another one in each answer anyway."""
    content = re.sub(
        rb'(csrfmiddlewaretoken" value|name="id" value)="[^"]*"', b"", content.replace(room.encode(), b"ROOM")
    )
    return re.sub(rb"\d{4}-\d\d-\d\dT[\d:.]+Z", b"", content)


@pytest.mark.parametrize("visibility", ["private", "direct"])
@pytest.mark.parametrize("role", ["guest", "stranger", "staff"])
def test_over_http_a_room_that_one_may_not_see_is_as_if_it_did_not_exist(visibility, role):
    case = Case(visibility, role)
    case.browser.get(reverse("roomchat:index"))

    there, nowhere = (answers_about(room, case.browser) for room in ("~x", "~y"))

    assert there == nowhere
    assert there["GET room"][0] == there["post"][0] == 404


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("visibility", ["private", "direct"])
async def test_on_a_socket_too(visibility):
    case = await in_thread(Case, visibility, "stranger")

    there, nowhere = [await told_on_a_socket(case.user, room) for room in ("~x", "~y")]

    assert there == nowhere
    assert [frame["type"] for frame in there[0]] == ["welcome", "error", "bye"]
    codes = {frame["frame"]: frame["code"] for frame in there[1]}
    assert codes == dict.fromkeys(codes, "no_such_room") | {"leave": "not_found", "typing": "not_found"}
    assert codes.keys() == {"join", "leave", "post", "edit", "typing", "members", "read"}


async def told_on_a_socket(user, room):
    """The frames that a socket receives which is opened in a room, and one that sends frames about it."""
    opened = []
    async with ChatClient(ChatConsumer.as_asgi(), room, user=user) as socket:
        with pytest.raises(ConnectionResetError):
            while True:
                opened.append(await socket.receive())
    async with ChatClient(ChatConsumer.as_asgi(), user=user) as socket:
        await socket.receive("welcome")
        frames = [
            {"type": "join"},
            {"type": "leave"},
            {"type": "post", "id": "a", "body": "hi"},
            {"type": "edit", "seq": 1, "body": "hi"},
            {"type": "typing"},
            {"type": "members"},
            {"type": "read", "seq": 1},
        ]
        for frame in frames:
            await socket.send({"room": room, **frame})
        # Some of them are answered together with others', and so later.
        asked = [await socket.receive("error") for _ in frames]
    asked.sort(key=str)
    return [json.loads(json.dumps(said).replace(room, "ROOM")) for said in (opened, asked)]
