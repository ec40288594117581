"""The socket, from its handshake to its end, in this process: `tests.asgi.application` and a `ChatClient`."""

import asyncio
import json
import threading
import uuid

import pytest
from channels.routing import URLRouter
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.db import OperationalError
from django.urls import re_path

import django_roomchat
from django_roomchat.consumers import ChatConsumer, _Endpoint
from django_roomchat.identity import Identity
from django_roomchat.messages.post import post_message
from django_roomchat.models import Message, Room
from django_roomchat.moderation import sanctions
from django_roomchat.policy import Decision, OpenPolicy
from django_roomchat.realtime import group_commit, hub, threads
from django_roomchat.rooms import lookup
from django_roomchat.testing import ChatClient
from tests.asgi import application

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_hub")]

SURROGATE = "The frame contains an unpaired surrogate, which is not a character."


def client(room="lobby", **options):
    return ChatClient(application, room, **options)


async def say(body, room="lobby", **options):
    return await threads.in_thread(post_message, room, body, **options)


# The handshake ---------------------------------------------------------------------------------------------------


async def test_a_client_of_the_protocol_is_welcomed_and_in_its_room():
    async with client() as socket:
        welcome = await socket.receive()
        rights = await socket.receive()
        joined = await socket.receive()

    you = welcome.pop("you")
    assert socket.subprotocol == "roomchat.v1"
    assert welcome == {
        "type": "welcome",
        "version": django_roomchat.__version__,
        "limits": {"frame_bytes": 65536, "body_chars": 4000},
        "ping_seconds": 25.0,
    }
    assert (you["key"][:2], you["name"][:6], you["guest"]) == ("g:", "Guest ", True)
    assert rights == {
        "type": "rights",
        "room": "lobby",
        "can": ["post", "react", "report"],
        "visibility": "open",
        "title": "lobby",
    }
    assert joined == {
        "type": "joined",
        "room": "lobby",
        "title": "lobby",
        "epoch": "",
        "floor": 0,
        "prev": 0,
        "head": 0,
        "events": [],
        "reset": "new",
    }


async def test_a_client_that_asks_for_nothing_speaks_the_tutorials_dialect():
    async with client(tutorial=True) as socket:
        await socket.send({"message": "hi"})
        said = await socket.receive()

    assert (socket.subprotocol, said["message"], said["name"][:6], said["seq"]) == (None, "hi", "Guest ", 1)


async def test_the_tutorials_dialect_may_be_turned_off(settings, caplog):
    settings.ROOMCHAT = {"TUTORIAL_DIALECT": False}

    answers = [await client(tutorial=True).connect(), await refused_or_not(client())]

    assert answers == [False, True]
    assert caplog.messages == [
        "Socket /ws/chat/lobby/ refused: it requests no subprotocol; roomchat.v1 is supported, and TUTORIAL_DIALECT is off"
    ]


async def refused_or_not(socket):
    connected = await socket.connect()
    await socket.disconnect()
    return connected


async def test_a_client_of_another_protocol_is_refused_and_the_log_says_why(caplog):
    socket = client()
    socket.scope["subprotocols"] = ["graphql-ws", "soap"]

    assert not await socket.connect()
    assert caplog.messages == [
        "Socket /ws/chat/lobby/ refused: it requests the subprotocols graphql-ws, soap; roomchat.v1 is supported"
    ]


async def test_a_client_may_offer_other_protocols_besides():
    socket = client()
    socket.scope["subprotocols"] = ["soap", "roomchat.v1"]

    async with socket:
        assert socket.subprotocol == "roomchat.v1"


@pytest.mark.parametrize(
    ("origin", "is_let_in"),
    [
        (None, True),
        ("http://testserver", True),
        ("https://testserver", False),
        ("http://testserver:8000", False),
        ("http://evil.example", False),
        ("null", False),
    ],
)
@pytest.mark.parametrize("wiring", ["the whole application", "the consumer alone"])
async def test_pages_of_other_sites_are_refused_whatever_the_wiring(caplog, origin, is_let_in, wiring):
    app = application if wiring == "the whole application" else ChatConsumer.as_asgi()
    headers = [(b"host", b"testserver")] + ([(b"origin", origin.encode())] if origin else [])

    connected = await refused_or_not(ChatClient(app, "lobby", headers=headers))

    assert connected == is_let_in
    assert [message.startswith("Socket /ws/chat/lobby/ refused: its ") for message in caplog.messages] == [
        True
    ] * (not is_let_in)


async def test_a_database_that_does_not_know_who_speaks_refuses_and_is_reported(settings, caplog):
    def identify(source):
        raise OperationalError("gone")

    settings.ROOMCHAT = {"IDENTITY": identify}

    assert not await client().connect()
    assert caplog.messages == [
        "Socket refused: the database could not be queried for its identity: OperationalError('gone')"
    ]


async def test_the_user_who_has_signed_in_speaks():
    user = await threads.in_thread(User.objects.create_user, "ana", "ana@example.com")

    async with ChatClient(ChatConsumer.as_asgi(), "lobby", user=user) as socket:
        welcome = await socket.receive("welcome")

    assert welcome["you"] == {"key": f"u:{user.pk}", "name": "ana", "guest": False}


