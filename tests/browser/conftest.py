"""pytest-playwright's fixtures (`page`, `new_context`, `browser`), driving a Chromium that is here or was fetched.

With `--browser firefox` it is the Firefox of this machine, and what cannot be done in it is skipped with a reason.
A test that fails leaves its screenshot in `test-results/`.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.services import Missing, firefox, shell, skip_or_fail, skip_what_is_missing
from tests.services.chromium import ARGUMENTS, Chromium, find
from tests.services.server import Server

WAIT_MS = 60_000
"""How long a test waits for anything on a page. A page needs a second; a machine at a load of ten needs half a minute."""
expect.set_options(timeout=WAIT_MS)

# Through WebDriver BiDi, Playwright passes over most of these in silence: a test would pass that has shown nothing.
NOT_IN_FIREFOX = {
    (BrowserContext, "expect_page"): "a window that a frame opens is not reported",
    (BrowserContext, "grant_permissions"): "permissions cannot be given",
    (BrowserContext, "new_cdp_session"): "it does not speak Chromium's protocol",
    (Locator, "tap"): "there is no finger",
    (Page, "emulate_media"): "colours and motion cannot be emulated",
    (Page, "expect_websocket"): "sockets cannot be watched",
}
NO_EVENTS_IN_FIREFOX = {
    "requestfailed": "it does not tell of a request that a page has given up",
    "websocket": "sockets cannot be watched",
}
NO_OPTIONS_IN_FIREFOX = {
    "color_scheme": "dark colours cannot be emulated",
    "forced_colors": "forced colours cannot be emulated",
    "is_mobile": "a phone cannot be emulated",
    "permissions": "permissions cannot be given",
    "reduced_motion": "reduced motion cannot be emulated",
}


@pytest.fixture(scope="module", autouse=True)
def _no_shell_is_left() -> Iterator[None]:
    yield
    shell.close_all()


@pytest.fixture(scope="session")
def chromium() -> Chromium:
    try:
        return find()
    except Missing as missing:
        skip_or_fail(missing)


@pytest.fixture(scope="session")
def browser_type_launch_args(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    browser_type_launch_args: dict[str, Any],
    browser_name: str,
) -> dict[str, Any]:
    if browser_name == "firefox":
        try:
            executable = firefox.launcher(tmp_path_factory.mktemp("firefox"))
        except Missing as missing:
            skip_what_is_missing(missing)
        return {
            **browser_type_launch_args,
            "channel": firefox.CHANNEL,
            "executable_path": str(executable),
            "firefox_user_prefs": firefox.PREFERENCES,
        }
    chromium: Chromium = request.getfixturevalue("chromium")
    return {
        **browser_type_launch_args,
        "args": ARGUMENTS,
        "env": {**os.environ, **chromium.env},
        "executable_path": str(chromium.executable),
    }


@pytest.fixture(autouse=True)
def _what_the_browser_can(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "browser_name" in request.fixturenames and request.getfixturevalue("browser_name") == "firefox":
        for (kind, name), reason in NOT_IN_FIREFOX.items():
            monkeypatch.setattr(kind, name, _skip(reason))
        for name in ("on", "once", "expect_event"):
            monkeypatch.setattr(Page, name, _but_not_of(NO_EVENTS_IN_FIREFOX, getattr(Page, name)))


@pytest.fixture(scope="module")
def site(_migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that the tests of one file share; each test uses its own `room`."""
    folder = tmp_path_factory.mktemp("site")
    copied = shutil.copy(_migrated_sqlite, folder / "site.sqlite3")
    server = Server(folder / "server.log", database_url=f"sqlite:///{copied}")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def room(request: pytest.FixtureRequest) -> str:
    """The name of a room that no other test of the file uses."""
    return str(request.node.name).partition("[")[0].removeprefix("test_").replace("_", "-")[:60]


@pytest.fixture
def new_context(
    new_context: Callable[..., BrowserContext], browser_name: str
) -> Callable[..., BrowserContext]:
    def patient(**options: Any) -> BrowserContext:
        context = new_context(**options)
        context.set_default_timeout(WAIT_MS)
        return context

    if browser_name != "firefox":
        return patient

    def limited(**options: Any) -> BrowserContext:
        for name, reason in NO_OPTIONS_IN_FIREFOX.items():
            if options.get(name) not in (None, False, "light", "none", "no-preference"):
                _skip(reason)()
        # Scripts cannot be turned off; that none arrives is the same to our pages, which have no script in them.
        scripts = options.pop("java_script_enabled", True)
        context = patient(**options)
        if not scripts:
            context.route("**/*.js", lambda route: route.abort())
        return context

    return limited


def _but_not_of(reasons: dict[str, str], listen: Callable[..., Any]) -> Callable[..., Any]:
    def limited(page: Page, event: str, *args: Any, **options: Any) -> Any:
        if event in reasons:
            _skip(reasons[event])()
        return listen(page, event, *args, **options)

    return limited


def _skip(reason: str) -> Callable[..., NoReturn]:
    def skip(*args: object, **options: object) -> NoReturn:
        pytest.skip(f"not in Firefox: {reason}")

    return skip
