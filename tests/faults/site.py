"""A site in several processes: applications behind the proxy, a channel layer, a database; and the truth that the database holds."""

import asyncio
import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import psycopg
from redis import Redis

from tests.faults.checker import Row
from tests.faults.postgres import MortalPostgres
from tests.services.proxy import ChaosProxy
from tests.services.server import ROOT, Server
from tests.services.valkey import Valkey

Layer = Literal["memory", "redis", "pubsub"]
Database = Literal["sqlite", "postgresql"]
ServerKind = Literal["uvicorn", "daphne"]

_ROWS = """
SELECT room.name, m.seq, m.rev, m.author_key, m.client_id, m.body, m.changes, m.deleted_at IS NOT NULL
FROM roomchat_message AS m JOIN roomchat_room AS room ON room.id = m.room_id
"""
_LOGS = """
SELECT room.name, log.head, log.floor
FROM roomchat_roomlog AS log JOIN roomchat_room AS room ON room.id = log.room_id
"""


@dataclass(frozen=True)
class Place:
    """Where a site runs."""

    server: ServerKind = "uvicorn"
    layer: Layer = "redis"
    database: Database = "postgresql"
    processes: int = 3

    def __str__(self) -> str:
        return f"{self.server}, {self.layer}, {self.database}, {self.processes} processes"


class Site:
    """Made by :func:`running_site`."""

    def __init__(self, place: Place, folder: Path) -> None:
        self.place = place
        self.folder = folder
        self.database_url = f"sqlite:///{folder}/site.sqlite3"
        self.postgres: MortalPostgres | None = None
        self.redis: Valkey | None = None
        self.servers: list[Server] = []
        self.proxy: ChaosProxy

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.proxy.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.proxy.port}"

    @property
    def log(self) -> str:
        return "".join(server.log for server in self.servers)

    @property
    def environment(self) -> Mapping[str, str]:
        """Environment of a command that uses the same site."""
        return self.servers[0].environment()

    def sessions(self, count: int) -> list[str]:
        """Cookies of so many guests, so that they stay the same over all of their sockets."""
        return [self._session() for _ in range(count)]

    def _session(self) -> str:
        url = f"{self.servers[0].url}/chat/{quote('before')}/"
        with urllib.request.urlopen(url, timeout=30) as response:  # noqa: S310  (our own server)
            cookies = [line.partition(";")[0] for line in response.headers.get_all("Set-Cookie", [])]
        return next(cookie for cookie in cookies if cookie.startswith("sessionid="))

    def inside(self, server: Server, *, collect: bool = False) -> dict[str, int]:
        """Return the state of a process; with *collect*, after a garbage collection."""
        url = f"{server.url}/inside/{'?collect' if collect else ''}"
        with urllib.request.urlopen(url, timeout=30) as response:  # noqa: S310  (our own server)
            return dict(json.load(response))

    def admin(self, password: str | None = None) -> Redis:
        """A connection to Redis that is none of the site's."""
        assert self.redis is not None
        return Redis(port=self.redis.port, socket_timeout=5, password=password)

    def rows(self) -> list[Row]:
        """All messages, as they are stored."""
        with self.connection() as connection:
            found = connection.execute(_ROWS).fetchall()
        return [Row(*row[:7], bool(row[7])) for row in found]

    def logs(self) -> dict[str, tuple[int, int]]:
        """Head and floor of every room."""
        with self.connection() as connection:
            return {name: (head, floor) for name, head, floor in connection.execute(_LOGS).fetchall()}

    @contextlib.contextmanager
    def connection(self) -> Iterator[Any]:
        """A session of the database that is none of the site's; what it does is undone unless it commits."""
        if self.postgres is None:
            with contextlib.closing(
                sqlite3.connect(self.folder / "site.sqlite3", timeout=30, isolation_level=None)
            ) as connection:
                yield connection
        else:
            with contextlib.closing(psycopg.connect(self.database_url)) as connection:
                yield connection


@contextlib.asynccontextmanager
async def running_site(
    place: Place, *, roomchat: Mapping[str, Any] | None = None, seed: int = 0
) -> AsyncIterator[Site]:
    """A site that is up, and gone afterwards."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="roomchat-faults-")))
        site = Site(place, folder)
        if place.database == "postgresql":
            site.postgres = await asyncio.to_thread(MortalPostgres)
            stack.callback(site.postgres.remove)
            await asyncio.to_thread(site.postgres.start)
            site.database_url = await asyncio.to_thread(site.postgres.create, "site")
        if place.layer != "memory":
            site.redis = Valkey(folder)
            stack.callback(site.redis.kill)
            await asyncio.to_thread(site.redis.start)
        await asyncio.to_thread(_migrate, site.database_url)
        for number in range(place.processes):
            server = Server(
                folder / f"server{number}.log",
                database_url=site.database_url,
                redis_url=site.redis.url if site.redis else None,
                kind=place.server,
                application="tests.faults.inside:application",
                roomchat=roomchat,
                env={"ROOMCHAT_TEST_LAYER": place.layer},
            )
            site.servers.append(server)
            stack.callback(_end, server)
        await asyncio.gather(*(asyncio.to_thread(server.start) for server in site.servers))
        site.proxy = await stack.enter_async_context(
            ChaosProxy([server.port for server in site.servers], seed)
        )
        yield site


def _end(server: Server) -> None:
    server.resume()
    server.kill()


def _migrate(database_url: str) -> None:
    command = [sys.executable, "-m", "django", "migrate", "--verbosity", "0"]
    environment = os.environ | {"DATABASE_URL": database_url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True)


async def until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until *condition* holds; look often."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {seconds:g} s: {what}") from None
