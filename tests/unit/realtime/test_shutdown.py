"""The shutdown of a process."""

import pytest

from django_roomchat.realtime import hub
from tests.support.sockets import client

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_hub")]


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
