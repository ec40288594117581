import asyncio
import json

import pytest
from channels.sessions import InstanceSessionWrapper
from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.asyncio.client import connect
from websockets.frames import Frame, Opcode

from django_roomchat.realtime import uvicorn_fast_path
from tests.services.client import SUBPROTOCOL


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65_535, 65_536, 100_000])
@pytest.mark.parametrize("letter", ["a", "한", "🎉"])
def test_a_frame_has_the_bytes_that_the_websockets_library_makes(letter, length):
    text = letter * length

    assert uvicorn_fast_path.frame(text) == Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


@pytest.fixture
def protocol():
    """uvicorn's own protocol object, as it is after a handshake without compression."""
    protocol = WebSocketsSansIOProtocol(Config(None), ServerState(), {}, asyncio.new_event_loop())
    protocol.loop.close()
    protocol.handshake_complete = True
    protocol.transport = Transport()
    return protocol


class Transport:
    def __init__(self):
        self.written = b""
        self.closing = False

    def write(self, data):
        self.written += data

    def is_closing(self):
        return self.closing


def test_a_frame_goes_straight_to_the_transport_of_this_uvicorn(protocol):
    assert uvicorn_fast_path.find(protocol.send).write(uvicorn_fast_path.TextFrame("hi"))
    assert protocol.transport.written == b"\x81\x02hi"


@pytest.mark.parametrize("state", ["blocked", "close sent", "disconnected", "not accepted", "closing"])
def test_whatever_is_not_plain_is_left_to_the_server(protocol, state):
    lane = uvicorn_fast_path.find(protocol.send)
    match state:
        case "blocked":
            protocol.writable.clear()
        case "close sent":
            protocol.close_sent = True
        case "disconnected":
            protocol.disconnected = True
        case "not accepted":
            protocol.handshake_complete = False
        case "closing":
            protocol.transport.closing = True

    assert not lane.write(uvicorn_fast_path.TextFrame("hi"))
    assert protocol.transport.written == b""


def test_a_compressed_connection_has_no_fast_way(protocol):
    protocol.conn.extensions = [object()]

    assert uvicorn_fast_path.find(protocol.send) is None


def test_another_uvicorn_that_lacks_a_part_has_no_fast_way(protocol):
    del protocol.close_sent

    assert uvicorn_fast_path.find(protocol.send) is None


async def test_another_server_has_no_fast_way():
    async def send(message):
        raise AssertionError("nobody sends here")

    assert uvicorn_fast_path.find(send) is None


async def test_the_session_middleware_is_passed_by():
    async def send(message):
        raise AssertionError("nobody sends here")

    wrapper = InstanceSessionWrapper({"session": None}, send)

    assert uvicorn_fast_path.beneath_sessions(wrapper.send) is send


async def test_a_session_middleware_that_saves_on_other_messages_is_not_passed_by(monkeypatch):
    async def send(message):
        raise AssertionError("nobody sends here")

    wrapper = InstanceSessionWrapper({"session": None}, send)
    monkeypatch.setattr(InstanceSessionWrapper, "save_message_types", ["websocket.send"])

    assert uvicorn_fast_path.beneath_sessions(wrapper.send) == wrapper.send


@pytest.mark.parametrize("compression", [None, "deflate"])
async def test_a_client_sees_no_difference(server, compression):
    """The first takes the fast way, the second the server's own."""
    site = server()
    texts = ["short", "x" * 200, "한국어 🎉"]
    async with connect(
        f"{site.ws_url}/ws/chat/lobby/", subprotocols=[SUBPROTOCOL], compression=compression
    ) as socket:
        heard = []
        for place, text in enumerate(texts):
            await socket.send(json.dumps({"type": "post", "id": str(place), "body": text}))
        while len(heard) < len(texts):
            frame = json.loads(await asyncio.wait_for(socket.recv(), 30))
            heard += [event["body"] for event in frame.get("events", ())]

    assert heard == texts
