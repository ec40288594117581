"""A real MariaDB: the one that the environment names, or one on this machine.

    python -m tests.services.mariadb COMMAND ...

runs a command with `DATABASE_URL` set to a database of it; the `mariadb` environment of tox runs tests so.
"""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from tests.services import WORKER, Missing, free_port

START_SECONDS = 30.0


class MariaDB:
    """A context manager: the server runs inside it. Databases are created and dropped by name."""

    def __init__(self) -> None:
        self.named = os.environ.get("ROOMCHAT_TEST_MARIADB_URL")
        self.server = None if self.named else program("mariadbd")
        self.url = self.named or ""

    def __enter__(self) -> Self:
        self._temporary = tempfile.TemporaryDirectory(prefix="roomchat-mariadb-", ignore_cleanup_errors=True)
        if self.server:
            self._start(Path(self._temporary.name))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.server:
            self._process.terminate()
            self._process.wait(START_SECONDS)
        self._temporary.cleanup()

    def _start(self, folder: Path) -> None:
        assert self.server
        data, port = folder / "data", free_port()
        data.mkdir()
        # Debian keeps the programs in two folders below the same one.
        common = ["--no-defaults", f"--basedir={self.server.parents[1]}", f"--datadir={data}"]
        if os.geteuid() == 0:
            common.append("--user=root")
        install = [
            program("mariadb-install-db"),
            *common,
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ]
        subprocess.run(list(map(str, install)), check=True, stdout=subprocess.DEVNULL)
        # What `CREATE DATABASE … CHARACTER SET utf8mb4` gives on 10.11: it ignores case, diacritics and most emoji.
        options = [
            f"--port={port}",
            "--bind-address=127.0.0.1",
            f"--socket={folder / 'socket'}",
            "--character-set-server=utf8mb4",
            "--collation-server=utf8mb4_general_ci",
            "--innodb-flush-log-at-trx-commit=0",
        ]
        with (folder / "log").open("w") as log:
            self._process = subprocess.Popen([str(self.server), *common, *options], stdout=log, stderr=log)
        self.url = f"mysql://root@127.0.0.1:{port}/"
        ends = time.monotonic() + START_SECONDS
        while True:
            try:
                return self._execute("SELECT 1")
            except Exception:
                if time.monotonic() > ends or self._process.poll() is not None:
                    raise RuntimeError((folder / "log").read_text()) from None
                time.sleep(0.1)

    def create(self, name: str) -> str:
        """Create a database, in place of an old one of that name, and return its URL."""
        self.drop(name)
        self._execute(f"CREATE DATABASE `{name}_{WORKER}`")
        return urlsplit(self.url)._replace(path=f"/{name}_{WORKER}").geturl()

    def drop(self, name: str) -> None:
        self._execute(f"DROP DATABASE IF EXISTS `{name}_{WORKER}`")

    def _execute(self, statement: str) -> None:
        # Installed in the tox environment "mariadb" only.
        driver: Any = importlib.import_module("MySQLdb")
        where: Any = urlsplit(self.url)
        login = {"user": where.username, "password": where.password or ""}
        connection = driver.connect(host=where.hostname, port=where.port or 3306, **login)
        try:
            connection.cursor().execute(statement)
        finally:
            connection.close()


def program(name: str) -> Path:
    """Return the path of a program of MariaDB's server on this machine."""
    # Debian's server is in a folder that is not in every user's PATH.
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        raise Missing(f"no {name} on this machine (Debian: mariadb-server)")
    return Path(found)


def main() -> int:
    with MariaDB() as mariadb:
        url = mariadb.create("roomchat")
        try:
            return subprocess.run(sys.argv[1:], env=os.environ | {"DATABASE_URL": url}).returncode
        finally:
            mariadb.drop("roomchat")


if __name__ == "__main__":
    sys.exit(main())
