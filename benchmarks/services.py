"""The measured servers and their services: those of the tests, configured for durability."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.services.postgres import Postgres
from tests.services.process import ListeningProcess
from tests.services.valkey import Valkey

ROOT = Path(__file__).resolve().parent.parent
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE = CORES[0]
LOAD_CORE = CORES[-1]


class Server(ListeningProcess):
    """A measured server on a core of its own, or with several workers on all cores."""

    def __init__(
        self,
        folder: Path,
        *,
        app: str,
        server: str = "uvicorn",
        layer: str = "memory",
        database: str,
        workers: int = 1,
        count: bool = False,
    ) -> None:
        super().__init__(folder / f"{app}.log")
        self.options = ["--app", app, "--server", server, "--layer", layer, "--database", database]
        self.options += ["--workers", str(workers), *(["--cpu", str(SERVER_CORE)] if workers == 1 else [])]
        self.count = count

    def command(self) -> Sequence[str]:
        return [sys.executable, "-m", "benchmarks.serve", "--port", str(self.port), *self.options]

    def environment(self) -> Mapping[str, str]:
        return {**os.environ, "ROOMCHAT_BENCH_COUNT": "1"} if self.count else os.environ

    def folder(self) -> Path:
        return ROOT

    def stop(self) -> None:
        # The tutorial's consumer takes minutes to disconnect 5,000 members. It is killed, which is not a
        # failure here.
        with contextlib.suppress(RuntimeError):
            super().stop()

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid


class SyncingPostgres(Postgres):
    """PostgreSQL with fsync, which the tests turn off: measured commits have to reach the disk."""

    def __enter__(self) -> "SyncingPostgres":
        super().__enter__()
        if self.bin:
            port = self.admin_url.rpartition(":")[2].partition("/")[0]
            options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=on"
            data = self.folder / "data"
            self._as_owner(
                self.bin / "pg_ctl", "restart", "-D", data, "-l", self.folder / "log", "-w", "-o", options
            )
        return self

    @property
    def pid(self) -> int | None:
        """Process id of the postmaster, if this process started it."""
        lines = self.folder.glob("data/postmaster.pid")
        return next((int(path.read_text().split()[0]) for path in lines), None)


class Services:
    """PostgreSQL and Valkey, started on first use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stack = contextlib.ExitStack()
        self._postgres: SyncingPostgres | None = None
        self._valkey: Valkey | None = None
        self._databases = 0

    def __enter__(self) -> "Services":
        return self

    def __exit__(self, *about: object) -> None:
        self._stack.close()

    @property
    def pids(self) -> list[int]:
        mine = [self._postgres and self._postgres.pid]
        if self._valkey is not None and self._valkey.process is not None:
            mine.append(self._valkey.process.pid)
        return [pid for pid in mine if pid]

    def database(self, kind: str) -> str:
        """Return the URL of an empty database."""
        self._databases += 1
        if kind == "sqlite":
            return f"sqlite:///{self.folder}/{self._databases}.sqlite3"
        if self._postgres is None:
            self._postgres = self._stack.enter_context(SyncingPostgres())
            _keep_off_the_server(self._postgres.pid)
        return self._postgres.create(f"roomchat_benchmark_{self._databases}")

    def layer(self, kind: str) -> str:
        if kind == "memory":
            return kind
        if self._valkey is None:
            self._valkey = Valkey(self.folder)
            self._valkey.start()
            self._stack.callback(self._valkey.stop)
            assert self._valkey.process is not None
            _keep_off_the_server(self._valkey.process.pid)
        return self._valkey.url


def _keep_off_the_server(pid: int | None) -> None:
    """Also set for future children, which inherit it."""
    if pid is not None:
        os.sched_setaffinity(pid, {LOAD_CORE})


@contextlib.contextmanager
def serving(*servers: Server) -> Iterator[None]:
    """Run servers for the duration of the context."""
    with contextlib.ExitStack() as stack:
        for server in servers:
            # Every server is stopped, even if stopping another one fails.
            stack.callback(server.stop)
            server.start()
        yield


def fill(database: str, room: str, messages: int) -> None:
    command = [sys.executable, "-m", "benchmarks.fill", "--database", database, "--room", room]
    subprocess.run([*command, "--messages", str(messages)], cwd=ROOT, check=True)
