"""The scenarios. Each runs all contenders in turn, A B C A B C …, and takes medians over the rounds."""

import functools
import http.client
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from . import load
from .services import LOAD_CORE, ROOT, Server, Services, fill, serving

Figures = dict[str, Any]
"""Results of one run: the names of `load.Run`, and others where a scenario measures more."""


@dataclass(frozen=True)
class Contender:
    """An application, and the protocol that the clients use with it."""

    name: str
    app: str
    dialect: str = "tutorial"


V1 = Contender("roomchat.v1", "roomchat", "v1")
DIALECT = Contender("roomchat, tutorial's dialect", "roomchat")
TUTORIAL = Contender("tutorial", "tutorial")
BARE = Contender("bare loop", "bare")
EVERYBODY = (V1, DIALECT, TUTORIAL, BARE)


@dataclass(frozen=True)
class Plan:
    """How many scenarios, rounds and seconds to measure."""

    rounds: int = 5
    seconds: float = 2.0
    server: str = "uvicorn"
    is_quick: bool = False


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    family: str
    """`chat`, `latency`, `idle`, `storm`, `posting`, `history` or `workers`: a table of the documentation."""
    measure: Callable[["Scenario", Plan, Services, Path], dict[str, list[Figures]]]
    """Returns the runs of each contender, by round."""
    options: dict[str, Any] = field(default_factory=dict)
    contenders: Sequence[Contender] = EVERYBODY
    layer: str = "memory"
    database: str = "sqlite"


def measure(scenario: Scenario, plan: Plan, services: Services) -> Figures:
    """Run a scenario. Returns its medians by contender, and the main figure of all rounds."""
    with tempfile.TemporaryDirectory(prefix="roomchat-benchmark-") as folder:
        runs = scenario.measure(scenario, plan, services, Path(folder))
    found: Figures = {name: medians(rounds) for name, rounds in runs.items()}
    for name, rounds in runs.items():
        found[name]["ok"] = all(run["ok"] for run in rounds)
        found[name]["trouble"] = next((run["trouble"] for run in rounds if run.get("trouble")), "")
        found[name]["rounds"] = [run.get("cpu_per_100k") for run in rounds]
    for name, rounds in runs.items():
        ratios = [
            run["cpu_per_100k"] / ours["cpu_per_100k"]
            for run, ours in zip(rounds, runs.get(V1.name, []), strict=False)
            if run.get("cpu_per_100k") and ours.get("cpu_per_100k")
        ]
        if ratios:
            found[name]["times_v1"] = median(ratios)
    return found


def medians(runs: Sequence[Figures]) -> Figures:
    """Return the median of each number, at any depth."""
    result: Figures = {}
    for key in dict.fromkeys(key for run in runs for key in run):
        values = [run[key] for run in runs if run.get(key) is not None]
        if values and all(isinstance(value, dict) for value in values):
            result[key] = medians(values)
        elif values and all(
            isinstance(value, int | float) and not isinstance(value, bool) for value in values
        ):
            result[key] = median(values)
    return result


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def report_run(name: str, run: Figures) -> None:
    cost = run.get("cpu_per_100k")
    say(
        f"    {name:30} {'ok' if run['ok'] else 'NOT OK':7}"
        + (f"{cost:9.3f} s/100k" if cost else "")
        + f"  server {run['server_cpu']:.2f}  generator {run['generator_cpu']:.2f}  {run['trouble'][:100]}"
    )


# Chat ---------------------------------------------------------------------------------------------------


def _servers(
    scenario: Scenario, plan: Plan, services: Services, folder: Path, **options: Any
) -> dict[str, Server]:
    """Start one server for each application in the scenario; two protocols share one."""
    layer = services.layer(scenario.layer)
    return {
        app: Server(
            folder,
            app=app,
            server=plan.server,
            layer=layer,
            database=services.database(scenario.database if app == "roomchat" else "sqlite"),
            **options,
        )
        for app in dict.fromkeys(contender.app for contender in scenario.contenders)
    }


def _load(server: Server, services: Services, **options: Any) -> load.Run:
    services_pids = {"services": ",".join(map(str, services.pids))} if services.pids else {}
    return load.run(server.port, cpu=LOAD_CORE, pids=server.pid, **services_pids, **options)


