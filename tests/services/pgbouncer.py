"""A real PgBouncer in front of a PostgreSQL of the tests, in transaction mode."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.services import Missing
from tests.services.process import ListeningProcess

_CONFIGURATION = """
[databases]
* = host={host} port={port_of_server} user={user}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
ignore_startup_parameters = extra_float_digits,options
"""


class PgBouncer(ListeningProcess):
    """A PgBouncer with three connections to the server of a database URL."""

    def __init__(self, folder: Path, database_url: str) -> None:
        super().__init__(folder / "pgbouncer.log")
        # Debian's program is in a folder that is not in every user's PATH.
        binary = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if binary is None:
            raise Missing("no pgbouncer on this machine (Debian: pgbouncer)")
        self._binary = binary
        server = urlsplit(database_url)
        [host] = parse_qs(server.query).get("host", [server.hostname or "127.0.0.1"])
        self.url = f"postgresql://{server.username}@127.0.0.1:{self.port}{server.path}"
        self._configuration = folder / "pgbouncer.ini"
        self._configuration.write_text(
            _CONFIGURATION.format(
                host=host, port_of_server=server.port or 5432, user=server.username, port=self.port
            )
        )

    def command(self) -> Sequence[str]:
        return [self._binary, "-q", str(self._configuration)]

    def user(self) -> str | None:
        # It does not run as root.
        return "nobody" if os.geteuid() == 0 else None
