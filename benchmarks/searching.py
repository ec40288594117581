"""Measure how much searches delay the posts of others: the time from a post to its ack, with and without six guests who search.

python -m benchmarks.searching
python -m benchmarks.searching --database postgres --checkout ../earlier

Each guest sends the next search as soon as the last one is answered, for words that no message has.
"""

import argparse
import asyncio
import contextlib
import datetime
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import websockets

from tests.services import free_port

from .services import ROOT, SyncingPostgres

ROOM = "full-0"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.searching",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--checkout", type=Path, help="another checkout, to measure in turn with this one")
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--guests", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0)
    given = parser.parse_args()
    checkouts = {"this": ROOT}
    if given.checkout:
        checkouts = {"other": given.checkout.resolve(), **checkouts}
    print(f"{datetime.date.today()}, {given.database}, {given.messages} messages, {given.guests} guests")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="roomchat-searching-")))
        postgres = None
        if given.database == "postgres":
            postgres = stack.enter_context(SyncingPostgres())
        ports = {}
        for name, checkout in checkouts.items():
            url = f"sqlite:///{folder}/{name}.sqlite3" if postgres is None else postgres.create(name)
            ports[name] = stack.enter_context(serving(checkout, url, given.messages))
        ratios: dict[str, list[float]] = {name: [] for name in ports}
        for turn in range(given.rounds):
            for name, port in ports.items():
                quiet = asyncio.run(measure(port, 0, given.seconds))
                busy = asyncio.run(measure(port, given.guests, given.seconds))
                ratios[name].append(busy["p99"] / quiet["p99"])
                print(
                    f"round {turn}, {name} (load {os.getloadavg()[0]:.1f}): quiet {shown(quiet)}; "
                    f"searching {shown(busy)}; p99 × {ratios[name][-1]:.1f}",
                    flush=True,
                )
        for name, found in ratios.items():
            print(f"{name}: p99 × {statistics.median(found):.1f} (median of {len(found)})")


def shown(found: dict[str, float]) -> str:
    searches = f", {found['searches']:.0f} searches" if found["searches"] else ""
    return f"p50 {found['p50']:.1f} ms, p99 {found['p99']:.1f} ms of {found['posts']:.0f}{searches}"


@contextlib.contextmanager
def serving(checkout: Path, database: str, messages: int) -> Iterator[int]:
    """Serve a checkout with a room full of messages."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.serve", "--database", database, "--port", str(port)]
    server = subprocess.Popen(command, cwd=checkout, stdout=subprocess.DEVNULL)
    try:
        asyncio.run(until_serving(port))
        fill = [sys.executable, "-m", "benchmarks.fill", "--database", database, "--room", ROOM]
        subprocess.run([*fill, "--messages", str(messages)], cwd=checkout, check=True)
        yield port
    finally:
        server.terminate()
        server.wait()


async def until_serving(port: int) -> None:
    for _ in range(600):
        try:
            async with connect(port, "lobby"):
                return
        except OSError:
            await asyncio.sleep(0.1)
    raise RuntimeError("The server does not start.")


def connect(port: int, room: str) -> Any:
    return websockets.connect(
        f"ws://127.0.0.1:{port}/ws/chat/{room}/",
        subprotocols=["roomchat.v1"],  # type: ignore[list-item]
        origin=f"http://127.0.0.1:{port}",  # type: ignore[arg-type]
    )


async def measure(port: int, guests: int, seconds: float) -> dict[str, float]:
    """Post at a fixed rate from ten sockets for some seconds while guests search."""
    searches = [0]
    stop = asyncio.Event()
    searching = [asyncio.create_task(search(port, searches, stop)) for _ in range(guests)]
    if guests:
        await asyncio.sleep(1)
    times: list[float] = []
    await asyncio.gather(*(post(port, number, times, seconds) for number in range(10)))
    stop.set()
    await asyncio.gather(*searching)
    times.sort()
    return {
        "posts": len(times),
        "p50": times[len(times) // 2] * 1000,
        "p99": times[int(len(times) * 0.99)] * 1000,
        "searches": searches[0],
    }


async def search(port: int, searches: list[int], stop: asyncio.Event) -> None:
    async with connect(port, ROOM) as socket:
        while not stop.is_set():
            frame = {
                "type": "search",
                "id": str(searches[0]),
                "query": "zebra quartz",
                "everywhere": searches[0] % 2 == 0,
            }
            await socket.send(json.dumps(frame))
            while (answer := json.loads(await socket.recv()))["type"] not in ("found", "error"):
                pass
            if answer["type"] == "error":
                raise RuntimeError(answer)
            searches[0] += 1


async def post(port: int, number: int, times: list[float], seconds: float) -> None:
    async with connect(port, f"posts-{number}") as socket:
        begin = time.perf_counter() + number / 100
        for turn in range(int(seconds * 10)):
            due = begin + turn / 10
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            id = f"{number}-{turn}-{begin}"
            await socket.send(json.dumps({"type": "post", "id": id, "body": f"message {turn}"}))
            while True:
                answer = json.loads(await socket.recv())
                if answer["type"] == "error":
                    raise RuntimeError(answer)
                if answer["type"] == "ack":
                    break
            times.append(time.perf_counter() - due)


if __name__ == "__main__":
    main()
