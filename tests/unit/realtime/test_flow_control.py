"""Sockets whose client acknowledges or reads too little."""

import asyncio
import json

import pytest

from django_roomchat.realtime import hub
from tests.asgi import application
from tests.support.sockets import client

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_hub")]


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
        # Its consumer ends without an error and without another frame.
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
