"""Rights that end: bans that race with posts, and revocations in another process."""

import asyncio
import contextlib
import json
import random
import sys
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from typing import Any

from websockets.exceptions import ConnectionClosed

from tests.faults.probes import Figures, answers_to, open_socket
from tests.faults.run import percentiles
from tests.faults.site import Place, Site, running_site
from tests.services.server import ROOT

# Bans


async def ban_races(place: Place, times: int, *, posters: int = 8, seed: int = 1) -> Figures:
    """Ban users while they post: count the messages that are numbered after the ban."""
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
            async with open_socket(server, "ws/chat/") as channel:
                key = json.loads(await channel.recv())["you"]["key"]
                while left:
                    left.pop()
                    ids: list[str] = []
                    answering = asyncio.create_task(answers_to(channel, ids))
                    ban = asyncio.create_task(banner.do("ban", room, key))
                    # Posts follow each other closely, from before the ban until after it.
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
    """A process that bans users or ends other rights, and answers requests in order."""

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


async def _post_all(channel: Any, room: str, ids: Sequence[str]) -> None:
    for id in ids:
        await channel.send(json.dumps({"type": "post", "room": room, "id": id, "body": "as long as I may"}))


# Revocations

ENDS = ("logout", "password", "deactivate", "delete", "expiry", "ban", "forget", "update")
"""How a right ends. The last two send no signal: a session's row is deleted, and an account is changed by ``QuerySet.update``."""
UNTOLD = ("forget", "update")


async def revocations(
    place: Place, times: int, *, is_layer_dead: bool = False, seconds_between: float = 0.2, seed: int = 1
) -> Figures:
    """End users' rights in one process: measure how long their sockets at another process stay open."""
    took: dict[str, list[float]] = {how: [] for how in ENDS}
    # Long enough for all to enter: a session that has ended opens a guest's socket.
    lifetime = 15 + 2 * times
    codes: Counter[int] = Counter()
    async with running_site(place, seed=seed) as site:
        revoker = await _Banner.start(site, "tests.faults.revoker")
        all_in = asyncio.Barrier(times * len(ENDS) + 1)

        async def one(number: int, how: str) -> None:
            lives = [str(lifetime)] if how == "expiry" else []
            pk, session = (await revoker.ask("make", *lives)).split()
            over = time.monotonic() + lifetime
            async with open_socket(site.servers[1], "ws/chat/lobby/", f"sessionid={session}") as channel:
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
