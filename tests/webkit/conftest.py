"""Two windows of WebKit, one of them dark, and a site with users and files, for all tests of this folder.

`tox -e webkit` runs them; other runs do not collect this folder (`norecursedirs` in pyproject.toml).
A test that fails leaves screenshots in `test-results/`.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.club import add_people
from tests.services import Missing, shell, skip_or_fail
from tests.services.server import ROOT, Server
from tests.services.webkit import Programs, browser, find, screen
from tests.webkit.window import Window

SIZE = (1280, 800)
RESULTS = ROOT / "test-results"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        # Several waits of a busy machine.
        item.add_marker(pytest.mark.timeout(300))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report: Any = yield
    if report.failed and call.when == "call":
        for name, window in getattr(item, "funcargs", {}).items():
            if isinstance(window, Window):
                RESULTS.mkdir(exist_ok=True)
                window.screenshot(RESULTS / f"webkit-{item.name}-{name}.png")
    return report


@pytest.fixture(scope="session")
def site(_migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("webkit-site")
    database = shutil.copy(_migrated_sqlite, folder / "site.sqlite3")
    server = Server(
        folder / "server.log",
        database_url=f"sqlite:///{database}",
        settings="tests.browser.files_settings",
        roomchat={"EDIT_HISTORY": True},
        env={"MEDIA_ROOT": str(folder / "media")},
    )
    server.start()
    add_people(server)
    yield server
    server.stop()
    shell.close_all()


@pytest.fixture(scope="session")
def programs() -> Programs:
    try:
        return find()
    except Missing as missing:
        skip_or_fail(missing)


@pytest.fixture(scope="session")
def display(programs: Programs) -> Iterator[str]:
    with screen(programs.screen) as name:
        yield name


@pytest.fixture(scope="session")
def _light(
    programs: Programs, display: str, site: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Window]:
    with browser(tmp_path_factory.mktemp("light"), programs, display) as driver:
        yield Window(driver, site)


@pytest.fixture(scope="session")
def _dark(
    programs: Programs, display: str, site: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Window]:
    with browser(tmp_path_factory.mktemp("dark"), programs, display, dark=True) as driver:
        yield Window(driver, site)


@pytest.fixture
def ana(_light: Window) -> Window:
    """The window of a user who owns the rooms of `make_club`."""
    _light.resize(*SIZE)
    _light.become("ana")
    return _light


@pytest.fixture
def kim(_dark: Window) -> Window:
    """The window of a member, on a machine with dark colours."""
    _dark.resize(*SIZE)
    _dark.become("kim")
    return _dark


@pytest.fixture
def room(request: pytest.FixtureRequest) -> str:
    """The name of a room that no other test uses."""
    return str(request.node.name).partition("[")[0].removeprefix("test_").replace("_", "-")[:60]
