"""``python -m tests.faults.proof``: the long runs, and the page that shows what came out of them.

Takes about half an hour on two cores. ``python -m tests.faults.proof bans "run 1003"`` repeats only some parts and keeps the results of
the others; ``python -m tests.faults.proof page`` only writes the page anew. Every figure of the page is in the file beside it.
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

from tests.faults import probes
from tests.faults.checker import CLASSES
from tests.faults.probes import POLL_SECONDS
from tests.faults.run import run
from tests.faults.site import Place
from tests.services.server import ROOT

PAGE = ROOT / "docs" / "topics" / "proof.md"
RESULTS = PAGE.with_suffix(".json")
RUN_SECONDS = float(os.environ.get("ROOMCHAT_PROOF_SECONDS", "50"))

Results = dict[str, Any]


# Every server with every layer and every database, by the seed of its run.
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
    """Redis killed, paused and flushed under open sockets."""
    found = []
    for layer, how, times in [
        ("redis", "kill", 20),
        ("redis", "pause", 6),
        ("redis", "flush", 6),
        ("pubsub", "kill", 10),
        ("pubsub", "pause", 4),
    ]:
        place = Place("uvicorn", layer, "postgresql", 2)  # type: ignore[arg-type]  # as above
        found.append(await probes.layer_outages(place, times, how=how))
        _say(f"{place}: {how} {times} times, {found[-1]['sockets_closed']} sockets closed")
    return found


async def application_deaths() -> list[Results]:
    return [await probes.application_deaths(Place("uvicorn", "redis", "postgresql", 3), 20)]


async def ban_races() -> list[Results]:
    return [await probes.ban_races(Place("uvicorn", "memory", "postgresql", 2), 10_000)]


async def revocations() -> list[Results]:
    """Sockets at one process, whose rights end in another; with the channel layer, and without."""
    place = Place("uvicorn", "redis", "postgresql", 2)
    return [await probes.revocations(place, 25, is_layer_dead=dead) for dead in (False, True)]


async def never_reading() -> list[Results]:
    return [
        await probes.never_reading(Place(server, "memory", "sqlite", 1), 3)
        for server in ("uvicorn", "daphne")
    ]


async def visits() -> list[Results]:
    return [
        await probes.coming_and_going(Place(server, "redis", "postgresql", 1), 10_000, warm_up=3_000)
        for server in ("uvicorn", "daphne")
    ]


FUZZED = 500_000
"""Frames at a socket, in each dialect. The test fails unless the socket beside it hears exactly what was stored."""


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
        # After each part: what is found is kept even if a later one fails.
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
    """Nothing was lost, doubled or out of order in any part."""
    others = (results.get(part, {}).get("results", []) for part in ("layer", "deaths"))
    verdicts = [*_runs(results), *chain.from_iterable(others)]
    bans = results.get("bans", {}).get("results", [])
    ended = results.get("revocations", {}).get("results", [])
    return (
        not any(one["violations"] for one in verdicts)
        and not any(one["numbered_after_the_ban"] or one["acknowledged_but_missing"] for one in bans)
        and not any(
            figures["max"] > (1 if one["layer"] == "alive" and how not in probes.UNTOLD else 30)
            for one in ended
            for how, figures in one["seconds"].items()
        )
    )


def _runs(results: Results) -> list[Results]:
    return [one for seed in PLACES for one in results.get(f"run {seed}", {}).get("results", [])]


def bound(count: int) -> str:
    """What none in *count* says: at most 3/N, with 95 % confidence (the rule of three)."""
    if not count:
        return "nothing"
    return f"at most 1 in {count // 3:,}"


def _say(line: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {line}", flush=True)


# The page ---------------------------------------------------------------------------------------------------------------


def page(results: Results) -> str:
    """The page of the documentation."""
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

# What was shown

[](promises.md) says what holds.
This page says how hard it was tried to break it, and what came out.
All figures are from real processes on one machine; `tox -e proof` repeats everything and writes this page and `docs/topics/proof.json`, which has every figure.

None in N tries does not say never.
With 95 % confidence it says that the true rate is at most 3/N, and that bound stands beside each count.
"""


