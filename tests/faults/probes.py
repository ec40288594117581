"""Experiments that look at one thing each, and return its figures. The short tests and the long proof run the same ones."""

import asyncio
import contextlib
import json
import os
import random
import re
import socket
import sys
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.faults.run import everybody_in, percentiles, settle
from tests.faults.site import Place, Site, running_site, until
from tests.faults.workload import SUBPROTOCOL, Member, Record
from tests.services.server import ROOT, Server

Figures = dict[str, Any]
POLL_SECONDS = 5.0
"""The default of ``ROOMCHAT["POLL_SECONDS"]``, which these experiments leave alone."""


@contextlib.asynccontextmanager
async def talking(
    site: Site, count: int, rooms: int, *, think: float, seed: int = 0, silent: int = 0, **options: Any
) -> AsyncIterator[tuple[list[Member], Record]]:
    """Members who talk as long as the block lasts.

    With *silent* ones, who only listen, these are at the second process and the others at the first: all that they hear
    has come from one process to another, and nothing that is said beside them tells of it.
    """
    record = Record()
    names = [f"room-{number}" for number in range(rooms)]
    cookies = await asyncio.to_thread(site.sessions, count + silent)
    options = {"seed": seed, "think": think, "changes": 0} | options
    here, there = (site.servers[0].ws_url, site.servers[1].ws_url) if silent else (site.ws_url, "")
    people = [
        Member(number, there if number >= count else here, [names[number % rooms]], cookie, record, **options)
        for number, cookie in enumerate(cookies)
    ]
    try:
        for number, one in enumerate(people):
            one.measures = number >= count or not silent
            one.start(talk=number < count)
        await everybody_in(people, record)
        yield people, record
    finally:
        await asyncio.gather(*(one.end() for one in people))


# The layer ----------------------------------------------------------------------------------------------------------


async def layer_outages(
    place: Place, times: int, *, how: str = "kill", down: Sequence[float] = (0.0, 1.0, 4.0), seed: int = 1
) -> Figures:
    """Take Redis away under open sockets, again and again: who loses a socket, and how late do messages come?"""
    outages: list[float] = []
    usual: list[float] = []
    recoveries: list[float] = []
    async with (
        running_site(place, seed=seed) as site,
        # Default intervals; a member is patient, so that a socket that ends was ended by the server.
        talking(site, 10, 4, think=0.1, seed=seed, silent=10, silence=60) as (people, record),
    ):
        redis, began = site.redis, time.monotonic()
        assert redis is not None
        for number in range(times):
            mark = len(record.delays)
            await until(lambda mark=mark: len(record.delays) > mark + 400, 30, "messages arrive")
            usual += [delay for _, delay in record.delays[mark:]]
            mark, gone = len(record.delays), time.monotonic()
            match how:
                case "kill":
                    await asyncio.to_thread(redis.kill)
                    await asyncio.sleep(down[number % len(down)])
                    await asyncio.to_thread(redis.start)
                case "pause":
                    redis.pause()
                    await asyncio.sleep(down[number % len(down)])
                    redis.resume()
                case "flush":
                    with site.admin() as admin:
                        admin.flushall()
            back = time.monotonic()
            await _usual_again(record, back)
            recoveries.append(time.monotonic() - back)
            outages.append(max(delay for at, delay in record.delays[mark:] if at >= gone))
        minutes = (time.monotonic() - began) / 60
        closed = sum(record.closes.values()) + len(record.absences)
        verdict = await settle(site, people, record)
        lines = _report_lines(site)
    return {
        "place": str(place),
        "how": how,
        "times": times,
        "sockets": len(people),
        "sockets_closed": closed,
        "posts": sum(verdict.classes.values()),
        "classes": dict(verdict.classes),
        "violations": verdict.violations[:10],
        "usual_delay": percentiles(usual),
        "worst_delay_of_each_outage": percentiles(outages),
        "seconds_until_usual_again": percentiles(recoveries),
        "minutes": round(minutes, 2),
        "most_lines_of_one_kind_in_one_log": max(lines.values(), default=0),
    }


