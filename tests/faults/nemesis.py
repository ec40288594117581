"""Breaks what it can, and mends it again. Which fault comes when is decided by the seed alone."""

import asyncio
import contextlib
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Awaitable, Callable

import psycopg
from redis import Redis
from redis.exceptions import RedisError

from tests.faults.site import Site
from tests.services.proxy import Weather

GARBAGE = [
    b"",
    b"\x00" * 40,
    b"not msgpack",
    b"\x93\x01\x02\x03",
    b"\xc1",
    b"x" * 12 + b"\x81\xa4type\xa8roomchat",
]

Fault = Callable[[], Awaitable[None]]


class Nemesis:
    """Commits faults, one after the other, and sometimes two at once.

    Args:
        site: the victim.
        seed: of the choice.
    """

    def __init__(self, site: Site, seed: int) -> None:
        self.site = site
        self.random = random.Random(seed)
        self.done: Counter[str] = Counter()
        self.diary: list[str] = []
        self._began = time.monotonic()

    def faults(self) -> dict[str, Fault]:
        """The faults that apply to this site, by name."""
        found: dict[str, Fault] = {
            "application killed": self.kill_application,
            "application paused": self.pause_application,
            "application terminated": self.terminate_application,
            "connections reset": self.reset_connections,
            "connections stalled": self.stall_connections,
            "connections half open": self.kill_connections,
            "connections cut after some bytes": self.cut_connections,
            "slow network": self.slow_network,
            "room locked": self.lock_room,
        }
        if self.site.redis is not None:
            found |= {
                "Redis killed": self.kill_redis,
                "Redis paused": self.pause_redis,
                "Redis flushed": self.flush_redis,
                "Redis read-only": self.make_redis_a_replica,
                "Redis full": self.fill_redis,
                "Redis password changed": self.change_password,
                "garbage in Redis": self.send_garbage,
            }
        if self.site.postgres is not None:
            found |= {
                "PostgreSQL sessions ended": self.cut_sessions,
                "PostgreSQL restarted": self.restart_postgres,
                "PostgreSQL killed": self.kill_postgres,
            }
        return found

    async def rage(
        self, seconds: float, pause: float = 2.0, is_enough: Callable[[], bool] = lambda: True
    ) -> None:
        """Commit faults for *seconds* and until *is_enough*, each once before any comes again; then mend everything."""
        faults = self.faults()
        deadline = time.monotonic() + seconds
        deck: list[str] = []
        while time.monotonic() < deadline or not is_enough():
            deck = deck or self.random.sample(sorted(faults), len(faults))
            several = [deck.pop()]
            if deck and self.random.random() < 0.2:
                several.append(deck.pop())
            await asyncio.gather(*(self.commit(name) for name in several))
            await asyncio.sleep(self.random.uniform(0, 2 * pause))
        self.site.proxy.clear_up()

    async def commit(self, name: str) -> None:
        """Commit one fault, and mend it."""
        self.diary.append(f"{time.monotonic() - self._began:6.1f} s  {name}")
        await self.faults()[name]()
        self.done[name] += 1

    # Applications ---------------------------------------------------------------------------------------------------

    async def kill_application(self) -> None:
        server = self.random.choice(self.site.servers)
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)

    async def pause_application(self) -> None:
        server, seconds = self.random.choice(self.site.servers), self.random.uniform(0.5, 8)
        if not server.running:
            return  # the other fault of the moment has it
        server.pause()
        await asyncio.sleep(seconds)
        server.resume()

    async def terminate_application(self) -> None:
        server = self.random.choice(self.site.servers)
        server.resume()
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)

    # The network ----------------------------------------------------------------------------------------------------

    def _some_links(self) -> list[object]:
        links = sorted(self.site.proxy.links, key=lambda link: (link.upstream, link.bytes))
        return self.random.sample(links, self.random.randint(1, max(1, len(links)))) if links else []

    async def reset_connections(self) -> None:
        for link in self._some_links():
            link.reset()

    async def stall_connections(self) -> None:
        for link in self._some_links():
            link.stall(*self.random.choice([("up",), ("down",), ("up", "down")]))
        await asyncio.sleep(self.random.uniform(0.5, 8))
        for link in self.site.proxy.links:
            link.resume()

    async def kill_connections(self) -> None:
        for link in self._some_links():
            link.kill()

    async def cut_connections(self) -> None:
        """New connections bear only so much; old ones are reset, so that there are new ones."""
        self.site.proxy.weather = Weather(cut_after=self.random.randint(200, 20_000))
        for link in list(self.site.proxy.links):
            link.reset()
        await asyncio.sleep(self.random.uniform(1, 4))
        self.site.proxy.weather = Weather()

    async def slow_network(self) -> None:
        latency, rate = self.random.uniform(0.02, 0.4), self.random.choice([0, 10_000, 100_000])
        self.site.proxy.weather = Weather(latency=latency, jitter=latency, bytes_per_second=rate)
        await asyncio.sleep(self.random.uniform(1, 5))
        self.site.proxy.weather = Weather()

    # The layer ------------------------------------------------------------------------------------------------------

    async def kill_redis(self) -> None:
        assert self.site.redis is not None
        await asyncio.to_thread(self.site.redis.kill)
        await asyncio.sleep(self.random.choice([0, 0.5, 3]))
        await asyncio.to_thread(self.site.redis.start)

    async def pause_redis(self) -> None:
        assert self.site.redis is not None
        if self.site.redis.running:
            self.site.redis.pause()
            await asyncio.sleep(self.random.uniform(0.5, 5))
            self.site.redis.resume()

    async def _to_redis(self, work: Callable[[Redis], object], password: str | None = None) -> None:
        def run() -> None:
            # It may be down by another fault; then there is nothing to break, nor to mend.
            with contextlib.suppress(RedisError), self.site.admin(password) as admin:
                work(admin)

        await asyncio.to_thread(run)

    async def flush_redis(self) -> None:
        await self._to_redis(lambda admin: admin.flushall())

    async def make_redis_a_replica(self) -> None:
        """Make Redis a replica of a server that does not exist, so that it rejects writes."""
        await self._to_redis(lambda admin: admin.execute_command("REPLICAOF", "127.0.0.1", "1"))
        await asyncio.sleep(self.random.uniform(1, 4))
        await self._to_redis(lambda admin: admin.execute_command("REPLICAOF", "NO", "ONE"))

    async def fill_redis(self) -> None:
        await self._to_redis(lambda admin: admin.config_set("maxmemory", "1"))
        await asyncio.sleep(self.random.uniform(1, 4))
        await self._to_redis(lambda admin: admin.config_set("maxmemory", "0"))

    async def change_password(self) -> None:
        def change(admin: Redis) -> None:
            admin.config_set("requirepass", "another")
            admin.execute_command("CLIENT", "KILL", "TYPE", "normal")
            admin.execute_command("CLIENT", "KILL", "TYPE", "pubsub")

        await self._to_redis(change)
        await asyncio.sleep(self.random.uniform(1, 4))
        await self._to_redis(lambda admin: admin.config_set("requirepass", ""), password="another")  # noqa: S106

    async def send_garbage(self) -> None:
        """Into everything that the hubs listen to."""

        def send(admin: Redis) -> None:
            for garbage in GARBAGE:
                for channel in admin.pubsub_channels():
                    admin.publish(channel, garbage)
                for group in admin.keys("asgi:group:*"):
                    for member in admin.zrange(group, 0, -1):
                        key = member.split(b"!")[0] + b"!"
                        admin.zadd(b"asgi" + key, {garbage + member: time.time()})

        await self._to_redis(send)

    # The database ---------------------------------------------------------------------------------------------------

    async def lock_room(self) -> None:
        """Another session holds a room's counter (on SQLite, the database)."""
        seconds, room = self.random.uniform(0.5, 4), self.random.randrange(1 << 16)

        def hold() -> None:
            with self.site.connection() as connection:
                if self.site.postgres is None:
                    connection.execute("BEGIN IMMEDIATE")
                else:
                    connection.execute(
                        "SELECT 1 FROM roomchat_roomlog WHERE room_id = "
                        "(SELECT room_id FROM roomchat_roomlog ORDER BY room_id OFFSET "
                        "%s %% (SELECT greatest(count(*), 1) FROM roomchat_roomlog) LIMIT 1) FOR UPDATE",
                        [room],
                    )
                time.sleep(seconds)  # in a thread of its own: a lock held for some time is what this is

        with contextlib.suppress(psycopg.OperationalError, sqlite3.OperationalError):
            await asyncio.to_thread(hold)

    async def cut_sessions(self) -> None:
        assert self.site.postgres is not None
        with contextlib.suppress(psycopg.OperationalError):
            await asyncio.to_thread(self.site.postgres.cut_sessions)

    async def restart_postgres(self) -> None:
        assert self.site.postgres is not None
        await asyncio.to_thread(self.site.postgres.restart)

    async def kill_postgres(self) -> None:
        assert self.site.postgres is not None
        await asyncio.to_thread(self.site.postgres.kill)
        await asyncio.sleep(self.random.choice([0, 0.5, 2]))
        await asyncio.to_thread(self.site.postgres.start)
