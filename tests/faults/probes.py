"""What the experiments of the fault-injection tests share.

An experiment examines one fault and returns its figures; `test_faults` runs short ones, and `proof` runs long ones.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from websockets.asyncio.client import connect

from tests.faults.run import everybody_in
from tests.faults.site import Site
from tests.faults.workload import SUBPROTOCOL, Member, Record
from tests.services.server import Server

Figures = dict[str, Any]


@contextlib.asynccontextmanager
async def talking(
    site: Site, count: int, rooms: int, *, think: float, seed: int = 0, silent: int = 0, **options: Any
) -> AsyncIterator[tuple[list[Member], Record]]:
    """Run members who post as long as the block lasts.

    *silent* members only receive. They are connected to the second process and the others to the first, so that
    every message that they receive has crossed from one process to another.
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


def open_socket(server: Server, path: str, cookie: str = "") -> Any:
    """Return the connection to a server's socket, as an asynchronous context manager."""
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


async def answers_to(channel: Any, ids: Sequence[str]) -> list[Any]:
    """Return the acks and errors of these posts. *ids* may grow meanwhile; an empty id ends it.

    A post whose error allows a retry is not sent again: the error means that nothing was stored.
    """
    found: list[Any] = []
    while not (ids and not ids[-1] and len(found) == len(ids) - 1):
        frame = json.loads(await asyncio.wait_for(channel.recv(), 30))
        if frame["type"] in ("ack", "error") and frame.get("id") in ids:
            found.append(frame)
    return found
