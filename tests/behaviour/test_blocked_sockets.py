"""A room over HTTP on real servers: what passes where sockets do not."""

import asyncio
import json
import signal

import httpx
import pytest

SERVERS = ["uvicorn", "daphne"]
SECONDS = 30


async def frame(lines, *types):
    """The next frame of one of these types, and the id of the last event before or at it."""
    place = None
    async with asyncio.timeout(SECONDS):
        async for line in lines:
            if line.startswith("id: "):
                place = line[4:]
            elif line.startswith("data: ") and (got := json.loads(line[6:]))["type"] in types:
                return got, place
    raise EOFError


async def say(client, body, id):
    """Through the form's page, which sets the cookie of the token."""
    if "csrftoken" not in client.cookies:
        await client.get("/chat/lobby/")
    answer = await client.post(
        "/chat/lobby/frames/",
        json={"type": "post", "id": id, "body": body},
        headers={"X-CSRFToken": client.cookies["csrftoken"]},
    )
    return answer.json()


def bodies(frame):
    return [event["body"] for event in frame["events"]]


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_conversation_without_a_socket(server, kind):
    site = server(kind=kind)
    async with (
        httpx.AsyncClient(base_url=site.url, timeout=SECONDS) as ana,
        ana.stream("GET", "/chat/lobby/events/") as response,
    ):
        lines = aiter(response.aiter_lines())
        joined, _ = await frame(lines, "joined")

        answer = await say(ana, "안녕", "a")
        news, place = await frame(lines, "events")

        assert (answer["type"], answer["seq"]) == ("ack", 1)
        assert (bodies(joined), bodies(news)) == ([], ["안녕"])
        assert place == f"{news['epoch']}:1"

    async with httpx.AsyncClient(base_url=site.url, timeout=SECONDS) as ben:
        await say(ben, "still there?", "b")
        async with ben.stream("GET", "/chat/lobby/events/", headers={"Last-Event-ID": place}) as response:
            back, _ = await frame(aiter(response.aiter_lines()), "joined")
        polled = await ben.get("/chat/lobby/events/", params={"wait": 25, "epoch": news["epoch"], "since": 1})

    assert (bodies(back), "reset" in back) == (["still there?"], False)
    assert bodies(polled.json()["frames"][-1]) == ["still there?"]
    assert "Traceback" not in site.log


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_stream_is_told_goodbye_when_the_process_ends(server, kind):
    site = server(kind=kind)
    async with (
        httpx.AsyncClient(base_url=site.url, timeout=SECONDS) as ana,
        ana.stream("GET", "/chat/lobby/events/") as response,
    ):
        lines = aiter(response.aiter_lines())
        await frame(lines, "joined")

        site.process.send_signal(signal.SIGTERM)
        bye, _ = await frame(lines, "bye")
        async with asyncio.timeout(SECONDS):
            rest = [line async for line in lines if line]

        assert (bye["code"], rest) == (4012, [])


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_stream_whose_reader_is_gone_leaves_the_room(server, kind):
    site = server(kind=kind, roomchat={"PRESENCE_GRACE_SECONDS": 0.1})
    async with (
        httpx.AsyncClient(base_url=site.url, timeout=SECONDS) as ben,
        ben.stream("GET", "/chat/lobby/events/") as watching,
    ):
        lines = aiter(watching.aiter_lines())
        async with (
            httpx.AsyncClient(base_url=site.url, timeout=SECONDS) as ana,
            ana.stream("GET", "/chat/lobby/events/") as response,
        ):
            hers = aiter(response.aiter_lines())
            await frame(hers, "joined")
            while (await frame(lines, "presence"))[0]["count"] != 2:
                pass

        while (await frame(lines, "presence"))[0]["count"] != 1:
            pass


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_reader_of_nothing_holds_up_nobody(server, kind):
    site = server(kind=kind, roomchat={"UNSEEN_MAX_BYTES": 20_000, "POSTS_PER_GUEST": None})
    async with (
        httpx.AsyncClient(base_url=site.url, timeout=SECONDS) as lazy,
        lazy.stream("GET", "/chat/lobby/events/"),
        httpx.AsyncClient(base_url=site.url, timeout=SECONDS) as ana,
        ana.stream("GET", "/chat/lobby/events/") as response,
    ):
        lines = aiter(response.aiter_lines())
        await frame(lines, "joined")
        for number in range(5):
            await say(ana, f"{number} " + "x" * 1000, f"id{number}")
            news, _ = await frame(lines, "events")
            assert bodies(news)[-1].startswith(f"{number} ")
