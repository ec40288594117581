import pytest
from channels.routing import ProtocolTypeRouter
from django.contrib.sessions.backends.db import SessionStore
from django.db import OperationalError
from django.urls import path

from django_roomchat.asgi import websocket_application, with_chat
from django_roomchat.testing import ChatClient

pytestmark = pytest.mark.django_db(transaction=True)


async def mine(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept", "subprotocol": "mine"})
    await receive()


@pytest.mark.parametrize("address", ["mine/", "ws/chat/mine/"])
async def test_routes_of_ones_own_come_first(address):
    application = websocket_application(path(address, mine))

    async with ChatClient(application, path=f"/{address}") as socket:
        assert socket.subprotocol == "mine"


async def test_an_address_of_nobody_is_refused_and_not_an_error():
    assert not await ChatClient(websocket_application(), path="/nowhere/").connect()


async def test_http_goes_to_django_and_sockets_to_the_chat():
    asked = []

    async def django(scope, receive, send):
        asked.append(scope["path"])

    application = with_chat(django, path("mine/", mine))
    await application({"type": "http", "path": "/page/"}, None, None)

    assert (type(application), asked) == (ProtocolTypeRouter, ["/page/"])
    async with ChatClient(application, path="/mine/") as socket:
        assert socket.subprotocol == "mine"


COOKIE = [(b"cookie", b"sessionid=abcdefghijklmnopqrstuvwxyzabcdef")]


async def test_without_a_database_a_socket_is_asked_to_come_back_and_the_log_has_one_line(
    monkeypatch, caplog
):
    def fail(self):
        raise OperationalError("gone")

    monkeypatch.setattr(SessionStore, "load", fail)
    answers = []
    for _ in range(3):
        client = ChatClient(websocket_application(), "lobby", headers=COOKIE)
        await client._communicator.send_input({"type": "websocket.connect"})
        answers.append(await client._communicator.receive_output(5))

    assert answers == [{"type": "websocket.close", "code": 4503}] * 3
    assert caplog.messages == [
        "Socket refused: the user could not be read from the database: OperationalError('gone')"
    ]


async def test_an_error_of_a_route_of_ones_own_is_its_own():
    async def fails(scope, receive, send):
        raise OperationalError("mine")

    client = ChatClient(websocket_application(path("mine/", fails)), path="/mine/")

    with pytest.raises(OperationalError, match="mine"):
        await client.connect()
