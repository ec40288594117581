"""Presence in three real processes, of which one is killed."""

import asyncio
import contextlib
import json
import time
from urllib.request import urlopen

import pytest
from websockets.asyncio.client import connect

SHORT = {"PRESENCE_GRACE_SECONDS": 3, "PRESENCE_RENEW_SECONDS": 1, "PRESENCE_LEASE_SECONDS": 4}


class Person:
    """A client with a session that connects to any process and records the presence frames."""

    def __init__(self, site):
        with urlopen(f"{site.url}/chat/lobby/") as page:
            cookies = [cookie.partition(";")[0] for cookie in page.headers.get_all("Set-Cookie")]
        [self.cookie] = [cookie for cookie in cookies if cookie.startswith("sessionid=")]
        self.here = {}
        self.count = 0
        self.changes = []
        """Changes after the first list: time, people who entered and people who left."""
        self.key = ""

    async def come(self, site):
        self.socket = await connect(
            f"{site.ws_url}/ws/chat/lobby/",
            subprotocols=["roomchat.v1"],
            additional_headers={"Cookie": self.cookie},
        )
        self.listening = asyncio.create_task(self.listen(self.socket))
        return self

    async def go(self):
        await self.socket.close()
        with contextlib.suppress(Exception):
            await self.listening

    async def listen(self, socket):
        async for text in socket:
            frame = json.loads(text)
            if frame["type"] == "welcome":
                self.key = frame["you"]["key"]
            elif frame["type"] == "presence":
                self.take(frame)

    def take(self, frame):
        self.count = frame["count"]
        if "here" in frame:
            self.here = {person["key"]: person for person in frame["here"]}
            return
        joined = {person["key"]: person for person in frame.get("joined", ())}
        self.here |= joined
        for key in frame.get("left", ()):
            del self.here[key]
        self.changes.append((time.monotonic(), set(joined), set(frame.get("left", ()))))

    async def sees(self, *people, within):
        """Wait until exactly these are here. Returns how long that took."""
        began = time.monotonic()
        async with asyncio.timeout(within):
            while set(self.here) != {person.key for person in people}:
                # Another task takes the frames.
                await asyncio.sleep(0.05)
        return time.monotonic() - began


@pytest.fixture
def sites(server, sqlite_url, request):
    def start(roomchat, redis_url=None):
        options = {"database_url": sqlite_url, "redis_url": redis_url, "roomchat": roomchat}
        return [server(**options) for _ in range(3)]

    return start


@pytest.mark.parametrize("layer", ["redis", "none between processes"])
@pytest.mark.slow
async def test_with_three_processes_and_one_killed_everybody_sees_who_is_there(sites, request, layer):
    redis_url = request.getfixturevalue("redis_url") if layer == "redis" else None
    one, two, three = sites(SHORT, redis_url)
    ann, ben, carl = Person(one), Person(one), Person(one)
    await ann.come(one)
    await ben.come(two)
    await carl.come(three)
    for person in (ann, ben, carl):
        await person.sees(ann, ben, carl, within=20)
    # Carl's process dies, and he comes back through another, in less than the lease and the grace.
    three.kill()
    await carl.go()
    await carl.come(two)
    fled = len(ann.changes)
    await carl.sees(ann, ben, carl, within=20)
    # Ben's connection is lost, and comes back within the grace.
    await ben.go()
    await ben.come(one)
    await ben.sees(ann, ben, carl, within=20)
    quiet_until = time.monotonic() + SHORT["PRESENCE_LEASE_SECONDS"] + 4
    while time.monotonic() < quiet_until:
        await asyncio.sleep(0.2)
    flaps = ann.changes[fled:]
    # Carl's second process dies, and he does not come back.
    two.kill()
    await carl.go()
    took = await ann.sees(ann, ben, within=30)
    for person in (ann, ben):
        await person.go()

    assert flaps == []
    assert took < SHORT["PRESENCE_LEASE_SECONDS"] + 5
    assert "Traceback" not in one.log


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_with_the_real_intervals_a_killed_process_has_no_ghosts_after_35_seconds(
    sites, record_property
):
    one, two, three = sites({})
    ann, ben, carl = Person(one), Person(one), Person(one)
    await ann.come(one)
    await ben.come(two)
    await carl.come(three)
    for person in (ann, ben):
        await person.sees(ann, ben, carl, within=60)
    before = len(ann.changes)
    three.kill()
    await carl.go()
    # Ben reconnects after five seconds, in another process.
    await ben.go()
    await asyncio.sleep(5)
    await ben.come(one)
    took = 5 + await ann.sees(ann, ben, within=40)
    record_property("seconds until the ghost was gone", took)
    print(f"gone after {took:.1f} s")
    changes = [(joined, left) for _, joined, left in ann.changes[before:]]
    for person in (ann, ben):
        await person.go()

    assert took < 35
    assert changes == [(set(), {carl.key})]