def chat(scenario: Scenario, plan: Plan, services: Services, folder: Path) -> dict[str, list[Figures]]:
    servers = _servers(scenario, plan, services, folder)
    runs: dict[str, list[Figures]] = {contender.name: [] for contender in scenario.contenders}
    with serving(*servers.values()):
        for turn in range(plan.rounds):
            for number, contender in enumerate(scenario.contenders):
                options = {"duration": plan.seconds, **scenario.options}
                # A slow contender gets as much time as one of its messages takes.
                if contender is TUTORIAL and options.get("members", 5) >= 1000:
                    options["duration"] = max(plan.seconds, options["members"] / 400)
                run = _load(
                    servers[contender.app],
                    services,
                    dialect=contender.dialect,
                    prefix=f"r{turn}-{number}",
                    drain=90,
                    **options,
                )
                report_run(contender.name, run)
                runs[contender.name].append(run)
    return runs


def workers(scenario: Scenario, plan: Plan, services: Services, folder: Path) -> dict[str, list[Figures]]:
    """The same load on 1, 2 and 4 processes, which share the machine with the generator, Redis and
    PostgreSQL.
    """
    runs: dict[str, list[Figures]] = {}
    for processes in (1, 2, 4):
        servers = _servers(scenario, plan, services, folder, workers=processes)
        with serving(*servers.values()):
            # The port is open before every worker has imported the application.
            time.sleep(2.0)
            for turn in range(plan.rounds):
                run = _load(
                    servers["roomchat"],
                    services,
                    dialect="v1",
                    prefix=f"w{processes}-{turn}",
                    drain=60,
                    duration=plan.seconds,
                    **scenario.options,
                )
                report_run(f"{processes} processes", run)
                runs.setdefault(f"{processes} process{'es' if processes > 1 else ''}", []).append(run)
    return runs


# Idle sockets and reconnects ----------------------------------------------------------------------------


def idle(scenario: Scenario, plan: Plan, services: Services, folder: Path) -> dict[str, list[Figures]]:
    runs: dict[str, list[Figures]] = {contender.name: [] for contender in scenario.contenders}
    for turn in range(1 if plan.is_quick else 3):
        servers = _servers(scenario, plan, services, folder)
        for contender in scenario.contenders:
            # A new process for each measurement, because memory is not returned to the system.
            server = servers[contender.app]
            with serving(server):
                mine: Figures = {"dialect": contender.dialect, "prefix": f"i{turn}"}
                _load(server, services, mode="chat", members=20, warmup=0.1, duration=0.3, **mine)
                run = _load(server, services, mode="idle", hold=2, **scenario.options, **mine)
            run["kib_per_socket"] = (run["rss_kib_after"] - run["rss_kib_before"]) / run["clients"]
            run.pop("cpu_per_100k", None)
            run["open_cpu_ms"] = run["cpu_seconds"] * 1e3 / run["clients"]
            say(f"    {contender.name:30} {run['kib_per_socket']:7.1f} KiB a socket")
            runs[contender.name].append(run)
    return runs


def storm(scenario: Scenario, plan: Plan, services: Services, folder: Path) -> dict[str, list[Figures]]:
    runs: dict[str, list[Figures]] = {}
    for kind in ("same process", "restarted process"):
        for turn in range(1 if plan.is_quick else 3):
            database = services.database(scenario.database)
            server = Server(folder, app="roomchat", server=plan.server, database=database, count=True)
            with serving(server):
                cookies = _signed_in(database, folder, scenario.options["members"])
                counts: list[dict[str, int]] = []
                away = functools.partial(_between, server, kind == "restarted process", counts)
                run = _storm(server, services, scenario, turn, cookies, away)
                now = _counts(server)
            run["queries"] = now["queries"] - counts[0]["queries"]
            run["history_reads"] = now["history"] - counts[0]["history"]
            run.pop("cpu_per_100k", None)
            report_run(kind, run)
            runs.setdefault(kind, []).append(run)
    return runs


def _storm(
    server: Server, services: Services, scenario: Scenario, turn: int, cookies: Path, away: Callable[[], None]
) -> load.Run:
    # The process may be replaced later, so its CPU time is read here, while it is the same.
    return load.run(
        server.port,
        cpu=LOAD_CORE,
        mode="storm",
        prefix=f"s{turn}",
        cookies=cookies,
        when_away=away,
        drain=60,
        **scenario.options,
    )


def _between(server: Server, restart: bool, counts: list[dict[str, int]]) -> None:
    if restart:
        server.restart()
    counts.append(_counts(server))


def _counts(server: Server) -> dict[str, int]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", "/benchmark/counts")
    found: dict[str, int] = json.loads(connection.getresponse().read())
    connection.close()
    return found


