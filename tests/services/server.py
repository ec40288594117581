"""A real server process: uvicorn, daphne or runserver, with the test project or the example project in it."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from tests.services.process import ListeningProcess

Kind = Literal["uvicorn", "daphne", "runserver"]
ROOT = Path(__file__).resolve().parent.parent.parent


class Server(ListeningProcess):
    """One process of the site. Several of them may share a database and a Redis."""

    def __init__(
        self,
        log_path: Path,
        *,
        database_url: str,
        redis_url: str | None = None,
        kind: Kind = "uvicorn",
        project: Literal["tests", "example_project"] = "tests",
        application: str | None = None,
        settings: str | None = None,
        roomchat: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
        port: int | None = None,
    ) -> None:
        super().__init__(log_path, port=port)
        self.database_url = database_url
        self.redis_url = redis_url
        self.kind = kind
        self.application = application or f"{project}.asgi:application"
        self.settings = settings or f"{project}.settings"
        self.home = ROOT / project if project == "example_project" else ROOT
        self.roomchat = roomchat or {}
        self.extra = env or {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def command(self) -> Sequence[str]:
        port = str(self.port)
        match self.kind:
            case "uvicorn":
                # A deployment does not wait for ever for open sockets; two seconds are plenty here.
                options = ["--host", "127.0.0.1", "--port", port, "--timeout-graceful-shutdown", "2"]
                return [sys.executable, "-m", "uvicorn", *options, self.application]
            case "daphne":
                return [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", port, self.application]
            case "runserver":
                return [sys.executable, "-m", "django", "runserver", "--noreload", f"127.0.0.1:{port}"]

    def folder(self) -> Path:
        return self.home

    def environment(self) -> Mapping[str, str]:
        environment = {
            **os.environ,
            "DATABASE_URL": self.database_url,
            "DJANGO_SETTINGS_MODULE": self.settings,
            "PYTHONPATH": os.pathsep.join([str(self.home), str(ROOT)]),
            "PYTHONUNBUFFERED": "1",
            "ROOMCHAT_TEST_CONFIG": json.dumps(self.roomchat),
        }
        environment.pop("REDIS_URL", None)
        if self.redis_url:
            environment["REDIS_URL"] = self.redis_url
        return environment | self.extra
