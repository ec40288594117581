"""Resources: clients that never read, and clients that connect and disconnect."""

import asyncio
import contextlib
import json
import os
import random
import socket
import time
import uuid
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from websockets.exceptions import ConnectionClosed

from tests.faults.probes import Figures, answers_to, open_socket, talking
from tests.faults.run import percentiles
from tests.faults.site import Place, Site, running_site, until
from tests.faults.workload import SUBPROTOCOL, Member, Record
from tests.services.server import Server

# Clients that never read


async def never_reading(place: Place, rounds: int, *, at_once: int = 8, slow_seconds: float = 6.0) -> Figures:
    """Connect clients that never read, beside others that do: measure their memory and the delays of the others."""
    growth: list[float] = []
    control: list[float] = []
    quiet: list[float] = []
    beside: list[float] = []
    closings: list[float] = []
    goodbyes: list[float] = []
    async with running_site(place, roomchat={"SLOW_SECONDS": slow_seconds}) as site:
        server = site.servers[0]
        assert server.process is not None
        memory = Path(f"/proc/{server.process.pid}")
        async with talking(site, 6, 1, think=0.02, silence=60) as (people, record):
            talker = asyncio.create_task(_talk_much(people[0]))
            await until(
                lambda: people[0].views["room-0"].cursor > 1500, 90, "the room's recent events are at hand"
            )
            span = slow_seconds + 4
            for _ in range(rounds):
                calm, mark = _resident(memory), len(record.delays)
                control.append(await _peak(memory, span) - calm)
                quiet.append(_p99(record, mark))
                before, sockets, mark = _resident(memory), _sockets(memory), len(record.delays)
                came = time.monotonic()
                deaf = [_deaf_client(server, "room-0") for _ in range(at_once)]
                try:
                    await until(
                        lambda sockets=sockets: _sockets(memory) >= sockets + at_once, 10, "they are in"
                    )
                    goodbye = asyncio.create_task(_until_gone(site, server, len(people), came))
                    peak = await _peak(
                        memory, slow_seconds + 30, lambda sockets=sockets: _sockets(memory) <= sockets
                    )
                    closings.append(time.monotonic() - came)
                    goodbyes.append(await goodbye)
                    growth.append(peak - before)
                    beside.append(_p99(record, mark))
                finally:
                    for one in deaf:
                        one.close()
            talker.cancel()
        others = sum(record.closes.values()) + record.counts["gave up a silent socket"]
    median = lambda values: sorted(values)[len(values) // 2]  # noqa: E731  (of a handful)
    return {
        "place": str(place),
        "clients": rounds * at_once,
        "at_once": at_once,
        "slow_seconds": slow_seconds,
        "let_go_after_seconds": percentiles(goodbyes),
        "connection_gone_after_seconds": percentiles(closings),
        "memory_growth_without_mib": round(median(control), 2),
        "memory_growth_with_mib": round(median(growth), 2),
        "mib_for_each": round(max(0.0, median(growth) - median(control)) / at_once, 3),
        "mib_for_each_at_worst": round(max(growth) / at_once, 3),
        "others_closed": others,
        "others_p99_seconds_without": round(median(quiet), 4),
        "others_p99_seconds_with": round(median(beside), 4),
    }


async def _until_gone(site: Site, server: Server, members: int, came: float) -> float:
    """Wait until the application has only the sockets of the members; return the time since *came*."""
    while (await asyncio.to_thread(site.inside, server))["sockets"] > members:
        assert time.monotonic() < came + 120, "the application keeps those who never read"
        await asyncio.sleep(0.25)
    return time.monotonic() - came


async def _talk_much(member: Member) -> None:
    while True:
        await member.say("room-0", f"{uuid.uuid4().hex} {'many words ' * 180}")
        await asyncio.sleep(0.005)


def _deaf_client(server: Server, room: str) -> socket.socket:
    """Return a client that opens a WebSocket and then never reads."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(30)
    client.connect(("127.0.0.1", server.port))
    client.sendall(
        f"GET /ws/chat/{room}/ HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==\r\n"
        f"Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n".encode()
    )
    return client


def _resident(process: Path) -> float:
    """Return the resident memory of a process, in MiB."""
    pages = int((process / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _sockets(process: Path) -> int:
    """Return the number of sockets that the operating system lists for the process."""
    count = 0
    for entry in os.scandir(process / "fd"):
        with contextlib.suppress(OSError):
            count += os.readlink(entry.path).startswith("socket:")
    return count


async def _peak(process: Path, seconds: float, done: Callable[[], bool] = lambda: False) -> float:
    deadline, peak = time.monotonic() + seconds, 0.0
    while time.monotonic() < deadline and not done():
        peak = max(peak, _resident(process))
        await asyncio.sleep(0.05)
    return peak


def _p99(record: Record, mark: int) -> float:
    return percentiles([delay for _, delay in record.delays[mark:]])["p99"]


# Connecting and disconnecting


async def coming_and_going(
    place: Place, times: int, *, warm_up: int = 300, at_once: int = 40, seed: int = 1
) -> Figures:
    """Connect and disconnect, with and without a close frame: compare the resources before and after."""
    outcomes: Counter[str] = Counter()
    async with running_site(place, seed=seed) as site:
        server = site.servers[0]

        async def visit(number: int) -> None:
            chance = random.Random(f"{seed} {number}")
            channel = await open_socket(server, f"ws/chat/visited-{chance.randrange(50)}/").__aenter__()
            try:
                await asyncio.wait_for(channel.recv(), 30)
                match chance.randrange(4):
                    case 0:
                        outcomes["left at once"] += 1
                    case 1:
                        await asyncio.wait_for(channel.recv(), 30)
                        outcomes["left when in"] += 1
                    case 2:
                        await asyncio.wait_for(channel.recv(), 30)
                        id = uuid.uuid4().hex
                        await channel.send(json.dumps({"type": "post", "id": id, "body": "passing by"}))
                        await answers_to(channel, [id, ""])
                        outcomes["said something"] += 1
                    case 3:
                        id = uuid.uuid4().hex
                        await channel.send(json.dumps({"type": "post", "id": id, "body": "and gone"}))
                        channel.transport.abort()
                        outcomes["said something and tore the line"] += 1
            except ConnectionClosed:
                outcomes["was closed"] += 1
            finally:
                if chance.random() < 0.5:
                    channel.transport.abort()
                else:
                    await channel.close()

        # The first connections create what is kept permanently: threads, imports, caches.
        await _many(visit, range(-warm_up, 0), at_once)
        before = await _rest(site, server)
        outcomes.clear()
        began = time.monotonic()
        await _many(visit, range(times), at_once)
        seconds = time.monotonic() - began
        after = await _rest(site, server)
        log = server.log
    return {
        "place": str(place),
        "visits": times,
        "seconds": round(seconds, 1),
        "outcomes": dict(outcomes),
        "before": before,
        "after": after,
        "tracebacks": log.count("Traceback"),
    }


async def _many(
    work: Callable[[int], Coroutine[Any, Any, None]], numbers: Sequence[int], at_once: int
) -> None:
    left = list(numbers)

    async def some() -> None:
        while left:
            await work(left.pop())

    await asyncio.gather(*(some() for _ in range(at_once)))


BUSY = ("rooms", "sockets", "hubs_at_work", "database_threads")


async def _rest(site: Site, server: Server) -> dict[str, Any]:
    """Wait until the process has no client, and return its resources."""
    deadline = time.monotonic() + 60
    assert server.process is not None
    memory = Path(f"/proc/{server.process.pid}")
    state = await asyncio.to_thread(site.inside, server, collect=True)
    while any(state[what] for what in BUSY):
        assert time.monotonic() < deadline, f"not at rest: {state}"
        await asyncio.sleep(0.5)
        state = await asyncio.to_thread(site.inside, server, collect=True)
    # The connection of this request is included, both times.
    found: dict[str, Any] = {**state, "descriptors": len(list(os.scandir(memory / "fd")))}
    found["threads"] = len(list(os.scandir(memory / "task")))
    found["mib"] = round(_resident(memory), 1)
    if site.postgres is not None:
        found["database_sessions"] = await asyncio.to_thread(site.postgres.sessions, "site")
    if site.redis is not None:
        with site.admin() as admin:
            found["groups"] = len(admin.keys("*group*")) + len(admin.pubsub_channels())
    return found