async def test_the_guest_of_the_page_is_the_guest_of_its_socket(settings):
    def make_session():
        session = SessionStore()
        session["roomchat_guest"] = {"key": "g:1", "name": "Guest 1"}
        session.save()
        return session.session_key

    cookie = f"{settings.SESSION_COOKIE_NAME}={await threads.in_thread(make_session)}"

    async with client(headers=[(b"cookie", cookie.encode())]) as socket:
        welcome = await socket.receive("welcome")

    assert welcome["you"] == {"key": "g:1", "name": "Guest 1", "guest": True}


async def test_the_tutorials_own_routing_works():
    routes = URLRouter([re_path(r"ws/chat/(?P<room_name>\w+)/$", ChatConsumer.as_asgi())])

    async with ChatClient(routes, "lobby", tutorial=True) as one, ChatClient(routes, "lobby") as other:
        await other.receive("joined")
        await one.send({"message": "hi"})

        assert (
            (await one.receive())["message"] == (await other.receive("events"))["events"][0]["body"] == "hi"
        )


@pytest.mark.parametrize(
    "path", ["/ws/", "/ws/chat", "/ws/other/", "/ws/chat/a/b/", "/ws/chat/a/messages/", "/"]
)
async def test_an_unknown_path_is_refused_like_a_page_that_is_not_found(path, caplog):
    socket = client(path=path)

    assert not await socket.connect()
    assert caplog.messages == [
        f"Socket {path} refused: no route matches. The routing of django_roomchat handles all of ws/: "
        "put your own routes before its websocket_urlpatterns"
    ]


async def test_a_server_that_can_say_404_says_it():
    socket = client(path="/ws/other/")
    socket.scope["extensions"] = {"websocket.http.response": {}}
    await socket._communicator.send_input({"type": "websocket.connect"})

    answers = [await socket._communicator.receive_output(5) for _ in range(2)]

    assert answers == [
        {"type": "websocket.http.response.start", "status": 404, "headers": []},
        {"type": "websocket.http.response.body", "body": b"There is no such socket."},
    ]


async def test_an_endpoint_that_serves_nothing_says_what_to_define():
    with pytest.raises(NotImplementedError) as caught:
        await _Endpoint.as_asgi()({}, None, None)

    assert str(caught.value) == "_Endpoint does not serve sockets: define __call__()."


# Room names ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("한국어", "한국어"),
        ("my room", "my room"),
        ("My  Room ", "my room"),
        ("7b1e7f0e-5a39-4f0e-9a0a-6f9f6c6d1c11",) * 2,
        ("CAFE\u0301", "café"),
        ("🎉", "🎉"),
        ("x" * 100, "x" * 100),
        ("\U0001f389" * 100,) * 2,
    ],
)
async def test_any_room_name_may_be_in_the_address(typed, name):
    async with client(typed) as socket, client(name) as other:
        assert (await socket.receive("joined"))["room"] == name
        await other.receive("joined")
        await socket.post("hi", id="a")

        assert (await other.receive("events"))["room"] == name


BAD_NAMES = [
    (" ", "A room needs a name."),
    ("a\\b", "A room's name cannot contain “/” or “\\”."),
    ("a\tb", "A room's name cannot contain control characters or line breaks."),
    ("a\u202eb", "A room's name cannot contain characters that change the text direction."),
    ("x" * 101, "A room's name can have at most 100 characters; this one has 101."),
]


@pytest.mark.parametrize(("typed", "detail"), BAD_NAMES)
async def test_a_room_that_cannot_be_is_said_so_and_the_socket_closed(typed, detail):
    async with client(typed) as socket:
        await socket.receive("welcome")
        error, bye = await socket.receive(), await socket.receive()
        with pytest.raises(ConnectionResetError) as closed:
            await socket.receive()

    assert error == {
        "type": "error",
        "code": "bad_room_name",
        "detail": detail,
        "frame": "join",
        "room": typed,
    }
    assert bye == {"type": "bye", "code": 4004, "reason": "no such room"}
    assert closed.value.args[-1] == 4004


@pytest.mark.parametrize(("typed", "detail"), BAD_NAMES)
async def test_a_room_that_cannot_be_is_said_so_in_the_tutorials_dialect(typed, detail):
    async with client(typed, tutorial=True) as socket:
        error = await socket.receive()
        with pytest.raises(ConnectionResetError) as closed:
            await socket.receive()

    assert error == {"message": detail, "type": "error", "code": "bad_room_name"}
    assert closed.value.args[-1] == 4004


@pytest.mark.parametrize(("typed", "detail"), BAD_NAMES)
async def test_joining_a_room_that_cannot_be_is_refused_and_the_socket_goes_on(typed, detail):
    async with client() as socket:
        await socket.receive("joined")
        await socket.send({"type": "join", "room": typed})
        error = await socket.receive()

        assert error == {
            "type": "error",
            "code": "bad_room_name",
            "detail": detail,
            "frame": "join",
            "room": typed,
        }
        assert (await socket.post("hi", id="a"))["type"] == "ack"


