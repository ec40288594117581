"""The demo of the example project, run as a process."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

from tests.services.process import ListeningProcess
from tests.services.server import ROOT

ROOMS = ["lobby", "book club", "bread", "한국어 카페"]


class Demo(ListeningProcess):
    """`manage.py demo`, as the README's first command runs it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "demo.log")
        self.database_url = f"sqlite:///{folder / 'demo.sqlite3'}"

    def command(self) -> Sequence[str]:
        return [sys.executable, str(ROOT / "example_project" / "manage.py"), "demo"]

    def environment(self) -> Mapping[str, str]:
        mine = {"DATABASE_URL": self.database_url, "PORT": str(self.port), "PYTHONPATH": str(ROOT)}
        return {
            k: v for k, v in os.environ.items() if k not in {"DJANGO_SETTINGS_MODULE", "REDIS_URL"}
        } | mine

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def page(self, path: str) -> str:
        with urlopen(self.url + quote(path)) as response:
            text: str = response.read().decode()
            return text

    def said(self, room: str = "lobby") -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = json.loads(self.page(f"/chat/{room}/messages/"))["messages"]
        return messages

    def bodies(self) -> list[str]:
        return [message["body"] for room in ROOMS for message in self.said(room)]
