"""A connected socket: frames, invalid input, failures of the database, and rights."""

import asyncio
import json
import threading
import uuid

import pytest
from django.db import OperationalError

from django_roomchat.identity import Identity
from django_roomchat.models import Message, Room
from django_roomchat.moderation import sanctions
from django_roomchat.policy import Decision, OpenPolicy
from django_roomchat.realtime import group_commit, hub, threads
from django_roomchat.rooms import lookup
from tests.support.sockets import client, say

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_hub")]
SURROGATE = "The frame contains an unpaired surrogate, which is not a character."

# Bad input -----------------------------------------------------------------------------------------------------------


DEEP = "[" * 10_000 + "]" * 10_000
BAD_V1 = {
    "a brace": ("{", "bad_json", "The frame is not JSON: Input data was truncated."),
    "an empty object": ("{}", "bad_frame", 'A frame needs a "type", which is a string.'),
    "a list": ("[]", "bad_frame", "A frame must be an object: expected `object`, got `array`."),
    "null": ("null", "bad_frame", "A frame must be an object: expected `object`, got `null`."),
    "a binary frame": (b"{}", "unsupported", "Binary frames are not supported; send JSON as text."),
    "a wrong type": ('{"message":5}', "bad_frame", 'A frame needs a "type", which is a string.'),
    "an empty text": ("", "bad_json", "The frame is not JSON: Input data was truncated."),
    "NaN": ("NaN", "bad_json", "The frame is not JSON: JSON is malformed: invalid character (byte 0)."),
    "a lone surrogate": ('{"type":"\\ud800"}', "bad_text", SURROGATE),
    "a deep nest": (DEEP, "bad_frame", "A frame must be an object: expected `object`, got `array`."),
    "a deep nest in a field": (
        f'{{"type":"ping","x":{DEEP}}}',
        "bad_json",
        "The frame is nested too deeply.",
    ),
    "a megabyte": ('"' + "x" * 1_000_000 + '"', "too_big", "A frame can have at most 65536 bytes."),
    "an unknown type": ('{"type":"shout"}', "unknown_type", "Unknown frame type 'shout'."),
}
BAD_TUTORIAL = {
    "a brace": ("{", "bad_json", "The frame is not JSON: Input data was truncated."),
    "an empty object": ("{}", "bad_value", "Object missing required field `message`."),
    "a list": ("[]", "bad_frame", "A frame must be an object: expected `object`, got `array`."),
    "null": ("null", "bad_frame", "A frame must be an object: expected `object`, got `null`."),
    "a binary frame": (b"{}", "unsupported", "Binary frames are not supported; send JSON as text."),
    "a wrong type": ('{"message":5}', "bad_value", "message: expected `str`, got `int`."),
    "an empty text": ("", "bad_json", "The frame is not JSON: Input data was truncated."),
    "an empty message": ('{"message":""}', "bad_text", "A message must contain text."),
    "NUL": ('{"message":"a\\u0000"}', "bad_text", "A message cannot contain control characters."),
    "a lone surrogate": ('{"message":"\\ud800"}', "bad_text", SURROGATE),
    "NaN": (
        '{"message":NaN}',
        "bad_json",
        "The frame is not JSON: JSON is malformed: invalid character (byte 11).",
    ),
    "a deep nest": (f'{{"message":{DEEP}}}', "bad_value", "message: expected `str`, got `array`."),
    "a megabyte": (
        json.dumps({"message": "x" * 1_000_000}),
        "too_big",
        "A frame can have at most 65536 bytes.",
    ),
    "a message too long": (
        json.dumps({"message": "x" * 4001}),
        "bad_text",
        "A message can have at most 4000 characters; this one has 4001.",
    ),
}


async def send(socket, content):
    await (socket.send_bytes(content) if isinstance(content, bytes) else socket.send_text(content))


