"""Serve the chat, or an application that it is compared with, as a deployment would.

    python -m benchmarks.serve --server uvicorn --layer memory --database sqlite:////tmp/chat.sqlite3 --port
    8000

The database is migrated first. The process then becomes the server by exec, so that its pid and its signals
are the server's.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serve", description=__doc__.splitlines()[0])
    parser.add_argument("--app", choices=["roomchat", "tutorial", "bare"], default="roomchat")
    parser.add_argument("--server", choices=["uvicorn", "daphne"], default="uvicorn")
    parser.add_argument("--layer", default="memory", help="memory, or a redis:// URL")
    parser.add_argument("--database", default="sqlite:///benchmark.sqlite3", help="a database URL")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, default=1, help="number of uvicorn processes")
    parser.add_argument("--cpu", type=int, help="the core to run on")
    given = parser.parse_args()
    if given.server == "daphne" and given.workers != 1:
        parser.error("daphne is one process; start several, on ports of their own, behind a proxy")

    os.chdir(ROOT)
    os.environ |= {
        "DATABASE_URL": given.database,
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
        "PYTHONUNBUFFERED": "1",
        "ROOMCHAT_BENCH_LAYER": given.layer,
    }
    if given.app == "roomchat":
        subprocess.run([sys.executable, "-m", "django", "migrate", "--verbosity", "0"], check=True)
    if given.cpu is not None:
        os.sched_setaffinity(0, {given.cpu})
    os.execv(sys.executable, [sys.executable, "-m", *command(given)])


def command(given: argparse.Namespace) -> list[str]:
    application = f"benchmarks.apps.{given.app}:application"
    port = str(given.port)
    if given.server == "daphne":
        return ["daphne", "-b", "127.0.0.1", "-p", port, "--access-log", os.devnull, "-v", "0", application]
    options = ["--host", "127.0.0.1", "--port", port, "--backlog", "4096", "--timeout-graceful-shutdown", "2"]
    options += ["--log-level", "warning", "--no-access-log", "--workers", str(given.workers)]
    return ["uvicorn", *options, application]


if __name__ == "__main__":
    main()
