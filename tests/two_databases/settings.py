"""The settings of the test run, for a site that keeps users and the chat in a database of their own."""

from pathlib import Path

from tests.settings import *  # noqa: F403  (all settings, but for those below)
from tests.settings import DATABASES as _DATABASES

_OPTIONS = {name: value for name, value in _DATABASES["default"].items() if name != "TEST"}


def _beside(name: str) -> dict[str, object]:
    path = Path(_OPTIONS["NAME"]).with_name(f"{name}.sqlite3")
    return {**_OPTIONS, "NAME": str(path), "TEST": {"NAME": f"{path}.test"}}


DATABASES = {"default": _beside("default"), "community": _beside("community"), "replica": _beside("replica")}
DATABASE_ROUTERS = ["tests.two_databases.routers.Router"]