# Bad input -------------------------------------------------------------------------------------------------------

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


# Talking ---------------------------------------------------------------------------------------------------------


async def test_an_acknowledged_post_is_stored_and_everybody_hears_it():
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
        {"key": you["key"], "name": you["name"]},
        "a",
        "hi",
    )
    assert shown == {"message": "hi", "name": you["name"], "seq": 1}


async def test_a_repeated_post_is_acknowledged_and_heard_once():
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


async def test_an_edit_and_a_deletion_are_acknowledged_and_heard():
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
        ("since=" + "9" * 5000, ["a", "b", "c"], "new"),
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


# The database ----------------------------------------------------------------------------------------------------


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


# Rights ----------------------------------------------------------------------------------------------------------


class NoSecrets(OpenPolicy):
    def can_enter(self, who, room):
        return Decision(room.name != "secret", "Secret.", code="secret")


async def test_who_may_not_enter_is_told_why_and_hears_nothing(settings):
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

    assert error == {"type": "error", "code": "banned", "detail": "Spam.", "frame": "join", "room": "lobby"}
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


# Flow control ----------------------------------------------------------------------------------------------------


async def test_a_client_that_says_nothing_of_what_it_saw_gets_the_rest_when_it_does(settings):
    settings.ROOMCHAT = {"UNSEEN_MAX_BYTES": 200_000}
    async with client() as slow, client(tutorial=True) as control:
        await slow.receive("joined")
        for number in range(80):
            await say("x" * 4000, id=str(number))
            await control.receive()
        [connection] = [one for one in hub.current().sockets if not one.is_tutorial]
        stopped = connection.is_ready
        seen = 0
        while connection.subscriptions["lobby"].cursor > seen:
            frame = await slow.receive("events")
            assert frame["prev"] == seen
            seen = frame["head"]
        at_first = seen
        while seen < 80:
            await slow.send({"type": "seen", "heads": {"lobby": seen, "nowhere": 5}})
            frame = await slow.receive("events")
            assert frame["prev"] == seen
            seen = frame["head"]

    assert (stopped, 40 < at_first < 60, seen) == (False, True, 80)


async def test_a_site_that_lets_little_be_unseen_still_hears_that_it_was_seen(settings):
    settings.ROOMCHAT = {"UNSEEN_MAX_BYTES": 10_000}
    async with client() as slow, client(tutorial=True) as control:
        await slow.receive("joined")
        seen = 0
        for number in range(20):
            await say("x" * 2000, id=str(number))
            await control.receive()
        while seen < 20:
            frame = await slow.receive("events")
            assert frame["prev"] == seen
            seen = frame["head"]
            await slow.send({"type": "seen", "heads": {"lobby": seen}})

        assert seen == 20


async def test_a_process_that_ends_takes_no_new_sockets_and_no_new_posts(caplog):
    async with client() as socket:
        await socket.receive("joined")
        hub.current().is_draining = True
        try:
            error = await socket.post("hi", id="a")
            connected = await client().connect()
        finally:
            hub.current().is_draining = False

    assert (error["code"], error["detail"], error["retry_after"]) == (
        "unavailable", "The server is restarting; try again.", 1.0,
    )  # fmt: skip
    assert (connected, caplog.messages) == (
        False,
        ["Socket /ws/chat/lobby/ refused: the process is shutting down"],
    )


class Stuck:
    """A server whose client stops reading after the handshake."""

    def __init__(self):
        self.sent = []
        self.incoming = asyncio.Queue()
        self.incoming.put_nowait({"type": "websocket.connect"})
        self.reads = True
        scope = client().scope
        self.task = asyncio.create_task(application(scope, self.incoming.get, self.send))

    async def send(self, message):
        if not self.reads:
            await asyncio.get_running_loop().create_future()
        self.sent.append(message)

    async def wait_for(self, type):
        async with asyncio.timeout(10):
            while not any(f'"type":"{type}"' in message.get("text", "") for message in self.sent):
                await asyncio.sleep(0)

    def say(self, **frame):
        self.incoming.put_nowait({"type": "websocket.receive", "text": json.dumps(frame)})


async def test_a_client_that_does_not_read_its_answers_is_put_out_and_nobody_waits_for_it(settings, caplog):
    settings.ROOMCHAT = {"REPLIES_MAX_BYTES": 2000}
    stuck = Stuck()
    await stuck.wait_for("joined")
    stuck.reads = False
    before = list(stuck.sent)
    async with client() as control:
        await control.receive("joined")
        for _ in range(100):
            stuck.say(type="hello")
        # Its consumer ends by itself, without an error and without a frame that nobody reads.
        await asyncio.wait_for(stuck.task, 10)

        assert (await control.post("hi", id="a"))["type"] == "ack"
    assert stuck.sent == before
    assert (hub.current().sockets, caplog.messages) == (set(), [])


async def test_a_server_that_ends_a_socket_is_obeyed():
    stuck = Stuck()
    await stuck.wait_for("joined")

    stuck.task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await stuck.task
    assert hub.current().sockets == set()
