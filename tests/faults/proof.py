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
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain, product
from typing import Any

import django

from tests.faults import outages, resources, rights
from tests.faults.checker import CLASSES
from tests.faults.outages import POLL_SECONDS
from tests.faults.run import run
from tests.faults.site import Place
from tests.services.server import ROOT

PAGE = ROOT / "docs" / "topics" / "proof.md"
RESULTS = PAGE.with_suffix(".json")
RUN_SECONDS = float(os.environ.get("ROOMCHAT_PROOF_SECONDS", "50"))

Results = dict[str, Any]


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
    PAGE.write_text(page(results))
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


def bound(count: int) -> str:
    """Return the upper bound of a rate with no event in *count* tries: 3/N with 95 % confidence (rule of three)."""
    if not count:
        return "nothing"
    return f"at most 1 in {count // 3:,}"


def _say(line: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {line}", flush=True)


# The page ---------------------------------------------------------------------------------------------------------------


def page(results: Results) -> str:
    """Return the content of the documentation page."""
    parts = [_HEAD]
    if runs := _runs(results):
        parts.append(_show_runs(runs))
    for part, show in (
        ("layer", _show_layer),
        ("deaths", _show_deaths),
        ("bans", _show_bans),
        ("revocations", _show_revocations),
        ("deaf", _show_deaf),
        ("visits", _show_visits),
        ("fuzz", _show_fuzz),
    ):
        if part in results:
            parts.append(show(results[part]["results"]))
    parts += [_FOUND, _show_circumstances(results)]
    return "\n".join(parts).rstrip() + "\n"


_HEAD = """\
<!-- Written by `tox -e proof`: change tests/faults/proof.py instead. -->

# Fault-injection tests

This page describes the fault-injection tests of the [delivery guarantees](promises.md) and their results.
All figures are from real processes on one machine; `tox -e proof` repeats the tests and writes this page and `docs/topics/proof.json`, which contains every figure.

No failure in N tries does not exclude failures.
With 95 % confidence the true rate is at most 3/N; the tables show that bound beside each count.
"""


_FOUND = """\
## Defects found

`tests/faults/test_checker.py` verifies that the checker detects every fault that it names, with histories that contain these faults.
The first runs of the suite, on 21 November 2026, found these defects:

- A client that resumed exactly at the beginning of a batch of 32 or more changes received only that batch, in a frame with the room's head: the following changes were skipped permanently.
  In the first long run, one of 48 members missed 11 messages.
- After FLUSHALL a process was no longer in any group and did not detect it: its members received the messages of other processes only through the poll, until the groups were renewed hours later.
- The first socket of a process blocked all sockets for a second while the layer was imported.
- With `UNSEEN_MAX_BYTES` below 64 KiB every client with many events to read was closed as slow, even if it read fast.

All of them are fixed, with a test for each.
"""


def _table(head: list[str], rows: list[list[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        f"| {' | '.join(f'{cell:,}' if isinstance(cell, int) else str(cell) for cell in line)} |"
        for line in lines
    )


def _show_runs(runs: list[Results]) -> str:
    total: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    for one in runs:
        faults.update(one["faults"])
        for name in (
            *CLASSES,
            "posts",
            "acknowledged",
            "deliveries",
            "recovered",
            "edits",
            "deletions",
            "connections_lost",
        ):
            total[name] += one[name]
    violations = sum(len(one["violations"]) for one in runs)
    kinds = [
        ["acknowledged and not stored", total["lost"], bound(total["acknowledged"])],
        ["stored or shown more than once", total["duplicated"], bound(total["posts"])],
        ["stored before an earlier acknowledged post", total["reordered"], bound(total["posts"])],
        ["stored but never sent", total["unexpected"], bound(total["posts"])],
        ["never answered", total["indeterminate"], bound(total["posts"])],
    ]
    kinds = [[kind, count, how if not count else "—"] for kind, count, how in kinds]
    places = [
        [
            one["place"].rsplit(",", 1)[0],
            str(one["seed"]),
            one["posts"],
            sum(one["faults"].values()),
            one["connections_lost"],
        ]
        + [one["recovered"], len(one["violations"])]
        for one in runs
    ]
    return f"""\
## Posts under faults

48 members in 12 rooms post, edit and delete through a proxy, to three application processes, while faults are injected one after \
another: {sum(faults.values())} faults in {len(runs)} runs.
At the end of a run all faults are removed and every member sends its remaining posts and receives all changes; a checker then compares \
the requests, responses and received events of each member with the database.

{
        _table(
            ["what", "count"],
            [
                ["posts", total["posts"]],
                ["edits and deletions", total["edits"] + total["deletions"]],
                ["deliveries", total["deliveries"]],
                ["connections lost", total["connections_lost"]],
                ["posts that took more than one attempt", total["recovered"]],
            ],
        )
    }

{_table(["posts that were", "count", "rate, with 95 % confidence"], kinds)}

Members whose view differs from the database, missing or duplicate numbers, and members that did not finish: {
        violations
    }.

{
        _table(
            [
                "server, layer, database",
                "seed",
                "posts",
                "faults",
                "connections lost",
                "recovered",
                "violations",
            ],
            places,
        )
    }

A run is repeated with `python -m tests.faults --seed … --server … --layer … --database …`.

The faults:

{_table(["fault", "times"], [[name, times] for name, times in sorted(faults.items())])}
"""


def _show_layer(outages: list[Results]) -> str:
    how = {
        "kill": "killed and restarted",
        "pause": "stopped (SIGSTOP) and continued",
        "flush": "flushed (FLUSHALL)",
    }
    names = {"redis": "core", "pubsub": "pubsub"}
    rows = [
        [
            f"{how[one['how']]} ({names[one['place'].split(', ')[1]]})",
            one["times"],
            one["sockets_closed"],
            f"{one['usual_delay']['p50'] * 1000:.0f} ms",
            f"{one['worst_delay_of_each_outage']['p50']:.1f} s",
            f"{one['worst_delay_of_each_outage']['max']:.1f} s",
            f"{one['seconds_until_usual_again']['max']:.1f} s",
            sum(one["classes"].get(name, 0) for name in CLASSES if name != "ok") + len(one["violations"]),
        ]
        for one in outages
    ]
    worst = max(one["worst_delay_of_each_outage"]["max"] for one in outages)
    first = outages[0]
    return f"""\
## Channel layer outages

Members of one process post and members of another process only receive, so every message crosses the layer or is found by the poll.
Each outage of Redis takes 0 to 4 seconds, with the default intervals (`POLL_SECONDS` is {POLL_SECONDS:g}).

{_table(["Redis was", "times", "sockets closed", "usual delay", "worst delay, median", "worst delay", "usual delay again after", "posts reordered or lost"], rows)}

The longest delay was {worst:.1f} s; the poll interval plus one second is {POLL_SECONDS + 1:g} s.
In the {first["minutes"]:.1f} minutes of the first {first["times"]} outages no process logged more than \
{first["most_lines_of_one_kind_in_one_log"]} lines about the same error.
"""


def _show_deaths(deaths: list[Results]) -> str:
    one = deaths[0]
    seconds = one["seconds_until_caught_up"]
    return f"""\
## Application processes killed

One of three processes is killed (SIGKILL) {one["times"]} times, and restarted at once.
Its members reconnect to the others, with full-jitter back-off.
Members were disconnected {one["members_cut_off"]:,} times; this is the time from the kill until they had received all messages stored at that time:

{_table(["median", "99th percentile", "longest"], [[f"{seconds[part]:.2f} s" for part in ("p50", "p99", "max")]])}

Of {one["posts"]:,} posts during that time {one["classes"].get("ok", 0):,} were stored once and in order.
"""


def _show_bans(bans: list[Results]) -> str:
    one = bans[0]
    through = one["outcomes"]["races in which some came through and some did not"]
    return f"""\
## Bans that race with posts

A user posts continuously to one process, and is banned by another, {one["bans"]:,} times.
In {through:,} of the races some of the posts were stored and some were not; of {one["posts"]:,} posts, \
{one["stored"]:,} were stored.

{
        _table(
            ["", "count", "rate, with 95 % confidence"],
            [
                [
                    "messages numbered after the ban",
                    one["numbered_after_the_ban"],
                    bound(one["bans"]) + " bans",
                ],
                ["messages acknowledged but missing", one["acknowledged_but_missing"], bound(one["stored"])],
            ],
        )
    }
"""


def _show_revocations(found: list[Results]) -> str:
    names = {
        "logout": "signing out",
        "password": "a changed password",
        "deactivate": "a deactivated account",
        "delete": "a deleted account",
        "expiry": "an expired session",
        "ban": "a ban",
        "forget": "a session row deleted without a signal",
        "update": "an account changed by `QuerySet.update()`",
    }
    rows = [
        [name, *(f"{one['seconds'][how][part]:.2f} s" for one in found for part in ("p50", "max"))]
        for how, name in names.items()
    ]
    head = [
        "what ended",
        *(f"layer {one['layer']}, {part}" for one in found for part in ("median", "longest")),
    ]
    return f"""\
## Revoked rights

Users have sockets at one process, and another process ends their rights, {found[0]["times"]} times in each way; once with Redis and once after it was killed.
The times are from the change until the socket is closed, with the default intervals:

{_table(head, rows)}
"""


def _show_deaf(deaf: list[Results]) -> str:
    rows = [
        [
            one["place"].split(",")[0],
            one["clients"],
            f"{one['mib_for_each']:.2f} MiB",
            f"{one['mib_for_each_at_worst']:.2f} MiB",
            f"{one['let_go_after_seconds']['max']:.1f} s",
            one["others_closed"],
            f"{one['others_p99_seconds_without'] * 1000:.1f} ms",
            f"{one['others_p99_seconds_with'] * 1000:.1f} ms",
        ]
        for one in deaf
    ]
    first = deaf[0]
    return f"""\
## Clients that never read

{first["at_once"]} clients at a time open a socket with a small receive buffer and never read, in a room in which others post messages of 2 KB many times a second.
`SLOW_SECONDS` is {first["slow_seconds"]:g} here instead of 30.
Memory is the growth of the process, minus its growth in the same time without these clients.

{_table(["server", "clients", "memory for each", "maximum", "closed after", "others closed", "others' 99th percentile without", "with"], rows)}
"""


_VISITS = {
    "left at once": "disconnected at once",
    "left when in": "disconnected after entering",
    "said something": "posted",
    "said something and tore the line": "posted and reset the connection",
    "was closed": "were closed by the server",
}


def _show_visits(visits: list[Results]) -> str:
    kept = {
        "sockets": "sockets",
        "rooms": "rooms",
        "tasks": "tasks",
        "threads": "threads",
        "descriptors": "file descriptors",
        "database_sessions": "database sessions",
        "groups": "groups on the layer",
        "objects": "Python objects",
        "mib": "memory, MiB",
    }
    head = [
        "what",
        *(
            part
            for one in visits
            for part in (f"{one['place'].split(',')[0]}, before", f"after {one['visits']:,}")
        ),
    ]
    rows = [
        [name, *(one[when][key] for one in visits for when in ("before", "after"))]
        for key, name in kept.items()
    ]
    ways = ", ".join(
        f"{count:,} {_VISITS.get(name, name)}" for name, count in sorted(visits[0]["outcomes"].items())
    )
    return f"""\
## Leaks: many connections

Clients connect and disconnect, with a close frame or by resetting the connection, some of them during a post: {ways}.
The table shows the resources of the process without any client, before and after these connections; 3,000 earlier connections have filled the permanent caches.

{_table(head, rows)}
"""


def _show_fuzz(fuzz: list[Results]) -> str:
    rows = [[one["dialect"], f"{one['frames']:,}", 0, 0, f"{one['seconds']:.0f} s"] for one in fuzz]
    head = [
        "dialect",
        "frames",
        "tracebacks",
        "differences between stored and received messages",
        "duration",
    ]
    return f"""\
## Invalid frames (fuzzing)

A socket sends random, truncated, mutated and absurd frames; another socket in the same room must receive exactly the stored messages.
`tests/fuzz/test_fuzz.py` fails at the first traceback or difference; `tox -e fuzz` sends a million frames to the decoders alone.

{_table(head, rows)}
"""


def _show_circumstances(results: Results) -> str:
    made = [results[part]["made"] for part in PARTS if part in results]
    names = ("python", "django", "channels", "channels-redis", "redis", "daphne", "uvicorn", "psycopg")
    last = made[-1]
    dates = sorted({one["date"] for one in made})
    commits = list(dict.fromkeys(one["commit"] for one in made))
    return f"""\
## Test environment

{" and ".join(dates)}, commit {" and ".join(commits)}, {last["cores"]} cores, shared by the servers, the databases and the clients; \
{sum(one["minutes"] for one in made):.0f} minutes.
{", ".join(f"{name} {last[name]}" for name in names)}.

The tests kill processes, not machines: PostgreSQL runs without `fsync` and SQLite with `synchronous=NORMAL`, so the results do not cover power failures.
"""


if __name__ == "__main__":
    sys.exit(main())
