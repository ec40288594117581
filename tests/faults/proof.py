"""``python -m tests.faults.proof``: runs the long fault-injection tests and writes the page with their results.

The runs take about half an hour on two cores. ``python -m tests.faults.proof bans "run 1003"`` repeats only some parts and keeps the
results of the others; ``python -m tests.faults.proof page`` only rewrites the page. All figures of the page are stored in proof.json.
"""

import asyncio
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain, product

import django

from tests.faults import outages, resources, rights
from tests.faults.proof_page import Results, page
from tests.faults.run import run
from tests.faults.site import Place
from tests.services.server import ROOT

PAGE = ROOT / "docs" / "topics" / "proof.md"
RESULTS = PAGE.with_suffix(".json")
RUN_SECONDS = float(os.environ.get("ROOMCHAT_PROOF_SECONDS", "50"))


# All combinations of server, layer and database, by the seed of the run.
PLACES = {
    seed: Place(server, layer, database, 3)  # type: ignore[arg-type]  # product() forgets the literals
    for seed, (server, layer, database) in enumerate(
        product(("uvicorn", "daphne"), ("memory", "redis", "pubsub"), ("sqlite", "postgresql")), 1001
    )
}


async def posts_under_faults(seed: int) -> Results:
    place = PLACES[seed]
    outcome = await run(place, seed=seed, seconds=RUN_SECONDS, members=48, rooms=12, think=0.03, pause=0.6)
    figures = outcome.figures()
    _say(f"{place}: {figures['posts']} posts, {figures['violations'] or 'nothing violated'}")
    return figures


async def layer_outages() -> list[Results]:
    """Kill, pause and flush Redis while sockets are open."""
    found = []
    for layer, how, times in [
        ("redis", "kill", 20),
        ("redis", "pause", 6),
        ("redis", "flush", 6),
        ("pubsub", "kill", 10),
        ("pubsub", "pause", 4),
    ]:
        place = Place("uvicorn", layer, "postgresql", 2)  # type: ignore[arg-type]  # as above
        found.append(await outages.layer_outages(place, times, how=how))
        _say(f"{place}: {how} {times} times, {found[-1]['sockets_closed']} sockets closed")
    return found


async def application_deaths() -> list[Results]:
    return [await outages.application_deaths(Place("uvicorn", "redis", "postgresql", 3), 20)]


async def ban_races() -> list[Results]:
    return [await rights.ban_races(Place("uvicorn", "memory", "postgresql", 2), 10_000)]


async def revocations() -> list[Results]:
    """End the rights of one process's sockets from another process, with and without the channel layer."""
    place = Place("uvicorn", "redis", "postgresql", 2)
    return [await rights.revocations(place, 25, is_layer_dead=dead) for dead in (False, True)]


async def never_reading() -> list[Results]:
    return [
        await resources.never_reading(Place(server, "memory", "sqlite", 1), 3)
        for server in ("uvicorn", "daphne")
    ]


async def visits() -> list[Results]:
    return [
        await resources.coming_and_going(Place(server, "redis", "postgresql", 1), 10_000, warm_up=3_000)
        for server in ("uvicorn", "daphne")
    ]


FUZZED = 500_000
"""Frames sent to a socket, in each dialect. The test fails unless another socket receives exactly the stored messages."""


async def fuzz() -> list[Results]:
    return [
        {"dialect": dialect, "frames": FUZZED, "seconds": await _fuzz(dialect)}
        for dialect in ("roomchat.v1", "tutorial")
    ]


async def _fuzz(dialect: str) -> float:
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "tests/fuzz", "-k", f"socket_answers and {dialect}"]
    environment = os.environ | {"ROOMCHAT_TEST_FUZZ_SENT": str(FUZZED)}
    await asyncio.to_thread(subprocess.run, command, cwd=ROOT, env=environment, check=True)
    return round(time.monotonic() - began, 1)


async def _alone(work: Awaitable[Results]) -> list[Results]:
    return [await work]


PARTS: dict[str, Callable[[], Awaitable[list[Results]]]] = {
    **{f"run {seed}": (lambda seed=seed: _alone(posts_under_faults(seed))) for seed in PLACES},  # type: ignore[misc]
    "layer": layer_outages,
    "deaths": application_deaths,
    "bans": ban_races,
    "revocations": revocations,
    "deaf": never_reading,
    "visits": visits,
    "fuzz": fuzz,
}


def main() -> int:
    chosen = sys.argv[1:] or list(PARTS)
    results: Results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for part in chosen:
        if part == "page":
            continue
        began = time.monotonic()
        found = asyncio.run(PARTS[part]())  # type: ignore[arg-type]  # they are coroutine functions
        results[part] = {"made": _circumstances(time.monotonic() - began), "results": found}
        # Written after each part, so that the results are kept if a later part fails.
        RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
        _say(f"{part}: {results[part]['made']['minutes']} minutes")
    PAGE.write_text(page({part: results[part] for part in PARTS if part in results}, _runs(results)))
    return 0 if holds(results) else 1


def _circumstances(seconds: float) -> Results:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "minutes": round(seconds / 60, 1),
        "commit": commit.stdout.strip(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "django": django.get_version(),
        **{
            name: version(name)
            for name in ("channels", "channels-redis", "daphne", "redis", "uvicorn", "psycopg", "websockets")
        },
    }


def holds(results: Results) -> bool:
    """Return whether no part lost, duplicated or reordered a message, and all rights ended in time."""
    others = (results.get(part, {}).get("results", []) for part in ("layer", "deaths"))
    verdicts = [*_runs(results), *chain.from_iterable(others)]
    bans = results.get("bans", {}).get("results", [])
    ended = results.get("revocations", {}).get("results", [])
    return (
        not any(one["violations"] for one in verdicts)
        and not any(one["numbered_after_the_ban"] or one["acknowledged_but_missing"] for one in bans)
        and not any(
            figures["max"] > (1 if one["layer"] == "alive" and how not in rights.UNTOLD else 30)
            for one in ended
            for how, figures in one["seconds"].items()
        )
    )


def _runs(results: Results) -> list[Results]:
    return [one for seed in PLACES for one in results.get(f"run {seed}", {}).get("results", [])]


def _say(line: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