_FOUND = """\
## What it has found

A suite that finds nothing proves little about itself.
`tests/faults/test_checker.py` gives the checker histories with every fault that it names, and the suite's first runs, on 21 November 2026, found these:

- Who resumed exactly where a batch of 32 or more changes began got that batch only, under a frame that named the room's head: what followed was skipped for good.
  In the first long run, one of 48 members missed 11 messages so.
- After FLUSHALL a process was in no group any more and did not know it: its members heard of others' messages only by the poll, until the groups were renewed hours later.
- The first socket of a process stood still for a second, and all others with it, while the layer was imported.
- With `UNSEEN_MAX_BYTES` below 64 KiB every client that had much to read was closed as slow, however fast it read.

Each is fixed, and has a test of its own.
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
        ["before what was acknowledged earlier", total["reordered"], bound(total["posts"])],
        ["stored and not asked for", total["unexpected"], bound(total["posts"])],
        ["without an answer in the end", total["indeterminate"], bound(total["posts"])],
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

48 members in 12 rooms post, edit and delete through a proxy, to three application processes, while one fault follows another: \
{sum(faults.values())} of them in {len(runs)} runs.
In the end everything is mended, every member has said what they wanted and seen everything, and a checker compares what each of them \
asked, was told and saw with what the database holds.

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

{_table(["posts that were", "count", "so the rate is, with 95 % confidence,"], kinds)}

Views of members that are not the database's, numbers missing or doubled, members that did not come to rest: {
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
        "kill": "killed, and started again",
        "pause": "stopped (SIGSTOP), and continued",
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
## The channel layer taken away

Members at one process talk, members at another only listen, so that everything they hear has crossed the layer or was found by the poll.
Redis is away for 0 to 4 seconds each time, with the default intervals (`POLL_SECONDS` is {POLL_SECONDS:g}).

{_table(["Redis was", "times", "sockets closed", "usual delay", "worst delay, median", "worst delay", "as before after", "posts not in order or lost"], rows)}

The worst delay of all was {worst:.1f} s; the poll interval and one second more is {POLL_SECONDS + 1:g} s.
In the {first["minutes"]:.1f} minutes of the first {first["times"]} outages no process wrote more than \
{first["most_lines_of_one_kind_in_one_log"]} lines about one kind of trouble.
"""


def _show_deaths(deaths: list[Results]) -> str:
    one = deaths[0]
    seconds = one["seconds_until_caught_up"]
    return f"""\
## Application processes killed

One of three processes is killed (SIGKILL) {one["times"]} times, and started again at once.
Its members come back to the others, with full-jitter back-off.
{one["members_cut_off"]:,} times a member was cut off; the time from the kill until they had everything that was stored when it happened:

{_table(["median", "99th percentile", "longest"], [[f"{seconds[part]:.2f} s" for part in ("p50", "p99", "max")]])}

Of {one["posts"]:,} posts meanwhile {one["classes"].get("ok", 0):,} were in order.
"""


def _show_bans(bans: list[Results]) -> str:
    one = bans[0]
    through = one["outcomes"]["races in which some came through and some did not"]
    return f"""\
## Bans that race with posts

Somebody posts without a pause to one process, and is banned from another, {one["bans"]:,} times.
In {through:,} of the races some of the posts came through and some did not; there were {
        one["posts"]:,} posts, \
of which {one["stored"]:,} were stored.

{
        _table(
            ["", "count", "so the rate is, with 95 % confidence,"],
            [
                [
                    "messages numbered after the ban",
                    one["numbered_after_the_ban"],
                    bound(one["bans"]) + " bans",
                ],
                ["acknowledged but missing", one["acknowledged_but_missing"], bound(one["stored"])],
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
        "expiry": "a session that ends by its time",
        "ban": "a ban",
        "forget": "a session's row deleted by nobody who tells",
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
## Rights that end

People have sockets at one process, and in another one their right ends, {found[0]["times"]} times in each way; once with Redis and once after it was killed.
From then until the socket is closed, with the default intervals:

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

{first["at_once"]} clients at a time open a socket with a small receive buffer and never read, in a room in which others say some 2 KB many times a second.
`SLOW_SECONDS` is {first["slow_seconds"]:g} here instead of 30.
Memory is what the process grew by, without what it grows by in the same time without them.

{_table(["server", "clients", "memory for each", "at worst", "let go after", "others closed", "others' 99th percentile without", "with"], rows)}
"""


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
    ways = ", ".join(f"{count:,} {name}" for name, count in sorted(visits[0]["outcomes"].items()))
    return f"""\
## Coming and going

Clients connect and disconnect, politely and by tearing the line, some of them in the middle of a post: {ways}.
After 3,000 others, who fill what is kept for good, this is what the process holds when nobody is there, before and after:

{_table(head, rows)}
"""


def _show_fuzz(fuzz: list[Results]) -> str:
    rows = [[one["dialect"], f"{one['frames']:,}", 0, 0, f"{one['seconds']:.0f} s"] for one in fuzz]
    head = [
        "dialect",
        "frames",
        "tracebacks",
        "what the socket beside it heard and was not stored, or the other way round",
        "in",
    ]
    return f"""\
## Frames that are none, or nearly

A socket sends frames that are random, cut, mutated or absurd; another one in the same room hears what is stored, and nothing else.
`tests/fuzz/test_fuzz.py` fails at the first traceback or difference; the decoders alone take a million with `tox -e fuzz`.

{_table(head, rows)}
"""


def _show_circumstances(results: Results) -> str:
    made = [results[part]["made"] for part in PARTS if part in results]
    names = ("python", "django", "channels", "channels-redis", "redis", "daphne", "uvicorn", "psycopg")
    last = made[-1]
    dates = sorted({one["date"] for one in made})
    commits = list(dict.fromkeys(one["commit"] for one in made))
    return f"""\
## Where and when

{" and ".join(dates)}, commit {" and ".join(commits)}, {last["cores"]} cores, which the servers, the databases and the clients share; \
{sum(one["minutes"] for one in made):.0f} minutes.
{", ".join(f"{name} {last[name]}" for name in names)}.

Processes die here, machines do not: PostgreSQL runs without `fsync` and SQLite with `synchronous=NORMAL`, so nothing on this page is about a power cut.
"""


if __name__ == "__main__":
    sys.exit(main())