@pytest.mark.parametrize("case", BAD_V1)
async def test_a_bad_frame_is_answered_and_harms_nobody(case, caplog):
    content, code, detail = BAD_V1[case]
    async with client() as bad, client() as control:
        await bad.receive("joined")
        await control.receive("joined")
        await send(bad, content)
        error = await bad.receive()
        ack = await bad.post("still here", id="a")
        heard = await control.receive()

    assert error == {"type": "error", "code": code, "detail": detail}
    assert (ack["seq"], heard["type"], heard["prev"], heard["head"]) == (1, "events", 0, 1)
    assert [event["body"] for event in heard["events"]] == ["still here"]
    assert caplog.messages == []


@pytest.mark.parametrize("case", BAD_TUTORIAL)
async def test_a_bad_frame_of_the_tutorials_page_is_answered_and_harms_nobody(case, caplog):
    content, code, detail = BAD_TUTORIAL[case]
    async with client(tutorial=True) as bad, client(tutorial=True) as control:
        await send(bad, content)
        error = await bad.receive()
        await bad.send({"message": "still here"})
        heard = await control.receive()

    assert error == {"message": detail, "type": "error", "code": code}
    assert (heard["message"], heard["seq"]) == ("still here", 1)
    assert caplog.messages == []


BAD_POSTS = {
    "an empty text": ({"body": ""}, "bad_text", "A message must contain text."),
    "NUL": ({"body": "a\x00"}, "bad_text", "A message cannot contain control characters."),
    "too long": (
        {"body": "x" * 4001},
        "bad_text",
        "A message can have at most 4000 characters; this one has 4001.",
    ),
    "an answer to nothing": ({"reply_to": 9}, "not_found", "There is no message 9 in this room to reply to."),
}


@pytest.mark.parametrize("case", BAD_POSTS)
async def test_a_bad_post_is_answered_by_name(case, caplog):
    values, code, detail = BAD_POSTS[case]
    async with client() as bad, client() as control:
        await bad.receive("joined")
        await control.receive("joined")
        await bad.send({"type": "post", "id": "a", "body": "hi", **values})
        error = await bad.receive()
        await bad.post("still here", id="b")
        heard = await control.receive()

    assert error == {
        "type": "error",
        "code": code,
        "detail": detail,
        "frame": "post",
        "id": "a",
        "room": "lobby",
    }
    assert [event["body"] for event in heard["events"]] == ["still here"]
    assert caplog.messages == []


async def test_what_breaks_in_the_server_is_logged_and_the_socket_goes_on(monkeypatch, caplog):
    async with client() as socket:
        await socket.receive("joined")
        monkeypatch.setattr(lookup, "enter_room", None)
        await socket.send({"type": "join", "room": "other"})
        error = await socket.receive()

        assert error == {
            "type": "error",
            "code": "unavailable",
            "detail": "Something went wrong on the server; try again.",
            "frame": "join",
            "room": "other",
            "retry_after": 1.0,
        }
        assert (await socket.post("hi", id="a"))["type"] == "ack"
    assert [record.exc_info is not None for record in caplog.records] == [True]


# Talking -------------------------------------------------------------------------------------------------------------


async def test_an_acknowledged_post_is_stored_and_sent_to_all_sockets():
    async with client() as ana, client() as bob, client(tutorial=True) as carol:
        you = (await ana.receive("welcome"))["you"]
        for socket in (ana, bob):
            await socket.receive("joined")
        ack = await ana.post("hi", id="a")
        stored = await threads.in_thread(
            lambda: list(Message.objects.values_list("seq", "body", "client_id"))
        )
        heard, shown = await bob.receive("events"), await carol.receive()

    assert ack == {"type": "ack", "id": "a", "room": "lobby", "seq": 1, "duplicate": False}
    assert stored == [(1, "hi", "a")]
    [event] = heard["events"]
    assert (event["author"], event["id"], event["body"]) == (
        {"key": you["key"], "name": you["name"], "guest": True},
        "a",
        "hi",
    )
    assert shown == {"message": "hi", "name": you["name"], "seq": 1}