def _signed_in(database: str, folder: Path, count: int) -> Path:
    """Create *count* users with a session each, and a file with their cookies."""
    path = folder / "cookies"
    code = f"""
import django; django.setup()
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
User = get_user_model()
User.objects.bulk_create([User(username=f"user{{n}}", password="!") for n in range({count})])
with transaction.atomic(), open({str(path)!r}, "w") as file:
    for user in User.objects.all():
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.create()
        print(f"{{settings.SESSION_COOKIE_NAME}}={{session.session_key}}", file=file)
"""
    _django(database, code)
    return path


def _django(database: str, code: str) -> None:
    import subprocess

    environment = os.environ | {"DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "benchmarks.settings"}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)


# Storage ------------------------------------------------------------------------------------------------


def posting(scenario: Scenario, plan: Plan, services: Services, folder: Path) -> dict[str, list[Figures]]:
    """Talkers that are in no room, so that storing is measured and not the fan-out; one client in each room
    verifies.
    """
    servers = _servers(scenario, plan, services, folder)
    server = servers["roomchat"]
    runs: dict[str, list[Figures]] = {"unthrottled": [], "1,000 a second": []}
    with serving(server):
        for turn in range(plan.rounds):
            for name, more in (("unthrottled", {"window": 20}), ("1,000 a second", {"rate": 1000})):
                options = {**scenario.options, **more, "duration": plan.seconds}
                run = _load(server, services, mode="post", prefix=f"p{turn}-{len(name)}", **options)
                run.pop("cpu_per_100k", None)
                ack = run["ack_ms"] or {"p99": -1.0}
                say(
                    f"    {name:30} {run['acks_per_second']:9.0f} acks/s   p99 {ack['p99']:.1f} ms  {run['trouble'][:100]}"
                )
                runs[name].append(run)
    return runs


def news(scenario: Scenario, plan: Plan, services: Services, folder: Path) -> dict[str, list[Figures]]:
    """The cost of a message for a process in which it was not posted and one socket receives it."""
    database, layer = services.database(scenario.database), services.layer(scenario.layer)
    (folder / "other").mkdir()
    talking = Server(folder, app="roomchat", server=plan.server, layer=layer, database=database)
    hearing = Server(folder / "other", app="roomchat", server=plan.server, layer=layer, database=database)
    runs: dict[str, list[Figures]] = {"another process": []}
    with serving(talking, hearing):
        for turn in range(plan.rounds):
            run = load.run(
                talking.port,
                listeners_port=hearing.port,
                cpu=LOAD_CORE,
                pids=hearing.pid,
                mode="post",
                prefix=f"n{turn}",
                duration=plan.seconds,
                **scenario.options,
            )
            run["cpu_us_per_message"] = run["cpu_seconds"] * 1e6 / max(1, run["deliveries"])
            report_run("another process", run)
            runs["another process"].append(run)
    return runs


def history(scenario: Scenario, plan: Plan, services: Services, folder: Path) -> dict[str, list[Figures]]:
    """A room with very many messages compared with a room with a few, in one database."""
    messages = 100_000 if plan.is_quick else 1_000_000
    database = services.database(scenario.database)
    server = Server(folder, app="roomchat", server=plan.server, database=database)
    rooms = {
        "few messages": ("few", 1000),
        "10⁶ messages" if not plan.is_quick else "10⁵ messages": ("full", messages),
    }
    runs: dict[str, list[Figures]] = {name: [] for name in rooms}
    with serving(server):
        for prefix, count in rooms.values():
            fill(database, f"{prefix}-0", count)
        for _ in range(plan.rounds):
            for name, (prefix, count) in rooms.items():
                options = {**scenario.options, "duration": plan.seconds}
                run = _load(server, services, mode="post", prefix=prefix, **options)
                run.pop("cpu_per_100k", None)
                run["cpu_us_per_post"] = run["cpu_seconds"] * 1e6 / max(1, run["acks"])
                run["cpu_us_per_page"] = _page_cost(server, prefix, count)
                say(
                    f"    {name:30} {run['cpu_us_per_post']:7.1f} µs a post, {run['cpu_us_per_page']:7.1f} µs a page {run['trouble'][:100]}"
                )
                runs[name].append(run)
    return runs


def _page_cost(server: Server, prefix: str, messages: int, pages: int = 300) -> float:
    """Return the server's CPU time for a page of history from the middle of the room, in µs."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    # A browser has a session by then and sends its cookie.
    connection.request("GET", f"/chat/{prefix}-0/messages/")
    answer = connection.getresponse()
    answer.read()
    cookies = {"Cookie": (answer.getheader("Set-Cookie") or "").partition(";")[0]}
    before = _cpu_seconds(server.pid)
    for page in range(pages):
        path = f"/chat/{prefix}-0/messages/?before={messages // 2 + page}"
        connection.request("GET", path, headers=cookies)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200 or content.count(b'"seq"') != 50:
            raise RuntimeError(f"a page of {prefix}-0: {answer.status} {content[:200]!r}")
    connection.close()
    return (_cpu_seconds(server.pid) - before) * 1e6 / pages


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# All scenarios ------------------------------------------------------------------------------------------


def _rooms(
    name: str, title: str, layer: str = "memory", database: str = "sqlite", **options: Any
) -> Iterator[Scenario]:
    yield Scenario(name, title, "chat", chat, options, layer=layer, database=database)


def _one_room(members: int, *, layer: str = "memory", database: str = "sqlite") -> Iterator[Scenario]:
    suffix = "".join(f"-{other}" for other in (layer, database) if other not in ("memory", "sqlite"))
    place = {"": "in memory, SQLite", "-redis": "Redis, SQLite", "-postgres": "in memory, PostgreSQL"}[suffix]
    for window in (1, 20):
        how = "one in flight" if window == 1 else "20 in flight"
        name = f"1x{members}{'' if window == 1 else '-w20'}{suffix}"
        # 20 messages of each of 5,000 members would keep the tutorial's consumer busy for minutes.
        others = (V1, DIALECT, BARE) if members == 5000 and window == 20 else EVERYBODY
        options = {"members": members, "window": window}
        yield Scenario(
            name, f"1 × {members:,}, {how}, {place}", "chat", chat, options, others, layer, database
        )


SCENARIOS = [
    *_one_room(10),
    *_one_room(100),
    *_rooms("1x100-talkers20", "1 × 100, 20 talkers, in memory, SQLite", members=100, talkers=20),
    *_one_room(100, database="postgres"),
    *_one_room(100, layer="redis"),
    *_one_room(1000),
    *_one_room(1000, layer="redis"),
    *_one_room(5000),
    *_rooms("200x5", "200 × 5, in memory, SQLite", rooms=200, members=5),
    *_rooms("200x5-redis", "200 × 5, Redis, SQLite", layer="redis", rooms=200, members=5),
    Scenario("latency-1x100", "1 × 100, 50 messages a second", "latency", chat, {"members": 100, "rate": 50}),
    Scenario(
        "latency-200x5",
        "200 × 5, 300 messages a second",
        "latency",
        chat,
        {"rooms": 200, "members": 5, "rate": 300},
    ),
    Scenario("idle", "1,000 idle sockets", "idle", idle, {"members": 1000}, (V1, TUTORIAL, BARE)),
    Scenario("storm", "2,000 reconnect at once", "storm", storm, {"members": 2000, "away": 100}, (V1,)),
    Scenario("posting", "100 talkers, SQLite", "posting", posting, {"rooms": 10, "talkers": 10}, (V1,)),
    Scenario(
        "posting-postgres",
        "100 talkers, PostgreSQL",
        "posting",
        posting,
        {"rooms": 10, "talkers": 10},
        (V1,),
        database="postgres",
    ),
    Scenario(
        "history",
        "room with 10⁶ messages, SQLite",
        "history",
        history,
        {"talkers": 20, "window": 5},
        (V1,),
    ),
    Scenario(
        "history-postgres",
        "room with 10⁶ messages, PostgreSQL",
        "history",
        history,
        {"talkers": 20, "window": 5},
        (V1,),
        database="postgres",
    ),
    Scenario(
        "news",
        "a message from another process",
        "workers",
        news,
        {"rooms": 20, "talkers": 1, "rate": 300},
        (V1,),
        "redis",
        "postgres",
    ),
    Scenario(
        "workers-1x1000",
        "1 × 1,000, 20 in flight",
        "workers",
        workers,
        {"members": 1000, "window": 20},
        (V1,),
        "redis",
        "postgres",
    ),
    Scenario(
        "workers-200x5",
        "200 × 5",
        "workers",
        workers,
        {"rooms": 200, "members": 5},
        (V1,),
        "redis",
        "postgres",
    ),
]
QUICK = ["1x100", "1x100-w20", "200x5", "idle", "posting"]
