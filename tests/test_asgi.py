import pytest
from channels.routing import ProtocolTypeRouter
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
