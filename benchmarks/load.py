"""Runs the load generator, `load.c`, which is compiled on first use."""

import functools
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("load.c")
Run = dict[str, Any]
"""Results of one run of the generator; `report()` in `load.c` has the names."""


@functools.cache
def binary() -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise SystemExit("The load generator is written in C: install a C compiler (cc).")
    # Kept until this process ends, because other runs use it by its name.
    folder = tempfile.TemporaryDirectory(prefix="roomchat-load-")
    binary.folder = folder  # type: ignore[attr-defined]
    target = Path(folder.name, "load")
    subprocess.run([compiler, "-O2", "-o", target, SOURCE], check=True)
    return target


def run(
    port: int, *, cpu: int | None = None, when_away: Callable[[], None] | None = None, **options: Any
) -> Run:
    """Load the server on *port*.

    Args:
        cpu: the core that the generator is pinned to.
        when_away: called in the middle of a storm, when no client is connected.
        options: options of `load.c`, by their names there:

            - `dialect` v1 or tutorial; `path`, `prefix` of the rooms, which are called prefix-0, prefix-1, …
            - `mode` chat (talk, and verify what every client receives), post (talkers in no room, timed by
              their acks), idle (sockets that only stay open for `hold` seconds), storm (all clients are
              disconnected, `away` messages are posted, all reconnect at once)
            - `rooms`, `members` of each, `talkers` of those (0: all), `size` of a message in bytes
            - `window` messages of each talker in flight, or `rate` messages a second of all together
            - `warmup`, `duration`, `drain` in seconds; `concurrency` of opening sockets; `cookies`, a file
              with one a line
            - `listeners_port`: port of the server for clients that do not talk, in the mode "post"
            - `pids` of the server, `services` that it uses: their CPU time is measured, with that of all
              descendants
    """
    command = [str(binary()), "--port", str(port)]
    for name, value in options.items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    pin = None if cpu is None else functools.partial(os.sched_setaffinity, 0, {cpu})
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=pin,  # noqa: PLW1509  (this process has one thread)
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        first = process.stdout.readline()
        if first.strip() == "away":
            if when_away is not None:
                when_away()
            process.stdin.write("\n")
            process.stdin.flush()
            first = process.stdout.readline()
    if not first:
        raise RuntimeError(f"{' '.join(command)} exited with {process.returncode}")
    found: Run = json.loads(first)
    return found
