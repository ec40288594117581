"""Several real processes with a real channel layer, and processes that are killed."""

import asyncio
import json
import time

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.services.client import clients

SERVERS = ["uvicorn", "daphne"]


@pytest.mark.parametrize("kind", SERVERS)
async def test_members_in_two_processes_on_one_redis_see_each_others_messages(
    server, redis_url, postgres_url, kind
):
    # A poll far away, so that only the layer can have brought what arrives.
    options = {"redis_url": redis_url, "database_url": postgres_url, "roomchat": {"POLL_SECONDS": 600}}
    here, there = server(kind=kind, **options), server(kind=kind, **options)
    async with clients((here.ws_url, "한국어"), (there.ws_url, "한국어")) as (ann, ben):
        await ann.post("from here")
        await ben.until("from here")
        await ben.post("from there")
        await ann.until("from there")

        assert (ann.bodies, ben.bodies) == (["from here", "from there"], ["from here", "from there"])


async def test_two_processes_that_share_only_the_database_receive_events_within_the_poll_interval(
    server, sqlite_url
):
    options = {"database_url": sqlite_url, "roomchat": {"POLL_SECONDS": 2}}
    here, there = server(**options), server(**options)
    async with clients((here.ws_url, "lobby"), (there.ws_url, "lobby")) as (ann, ben):
        began = time.monotonic()
        await ann.post("across")
        await ben.until("across")

        assert time.monotonic() - began < 2 + 1 + 1  # the interval, the hub's tick, and a busy machine


@pytest.mark.slow
async def test_a_socket_that_was_idle_for_60_seconds_on_redis_still_receives(server, redis_url, sqlite_url):
    """With redis-py 8 and the documented CHANNEL_LAYERS, an ordinary consumer dies after 5."""
    # Presence frames would keep the connection from being idle.
    quiet = {"POLL_SECONDS": 600, "PRESENCE": False}
    options = {"redis_url": redis_url, "database_url": sqlite_url, "roomchat": quiet}
    here, there = server(**options), server(**options)
    async with clients((here.ws_url, "quiet"), (there.ws_url, "quiet")) as (ann, ben):
        silent_until = time.monotonic() + 60
        while time.monotonic() < silent_until:
            # The server's pings come meanwhile; nothing else does.
            frame = await asyncio.wait_for(ben.socket.recv(), 40)
            assert json.loads(frame)["type"] == "ping"
        await ann.post("after a minute")
        await ben.until("after a minute")

        assert ben.bodies == ["after a minute"]
    assert "Traceback" not in here.log + there.log


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_member_catches_up_after_the_server_was_killed(server, kind):
    site = server(kind=kind)
    async with clients((site.ws_url, "lobby")) as (ann,):
        await ann.post("before")
        site.kill()
        site.start()
        async with clients((site.ws_url, "lobby")) as (ben,):
            await ben.post("meanwhile")
        await ann.open()

        assert (ann.bodies, ann.resets) == (["before", "meanwhile"], ["new"])


@pytest.mark.parametrize("kind", SERVERS)
@pytest.mark.parametrize("path", ["/ws/", "/ws/nothing/", "/ws/chat/a/b/"])
async def test_an_unknown_path_is_refused_and_is_no_error_of_the_server(server, kind, path):
    site = server(kind=kind)
    with pytest.raises(InvalidStatus) as refusal:
        await connect(f"{site.ws_url}{path}")

    assert refusal.value.response.status_code in (403, 404)
    assert f"Socket {path!r} refused: no route matches" in site.log
    assert "Traceback" not in site.log


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_page_of_another_site_is_refused_and_the_log_says_why(server, kind):
    site = server(kind=kind)
    async with connect(f"{site.ws_url}/ws/chat/lobby/", origin=site.url):
        pass
    with pytest.raises(InvalidStatus) as refusal:
        await connect(f"{site.ws_url}/ws/chat/lobby/", origin="http://evil.example")

    assert refusal.value.response.status_code == 403
    assert "its Origin is 'http://evil.example'" in site.log


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_frame_of_a_megabyte_is_answered_and_the_socket_goes_on(server, kind):
    site = server(kind=kind)
    async with clients((site.ws_url, "lobby")) as (ann,):
        await ann.socket.send(json.dumps({"type": "post", "id": "big", "body": "x" * 1_000_000}))

        assert await ann.receive("error") == {
            "type": "error",
            "code": "too_big",
            "detail": "A frame can have at most 65536 bytes.",
        }
        assert (await ann.post("small"))["type"] == "ack"