async def _usual_again(record: Record, since: float, seconds: float = 20) -> None:
    """Until for a second every message came at once, as between two processes only the layer can bring it."""

    def usual() -> bool:
        now = time.monotonic()
        recent = []
        for at, delay in reversed(record.delays):
            if at < now - 1:
                break
            recent.append(delay)
        return now > since + 1 and len(recent) > 50 and max(recent) < 0.9

    await until(usual, seconds, "messages come at once again")


def _report_lines(site: Site) -> Counter[str]:
    """The lines about the layer in the processes' logs, by process and kind."""
    found: Counter[str] = Counter()
    for number, server in enumerate(site.servers):
        for kind in re.findall(r"The channel layer '\w+' (failed while \w+|does not keep up)", server.log):
            found[f"{number} {kind}"] += 1
    return found


# Deaths of applications -----------------------------------------------------------------------------------------------


async def application_deaths(place: Place, times: int, *, seed: int = 1) -> Figures:
    """Kill a process under its sockets, again and again: when have its members caught up?"""
    caught_up: list[float] = []
    affected: list[int] = []
    async with (
        running_site(place, seed=seed) as site,
        talking(site, 30, 6, think=0.2, seed=seed) as (people, record),
    ):
        for number in range(times):
            victim = site.servers[number % len(site.servers)]
            here = [one for one in people if _is_at(one, victim, site)]
            killed = time.monotonic()
            await asyncio.to_thread(victim.kill)
            heads = await asyncio.to_thread(site.logs)
            waits = [_until_caught_up(one, heads, killed) for one in here]
            starting = asyncio.create_task(asyncio.to_thread(victim.start))
            caught_up += await asyncio.gather(*waits)
            affected.append(len(here))
            await starting
            # Some of the others move, so that the next victim has members too.
            for one in people[number % 5 :: 5]:
                one.hang_up()
            await everybody_in(people, record)
        verdict = await settle(site, people, record)
    return {
        "place": str(place),
        "times": times,
        "members_cut_off": sum(affected),
        "seconds_until_caught_up": percentiles(caught_up),
        "posts": sum(verdict.classes.values()),
        "classes": dict(verdict.classes),
        "violations": verdict.violations[:10],
    }


def _is_at(member: Member, server: Server, site: Site) -> bool:
    port = member.local_port
    return any(link.upstream == server.port and link.client_port == port for link in site.proxy.links)


async def _until_caught_up(member: Member, heads: dict[str, tuple[int, int]], killed: float) -> float:
    """Until they have everything that was there when the process died."""
    await until(
        lambda: (
            member.is_ready
            and member.opened_at > killed
            and all(view.cursor >= heads.get(room, (0, 0))[0] for room, view in member.views.items())
        ),
        60,
        "a member is back",
    )
    return time.monotonic() - killed


# Bans ----------------------------------------------------------------------------------------------------------------


async def ban_races(place: Place, times: int, *, posters: int = 8, seed: int = 1) -> Figures:
    """Ban somebody while their posts are on the way: is one of them numbered after the ban?"""
    heads: dict[str, int] = {}
    acks: dict[str, int] = {}
    outcomes: Counter[str] = Counter()
    async with running_site(place, roomchat={"DATABASE_THREADS": 4}, seed=seed) as site:
        banners = [await _Banner.start(site) for _ in range(3)]
        left = list(range(times))

        async def race(number: int) -> None:
            chance, room, server = (
                random.Random(f"{seed} {number}"),
                f"ban-{number}",
                site.servers[number % 2],
            )
            banner = banners[number % len(banners)]
            async with _socket(server, "ws/chat/") as channel:
                key = json.loads(await channel.recv())["you"]["key"]
                while left:
                    left.pop()
                    ids: list[str] = []
                    answering = asyncio.create_task(_answers_to(channel, ids))
                    ban = asyncio.create_task(banner.do("ban", room, key))
                    # Posts close together, from before the ban until after it.
                    while len(ids) < 2 or not ban.done():
                        ids.append(uuid.uuid4().hex)
                        await _post_all(channel, room, ids[-1:])
                        await asyncio.sleep(chance.uniform(0.002, 0.012))
                    ids += [uuid.uuid4().hex, ""]
                    await _post_all(channel, room, ids[-2:-1])
                    answers = await answering
                    head = await ban
                    ids.pop()
                    heads.update(dict.fromkeys(ids, head))
                    stored = [frame for frame in answers if frame["type"] == "ack"]
                    acks.update((frame["id"], frame["seq"]) for frame in stored)
                    for frame in answers:
                        if frame["type"] == "error":
                            outcomes[frame["code"]] += 1
                    late = [frame for frame in stored if frame["seq"] > head]
                    outcomes["acknowledged after the ban"] += len(late)
                    outcomes["races in which some came through and some did not"] += (
                        0 < len(stored) < len(ids)
                    )
                    await banner.do("unban", room, key)

        await asyncio.gather(*(race(number) for number in range(posters)))
        for banner in banners:
            await banner.end()
        rows = await asyncio.to_thread(site.rows)
    stored = {row.id: row.seq for row in rows}
    return {
        "place": str(place),
        "bans": times,
        "posts": len(heads),
        "stored": len(stored),
        "numbered_after_the_ban": sum(seq > heads[id] for id, seq in stored.items()),
        "acknowledged_but_missing": sum(stored.get(id) != seq for id, seq in acks.items()),
        "outcomes": dict(outcomes),
    }