async def test_a_repeated_post_is_acknowledged_again_and_sent_once():
    async with client() as ana, client() as bob:
        await bob.receive("joined")
        first, again = await ana.post("hi", id="a"), await ana.post("hi", id="a")
        await ana.post("next", id="b")
        heard = [await bob.receive("events"), await bob.receive("events")]

    assert [(ack["seq"], ack["duplicate"]) for ack in (first, again)] == [(1, False), (1, True)]
    assert [event["body"] for frame in heard for event in frame["events"]] == ["hi", "next"]


async def test_the_tutorials_page_may_repeat_itself_with_an_id():
    async with client(tutorial=True) as socket:
        for body in ("hi", "hi", "next"):
            await socket.send({"message": body, "id": body})
        shown = [await socket.receive(), await socket.receive()]

    assert [frame["message"] for frame in shown] == ["hi", "next"]


async def test_an_edit_and_a_deletion_are_acknowledged_and_sent():
    async with client() as ana, client() as bob:
        await bob.receive("joined")
        await ana.post("hi", id="a")
        await ana.send({"type": "edit", "seq": 1, "body": "other words", "id": "b"})
        edited = await ana.receive("ack")
        await ana.send({"type": "delete", "seq": 1, "id": "c"})
        deleted = await ana.receive("ack")
        heard = [(await bob.receive("events"))["events"][0] for _ in range(3)]
        await bob.send({"type": "edit", "seq": 1, "body": "mine now", "id": "d"})
        refused = await bob.receive("error")

    assert [edited, deleted] == [
        {"type": "ack", "id": id_, "room": "lobby", "seq": 1, "duplicate": False} for id_ in ("b", "c")
    ]
    assert [(event["seq"], event["rev"], event["body"]) for event in heard] == [
        (1, 1, "hi"), (1, 2, "other words"), (1, 3, ""),
    ]  # fmt: skip
    assert (refused["code"], refused["frame"], refused["id"]) == ("forbidden", "edit", "d")


async def test_one_socket_may_be_in_many_rooms():
    async with client(None) as socket:
        await socket.receive("welcome")
        for room in ("One", "other"):
            await socket.send({"type": "join", "room": room})
        joined = [await socket.receive("joined"), await socket.receive("joined")]
        await say("hi", "one")
        await say("hello", "other")
        heard = [await socket.receive("events"), await socket.receive("events")]
        await socket.send({"type": "leave", "room": "ONE"})
        left = await socket.receive()
        await say("nobody hears this", "one")
        await say("but this", "other")
        last = await socket.receive("events")

    assert [frame["room"] for frame in (*joined, *heard)] == ["one", "other", "one", "other"]
    assert (left, last["room"]) == ({"type": "left", "room": "one"}, "other")


async def test_a_socket_without_a_room_has_to_name_one():
    async with client(None) as socket:
        await socket.receive("welcome")
        await socket.send({"type": "post", "id": "a", "body": "hi"})
        nameless = await socket.receive()
        await socket.send({"type": "leave", "room": "lobby"})
        not_in_it = await socket.receive()
        ack = await socket.post("hi", id="b", room="lobby")

    assert nameless == {
        "type": "error",
        "code": "bad_value",
        "detail": "Name the room: the URL has none.",
        "frame": "post",
        "id": "a",
    }
    assert (not_in_it["code"], not_in_it["detail"]) == ("not_found", "This socket is not in that room.")
    assert ack["room"] == "lobby"


async def test_a_socket_may_be_in_so_many_rooms(settings):
    settings.ROOMCHAT = {"SOCKET_MAX_ROOMS": 2}
    async with client() as socket:
        await socket.receive("joined")
        answers = []
        for room in ("two", "three", "LOBBY"):
            await socket.send({"type": "join", "room": room})
            while (answer := await socket.receive())["type"] == "rights":
                pass
            answers.append(answer)

    assert [(answer["type"], answer.get("code")) for answer in answers] == [
        ("joined", None), ("error", "too_many"), ("joined", None),
    ]  # fmt: skip
    assert answers[1]["detail"] == "A socket can be in at most 2 rooms; leave one first."


