"""Invalid and hostile input to real servers."""

import asyncio
import json
import re
import uuid
from urllib.parse import quote

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Frame as WebSocketFrame
from websockets.frames import Opcode

from django_roomchat.realtime import hub
from django_roomchat.testing import ChatClient
from tests.services.client import clients
from tests.support.bad_inputs import APPLICATION, MEGABYTE, SAID, Said, bodies_until, post, talk

pytestmark = pytest.mark.usefixtures("no_traceback")

SERVERS = ["uvicorn", "daphne"]


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_real_server_answers_them_all_on_one_socket(server, kind):
    site = server(kind=kind, roomchat={"PRESENCE": False})
    expected = []
    async with clients((site.ws_url, "lobby"), (site.ws_url, "lobby")) as (bad, control):

        async def receive():
            return json.loads(await asyncio.wait_for(bad.socket.recv(), 30))

        async def send(content):
            await bad.socket.send(content)

        for number, case in enumerate(case for case in SAID if _can_travel(case)):
            answers = await talk(receive, send, _renamed(case, number))
            assert answers == list(case.answers), case
            expected += case.stored
        await bad.socket.send(post("still here", id="last"))

        async def heard():
            return json.loads(await asyncio.wait_for(control.socket.recv(), 30))

        assert await bodies_until(_without_pings(heard), "still here") == [*expected, "still here"]
    assert "Traceback" not in site.log


def _can_travel(case):
    """A real connection carries text as UTF-8, in which half a pair cannot be written; written as an escape it can."""
    return all(isinstance(sent, bytes) or sent.isascii() or "\ud800" not in sent for sent in case.sent)


def _renamed(case, number):
    """On one socket every case needs ids of its own."""
    sent = tuple(
        re.sub(r'"id": ?"case"', f'"id":"case-{number}"', text) if isinstance(text, str) else text
        for text in case.sent
    )
    return Said(case.number, case.what, sent, case.answers, case.stored)


def _without_pings(receive):
    async def next_frame():
        while (answer := await receive())["type"] == "ping":
            pass
        return answer

    return next_frame


@pytest.mark.parametrize("kind", SERVERS)
async def test_number_19_what_is_no_utf_8_is_refused_by_the_server(server, kind):
    site = server(kind=kind)
    async with clients((site.ws_url, "lobby"), (site.ws_url, "lobby")) as (bad, control):
        bad.socket.transport.write(
            WebSocketFrame(Opcode.TEXT, b'{"type":"ping","x":"\xff\xfe"}').serialize(mask=True, extensions=[])
        )
        with pytest.raises(ConnectionClosedError) as closed:
            while True:
                await asyncio.wait_for(bad.socket.recv(), 30)
        await control.post("on")

        # daphne ends the connection without a word.
        assert closed.value.rcvd is None or closed.value.rcvd.code == 1007
        assert control.bodies == ["on"]
    # uvicorn logs a traceback of its own; none of ours may be in it.
    assert "django_roomchat" not in site.log


@pytest.mark.parametrize("kind", SERVERS)
async def test_number_20_a_frame_in_pieces_of_one_byte_is_one_frame(server, kind):
    site = server(kind=kind)
    async with clients((site.ws_url, "lobby"), (site.ws_url, "lobby")) as (bad, control):
        await bad.socket.send(iter(post("in pieces")))
        await control.until("in pieces")
        # A frame that never ends does not delay other clients.
        endless = bad.socket.transport
        endless.write(WebSocketFrame(Opcode.TEXT, b"{", fin=False).serialize(mask=True, extensions=[]))
        for _ in range(500):
            endless.write(WebSocketFrame(Opcode.CONT, b" ", fin=False).serialize(mask=True, extensions=[]))
        await control.post("on")

        assert control.bodies == ["in pieces", "on"]
    assert "Traceback" not in site.log


@pytest.mark.parametrize("kind", SERVERS)
async def test_number_21_a_bomb_is_too_big_after_unpacking(server, kind):
    site = server(kind=kind)
    async with (
        clients((site.ws_url, "lobby")) as (control,),
        connect(
            f"{site.ws_url}/ws/chat/{quote('lobby')}/", subprotocols=["roomchat.v1"], compression="deflate"
        ) as bad,
    ):
        await bad.send(" " * MEGABYTE)
        while (answer := json.loads(await asyncio.wait_for(bad.recv(), 30)))["type"] != "error":
            pass
        assert answer["code"] == "too_big"
        await bad.send(post("still here", id=uuid.uuid4().hex))
        await control.until("still here")
    assert "Traceback" not in site.log


async def test_a_client_that_the_server_closed_is_put_away_at_once(transactional_db):
    async with ChatClient(APPLICATION, "..", timeout=60) as client:
        with pytest.raises(ConnectionResetError):
            await client.receive("joined")
        await asyncio.wait_for(client.disconnect(), 10)

        assert hub.current().sockets == set()