class _Banner:
    """A process that bans, or ends other rights, and answers in order."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._lock = asyncio.Lock()

    @classmethod
    async def start(cls, site: Site, module: str = "tests.faults.banner") -> "_Banner":
        pipe = asyncio.subprocess.PIPE
        return cls(
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", module),
                stdin=pipe,
                stdout=pipe,
                env=site.environment,
                cwd=ROOT,
            )
        )

    async def do(self, verb: str, room: str, key: str) -> int:
        return int(await self.ask(verb, room, key))

    async def ask(self, *words: str) -> str:
        assert self._process.stdin and self._process.stdout
        async with self._lock:
            self._process.stdin.write(f"{' '.join(words)}\n".encode())
            return (await self._process.stdout.readline()).decode().strip()

    async def end(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        await self._process.wait()


def _socket(server: Server, path: str, cookie: str = "") -> Any:
    return connect(
        f"{server.ws_url}/{path}",
        additional_headers={"Cookie": cookie} if cookie else None,
        subprotocols=[SUBPROTOCOL],  # type: ignore[list-item]  # a NewType of str
        compression=None,
        max_size=None,
        open_timeout=30,
        close_timeout=2,
        proxy=None,
    )


async def _post_all(channel: Any, room: str, ids: Sequence[str]) -> None:
    for id in ids:
        await channel.send(json.dumps({"type": "post", "room": room, "id": id, "body": "as long as I may"}))


async def _answers_to(channel: Any, ids: Sequence[str]) -> list[Any]:
    """The acks and errors to these posts. The list may grow meanwhile, until an empty id ends it.

    An error that may be repeated is not: it says that nothing was stored.
    """
    found: list[Any] = []
    while not (ids and not ids[-1] and len(found) == len(ids) - 1):
        frame = json.loads(await asyncio.wait_for(channel.recv(), 30))
        if frame["type"] in ("ack", "error") and frame.get("id") in ids:
            found.append(frame)
    return found


# Rights that end --------------------------------------------------------------------------------------------------------

ENDS = ("logout", "password", "deactivate", "delete", "expiry", "ban", "forget", "update")
"""How a right ends. Of the last two nobody tells: a session's row is deleted, and an account is changed by ``QuerySet.update``."""
UNTOLD = ("forget", "update")