async def test_hello_and_ping_are_answered():
    async with client() as socket:
        welcome = await socket.receive("welcome")
        await socket.receive("joined")
        await say("hi")
        await socket.receive("events")
        await socket.send({"type": "hello"})
        again = await socket.receive()
        await socket.send({"type": "ping"})
        ping = await socket.receive()

    assert (again, ping) == (welcome, {"type": "ping", "heads": {"lobby": 1}})


@pytest.mark.parametrize(
    ("query", "bodies", "reset"),
    [
        ("epoch={epoch}&since=1", ["b", "c"], None),
        ("epoch={epoch}&since=3", [], None),
        ("since=0", ["a", "b", "c"], None),
        ("", ["a", "b", "c"], "new"),
        ("since=", ["a", "b", "c"], "new"),
        ("since=-1", ["a", "b", "c"], "new"),
        ("since=%F0%9D%9F%8F", ["a", "b", "c"], "new"),
        ("since=" + "9" * 500, ["a", "b", "c"], "new"),
        ("epoch=x&since=1", ["a", "b", "c"], "epoch"),
        ("epoch={epoch}&since=9", ["a", "b", "c"], "ahead"),
        ("%ff=%00&&&since=1&epoch=%ff", ["a", "b", "c"], "epoch"),
    ],
)
async def test_who_comes_back_says_in_the_address_where_it_stands(query, bodies, reset):
    for body in "abc":
        await say(body)
    epoch = await threads.in_thread(lambda: str(Room.objects.get().log.epoch))
    socket = client()
    socket.scope["query_string"] = query.format(epoch=epoch).encode()

    async with socket:
        joined = await socket.receive("joined")

    assert ([event["body"] for event in joined["events"]], joined.get("reset")) == (bodies, reset)


async def test_more_posts_than_may_wait_are_refused_and_may_be_repeated(settings, monkeypatch):
    settings.ROOMCHAT = {"SOCKET_MAX_POSTS": 2}
    go_on = threading.Event()
    post_messages = group_commit.post_messages

    def held_up(*args, **kwargs):
        go_on.wait(10)
        return post_messages(*args, **kwargs)

    monkeypatch.setattr(group_commit, "post_messages", held_up)
    async with client() as socket:
        await socket.receive("joined")
        for id_ in "abc":
            await socket.send({"type": "post", "id": id_, "body": "hi"})
        error = await socket.receive("error")
        go_on.set()
        acks = [await socket.receive("ack"), await socket.receive("ack")]

        assert (error["id"], error["code"], error["retry_after"]) == ("c", "busy", 1.0)
        assert [ack["id"] for ack in acks] == ["a", "b"]
        assert (await socket.post("hi", id="c"))["seq"] == 3


# The database --------------------------------------------------------------------------------------------------------


async def test_a_database_that_fails_at_the_door_is_told_and_the_socket_closed_for_a_while(
    monkeypatch, caplog
):
    def enter_room(who, name):
        raise OperationalError("gone")

    monkeypatch.setattr(lookup, "enter_room", enter_room)
    async with client() as socket:
        await socket.receive("welcome")
        error, bye = await socket.receive(), await socket.receive()

    assert (error["code"], error["detail"], error["retry_after"]) == (
        "unavailable", "The database is not responding; try again.", 1.0,
    )  # fmt: skip
    assert bye == {"type": "bye", "code": 4503, "reason": "try again"}
    assert caplog.messages == ["The database failed for a socket: OperationalError('gone')"]


