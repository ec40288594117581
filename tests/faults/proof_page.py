"""The documentation page with the results of the long fault-injection tests, which `proof` runs."""

from collections import Counter
from typing import Any

from tests.faults.checker import CLASSES
from tests.faults.outages import POLL_SECONDS

Results = dict[str, Any]


def page(results: Results, runs: list[Results]) -> str:
    """Return the content of the documentation page.

    *results* are in the order of the parts; *runs* are the results of the runs under faults.
    """
    parts = [_HEAD]
    if runs:
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


def bound(count: int) -> str:
    """Return the upper bound of a rate with no event in *count* tries: 3/N with 95 % confidence (rule of three)."""
    if not count:
        return "nothing"
    return f"at most 1 in {count // 3:,}"


_HEAD = """\
<!-- Written by `tox -e proof`: change tests/faults/proof_page.py instead. -->

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
    made = [part["made"] for part in results.values()]
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