async def revocations(
    place: Place, times: int, *, is_layer_dead: bool = False, seconds_between: float = 0.2, seed: int = 1
) -> Figures:
    """End people's rights in one process: how long do their sockets at another one live on?"""
    took: dict[str, list[float]] = {how: [] for how in ENDS}
    # Not before everybody is in: a session that has ended opens a guest's socket.
    lifetime = 15 + 2 * times
    codes: Counter[int] = Counter()
    async with running_site(place, seed=seed) as site:
        revoker = await _Banner.start(site, "tests.faults.revoker")
        all_in = asyncio.Barrier(times * len(ENDS) + 1)

        async def one(number: int, how: str) -> None:
            lives = [str(lifetime)] if how == "expiry" else []
            pk, session = (await revoker.ask("make", *lives)).split()
            over = time.monotonic() + lifetime
            async with _socket(site.servers[1], "ws/chat/lobby/", f"sessionid={session}") as channel:
                while json.loads(await channel.recv())["type"] != "joined":
                    pass
                await all_in.wait()
                await all_in.wait()
                if how != "expiry":
                    await asyncio.sleep(number * seconds_between)
                    await revoker.ask(how, session if how in ("logout", "forget") else pk)
                    over = time.monotonic()
                with contextlib.suppress(ConnectionClosed):
                    async with asyncio.timeout(60 + lifetime):
                        while True:
                            await channel.recv()
                took[how].append(max(0.0, time.monotonic() - over))
                codes[channel.close_code or 0] += 1

        people = [
            asyncio.create_task(one(number, how))
            for number, how in enumerate(how for _ in range(times) for how in ENDS)
        ]
        await all_in.wait()
        if is_layer_dead:
            assert site.redis is not None
            await asyncio.to_thread(site.redis.kill)
        await all_in.wait()
        await asyncio.gather(*people)
        await revoker.end()
        log = site.log
    return {
        "place": str(place),
        "layer": "dead" if is_layer_dead else "alive",
        "times": times,
        "seconds": {how: percentiles(found) for how, found in took.items()},
        "codes": dict(codes),
        "tracebacks": log.count("Traceback"),
    }


# A client that never reads ----------------------------------------------------------------------------------------------


async def never_reading(place: Place, rounds: int, *, at_once: int = 8, slow_seconds: float = 6.0) -> Figures:
    """Let clients connect that never read, beside others who do: what do they cost, and whom?"""
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
    """Until the application has let go of everybody else."""
    while (await asyncio.to_thread(site.inside, server))["sockets"] > members:
        assert time.monotonic() < came + 120, "the application keeps those who never read"
        await asyncio.sleep(0.25)
    return time.monotonic() - came


async def _talk_much(member: Member) -> None:
    while True:
        await member.say("room-0", f"{uuid.uuid4().hex} {'many words ' * 180}")
        await asyncio.sleep(0.005)


def _deaf_client(server: Server, room: str) -> socket.socket:
    """A client that opens a socket and then never reads."""
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
    """Memory in MiB."""
    pages = int((process / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _sockets(process: Path) -> int:
    """How many sockets the process holds, whatever it has told anybody."""
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


# Coming and going -------------------------------------------------------------------------------------------------------


async def coming_and_going(
    place: Place, times: int, *, warm_up: int = 300, at_once: int = 40, seed: int = 1
) -> Figures:
    """Connect and disconnect, politely and rudely: does anything stay behind?"""
    outcomes: Counter[str] = Counter()
    async with running_site(place, seed=seed) as site:
        server = site.servers[0]

        async def visit(number: int) -> None:
            chance = random.Random(f"{seed} {number}")
            channel = await _socket(server, f"ws/chat/visited-{chance.randrange(50)}/").__aenter__()
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
                        await _answers_to(channel, [id, ""])
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

        # The first visitors make what stays for good: threads, imports, caches.
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
    """What is there when nobody is."""
    deadline = time.monotonic() + 60
    assert server.process is not None
    memory = Path(f"/proc/{server.process.pid}")
    state = await asyncio.to_thread(site.inside, server, collect=True)
    while any(state[what] for what in BUSY):
        assert time.monotonic() < deadline, f"not at rest: {state}"
        await asyncio.sleep(0.5)
        state = await asyncio.to_thread(site.inside, server, collect=True)
    # The connection that asks is one of them, both times.
    found: dict[str, Any] = {**state, "descriptors": len(list(os.scandir(memory / "fd")))}
    found["threads"] = len(list(os.scandir(memory / "task")))
    found["mib"] = round(_resident(memory), 1)
    if site.postgres is not None:
        found["database_sessions"] = await asyncio.to_thread(site.postgres.sessions, "site")
    if site.redis is not None:
        with site.admin() as admin:
            found["groups"] = len(admin.keys("*group*")) + len(admin.pubsub_channels())
    return found
