"""Python in another process of a site, kept open: starting Django takes longer than most of what tests ask of it.

Its news travels to the server by the poll or the layer, as that of any other process.
"""

import json
import subprocess
import sys
import traceback

from tests.services.server import ROOT, Server


class Shell:
    def __init__(self, server: Server) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.services.shell"],
            cwd=ROOT,
            env=dict(server.environment()),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def run(self, code: str) -> None:
        """Run it, and wait until it is done.

        Raises:
            RuntimeError: it failed; the traceback is in it.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(code) + "\n")
        answer = self._process.stdout.readline()
        if answer != '""\n':
            raise RuntimeError(json.loads(answer) if answer else "The shell has ended.")

    def close(self) -> None:
        self._process.communicate(timeout=15)


_open: dict[str, Shell] = {}
"""By the database of their site."""


def run_at(server: Server, code: str) -> None:
    """Run Python in another process of a site; the first call starts that process.

    Raises:
        RuntimeError: it failed; the traceback is in it.
    """
    if server.database_url not in _open:
        _open[server.database_url] = Shell(server)
    _open[server.database_url].run(code)


def close_all() -> None:
    while _open:
        _open.popitem()[1].close()


def main() -> None:
    import django
    from django.db import connections

    django.setup()
    for line in sys.stdin:
        trouble = ""
        try:
            exec(json.loads(line), {})
        except Exception:
            trouble = traceback.format_exc()
        connections.close_all()
        print(json.dumps(trouble), flush=True)


if __name__ == "__main__":
    main()