async def test_a_database_that_fails_at_reading_a_room_is_told(monkeypatch, caplog):
    def tail(name, changes):
        raise OperationalError("gone")

    async with client() as socket:
        await socket.receive("joined")
        monkeypatch.setattr(hub.log, "tail", tail)
        await socket.send({"type": "join", "room": "other"})
        error = await socket.receive("error")
        monkeypatch.undo()
        await socket.send({"type": "join", "room": "other"})

        assert (error["code"], error["frame"], error["room"]) == ("unavailable", "join", "other")
        assert (await socket.receive())["room"] == "other"


# Rights --------------------------------------------------------------------------------------------------------------


class NoSecrets(OpenPolicy):
    def can_enter(self, who, room):
        return Decision(room.name != "secret", "Secret.", code="secret")


async def test_a_person_who_may_not_enter_receives_the_reason_and_no_events(settings):
    settings.ROOMCHAT = {"POLICY": NoSecrets}
    async with client("secret") as socket, client() as control:
        await socket.receive("welcome")
        error, bye = await socket.receive(), await socket.receive()
        await control.receive("joined")
        await control.send({"type": "join", "room": "secret"})
        refused = await control.receive()

    assert error == {
        "type": "error",
        "code": "secret",
        "detail": "Secret.",
        "frame": "join",
        "room": "secret",
    }
    assert bye == {"type": "bye", "code": 4003, "reason": "not allowed"}
    assert refused == error


async def test_who_is_banned_is_out_at_once(settings):
    settings.ROOMCHAT = {
        "IDENTITY": lambda scope: Identity(dict(scope["headers"])[b"x-key"].decode(), "Name")
    }
    key = uuid.uuid4().hex
    bad, control = (client(headers=[(b"x-key", one.encode())]) for one in (key, "control"))
    async with bad, control:
        for socket in (bad, control):
            await socket.receive("joined")
        await bad.send({"type": "join", "room": "other"})
        await bad.receive("joined")
        await threads.in_thread(sanctions.ban, "lobby", key, reason="Spam.")
        error, left = await bad.receive(), await bad.receive()
        await say("hi")
        heard = await control.receive("events")
        refused = await bad.post("hi", id="a", room="lobby")
        elsewhere = await bad.post("hi", id="b", room="other")
        await threads.in_thread(sanctions.ban, "other", key)
        last, bye = await bad.receive("error"), await bad.receive("bye")

    assert error == {
        "type": "error",
        "code": "banned",
        "detail": "You are banned from this room. A moderator can end this. Reason: Spam.",
        "reason": "Spam.",
        "frame": "join",
        "room": "lobby",
    }
    assert left == {"type": "left", "room": "lobby"}
    assert [event["body"] for event in heard["events"]] == ["hi"]
    assert (refused["code"], elsewhere["type"]) == ("banned", "ack")
    assert (last["room"], bye["code"]) == ("other", 4003)


async def test_a_ban_that_cannot_be_looked_up_is_looked_up_with_the_poll(monkeypatch):
    async with client() as socket:
        await socket.receive("joined")
        [connection] = hub.current().sockets
        enter_room = lookup.enter_room

        def fail(who, name):
            raise OperationalError("gone")

        monkeypatch.setattr(lookup, "enter_room", fail)
        unknown = await connection.check_access("lobby")
        monkeypatch.setattr(lookup, "enter_room", enter_room)

        assert (unknown, await connection.check_access("lobby"), list(connection.subscriptions)) == (
            False,
            True,
            ["lobby"],
        )


# Searches ------------------------------------------------------------------------------------------------------------


async def test_a_search_waits_for_its_turn_without_delaying_posts(settings):
    settings.ROOMCHAT = {"DATABASE_THREADS": 2}
    async with client("lobby") as searching, client("lobby") as posting:
        async with threads.searches().turn():
            await searching.send({"type": "search", "id": "s", "query": "needle"})
            while not threads.searches()._waiting:
                await asyncio.sleep(0)
            acked = await posting.post("a needle", id="n")
        found = await searching.receive("found")

    assert (acked["type"], [hit["seq"] for hit in found["hits"]]) == ("ack", [1])
