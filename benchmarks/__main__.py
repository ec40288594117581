"""Benchmark the chat, compared with the Channels tutorial's consumer and a bare ASGI loop.

python -m benchmarks                    run everything, and write the results into the documentation
python -m benchmarks --quick            run a short selection
python -m benchmarks 1x100 200x5        run only these scenarios
python -m benchmarks --write            run nothing; write tables and plots again from the last results
"""

import argparse
import datetime
import json
import os
import platform
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from . import load, report
from .scenarios import BARE, DIALECT, QUICK, SCENARIOS, Plan, measure, say
from .services import LOAD_CORE, Server, Services, serving

RESULTS = Path(__file__).with_name("results.json")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [scenario.name for scenario in SCENARIOS]
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(names))
    parser.add_argument("--quick", action="store_true", help="fewer scenarios and rounds; nothing is written")
    parser.add_argument("--rounds", type=int, help="rounds of each scenario; medians are taken over them")
    parser.add_argument("--seconds", type=float, help="measured seconds of a round")
    parser.add_argument("--server", choices=["uvicorn", "daphne"], default="uvicorn")
    parser.add_argument("--output", type=Path, help="a folder to write into, instead of the documentation")
    parser.add_argument(
        "--merge", action="store_true", help="merge the results into the last ones, and write"
    )
    parser.add_argument("--write", action="store_true", help="write the results of the last run again")
    parser.add_argument("--roomload", type=Path, help="another load generator, to compare ours with")
    given = parser.parse_args()
    if unknown := set(given.scenarios) - set(names):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}; choose from {', '.join(names)}")

    if given.write:
        report.write(json.loads(RESULTS.read_text()), given.output)
        return 0
    plan = Plan(
        rounds=given.rounds or (2 if given.quick else 5),
        seconds=given.seconds or (1.0 if given.quick else 2.0),
        server=given.server,
        is_quick=given.quick,
    )
    if given.roomload is not None:
        compare_generators(given.roomload, plan)
        return 0

    wanted = given.scenarios or (QUICK if given.quick else names)
    partly = bool(given.scenarios) or given.quick or given.server != "uvicorn"
    is_kept = given.merge or not partly
    results: dict[str, Any] = {
        "machine": machine(),
        "plan": {"rounds": plan.rounds, "seconds": plan.seconds},
        "scenarios": {},
    }
    if given.merge and RESULTS.exists():
        results["scenarios"] = json.loads(RESULTS.read_text())["scenarios"]
    with (
        tempfile.TemporaryDirectory(prefix="roomchat-benchmark-") as folder,
        Services(Path(folder)) as services,
    ):
        for scenario in SCENARIOS:
            if scenario.name not in wanted:
                continue
            say(f"{scenario.name}: {scenario.title}")
            try:
                found = measure(scenario, plan, services)
            except Exception as error:
                # A scenario that fails must not lose the other results of a long run.
                say(f"    FAILED: {error!r}")
                continue
            results["scenarios"][scenario.name] = {
                "title": scenario.title,
                "family": scenario.family,
                "found": found,
            }
            if is_kept:
                # Stored at once: a run takes an hour, and its results so far must survive a crash.
                RESULTS.write_text(json.dumps(report.rounded(results), indent=1, ensure_ascii=False) + "\n")
    print(report.text(results))
    if is_kept or given.output is not None:
        report.write(results, given.output)
    return 0 if all(scenario in results["scenarios"] for scenario in wanted) else 1


def machine() -> dict[str, Any]:
    model = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "cpu": model[0].partition(": ")[2] if model else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "load": os.getloadavg()[0],
        "kernel": platform.release().partition("-")[0],
        "python": platform.python_version(),
        "packages": {
            name: version(name)
            for name in ("django", "channels", "channels-redis", "uvicorn", "daphne", "uvloop")
        },
    }


def compare_generators(other: Path, plan: Plan) -> None:
    """Run both generators on the same servers in turn. They should measure the same cost."""
    import subprocess

    with tempfile.TemporaryDirectory(prefix="roomchat-benchmark-") as folder:
        servers = {
            contender: Server(
                Path(folder), app=contender.app, database=f"sqlite:///{folder}/{contender.app}.sqlite3"
            )
            for contender in (DIALECT, BARE)
        }
        with serving(*servers.values()):
            for turn in range(plan.rounds):
                for contender, server in servers.items():
                    for members, window in ((100, 1), (100, 20), (1000, 1)):
                        ours = load.run(
                            server.port,
                            cpu=LOAD_CORE,
                            pids=server.pid,
                            dialect="tutorial",
                            prefix=f"a{turn}-{window}",
                            members=members,
                            window=window,
                            duration=plan.seconds,
                        )
                        command = [
                            other,
                            f"ws://127.0.0.1:{server.port}/ws/chat/{{room}}/",
                            "--members",
                            str(members),
                        ]
                        command += [
                            "--window",
                            str(window),
                            "--duration",
                            str(plan.seconds),
                            "--pid",
                            str(server.pid),
                        ]
                        command += ["--room-prefix", f"b{turn}-{window}-"]
                        done = subprocess.run(
                            ["taskset", "-c", str(LOAD_CORE), *command],
                            check=False,
                            capture_output=True,
                            text=True,
                        )
                        theirs = json.loads(done.stdout)
                        print(
                            f"{contender.name:30} 1x{members} w{window}: {ours['cpu_per_100k']:.3f} and "
                            f"{theirs['cpu_s_per_100k']:.3f} s per 100,000; generator {ours['generator_cpu']:.2f} and "
                            f"{theirs['gen_cpu_frac']:.2f}; ok {ours['ok']} and {theirs['ok']}",
                            flush=True,
                        )


if __name__ == "__main__":
    sys.exit(main())
