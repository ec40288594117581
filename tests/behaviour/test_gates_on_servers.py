"""A gate in `connect()` of a subclass of `ChatConsumer` on real servers: refused before the socket opens."""

import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

TUTORIAL, PROTOCOL = None, ["roomchat.v1"]


@pytest.mark.parametrize("kind", ["uvicorn", "daphne"])
async def test_a_gate_in_connect_keeps_everybody_out_who_does_not_pass_it(server, kind):
    url = f"{server(kind=kind, application='tests.support.gated:application').ws_url}/ws/chat/lobby/"
    received, refused = [], []
    for subprotocols in (TUTORIAL, PROTOCOL):
        async with connect(url, subprotocols=subprotocols, additional_headers={"X-Pass": "1"}) as socket:
            if subprotocols is TUTORIAL:
                await socket.send('{"message": "hi"}')
                received.append(json.loads(await socket.recv())["message"])
            else:
                received.append(json.loads(await socket.recv())["type"])
        with pytest.raises(InvalidStatus) as caught:
            await connect(url, subprotocols=subprotocols)
        refused.append(caught.value.response.status_code)

    assert (received, refused) == (["hi", "welcome"], [403, 403])
