"""The handshake of the chat consumer, and the room in its path."""

import pytest
from channels.routing import URLRouter
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.db import OperationalError
from django.urls import re_path

import django_roomchat
from django_roomchat.consumers import ChatConsumer, _Endpoint
from django_roomchat.realtime import threads
from django_roomchat.testing import ChatClient
from tests.asgi import application
from tests.support.sockets import client

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_hub")]

# The handshake -------------------------------------------------------------------------------------------------------


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
        "Socket '/ws/chat/lobby/' refused: it requests no subprotocol; roomchat.v1 is supported, and TUTORIAL_DIALECT is off"
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
        "Socket '/ws/chat/lobby/' refused: it requests the subprotocols 'graphql-ws', 'soap'; roomchat.v1 is supported"
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
    assert [message.startswith("Socket '/ws/chat/lobby/' refused: its ") for message in caplog.messages] == [
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
        f"Socket {path!r} refused: no route matches. The routing of django_roomchat handles all of ws/: "
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


# Room names ----------------------------------------------------------------------------------------------------------


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
