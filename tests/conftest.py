"""Fixtures that every test may ask for. What they run is found or fetched by `tests/services/`."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
import pytest
from django.contrib.auth.models import User
from django.core.management.commands import flush
from django.db import connections
from django.test import Client
from django.utils import translation

from django_roomchat import database, throttled_logging
from django_roomchat.files import images
from django_roomchat.policy import rate_limits
from django_roomchat.realtime import hub, presence, threads
from tests.services import UNTESTED, WORKER, Missing, skip_or_fail
from tests.services.postgres import Postgres
from tests.services.server import ROOT, Server
from tests.services.valkey import Valkey
from tests.support.caches import clear_caches

KEPT_TABLES = {"auth_permission", "django_content_type"}
"""Tables that the migrations fill and no test changes."""


if "PYTEST_XDIST_WORKER" in os.environ:
    # A worker is measured, and no process that a test starts: one that is killed while it writes its data spoils them, and a
    # line that only such a process runs is covered by luck.
    os.environ.pop("COVERAGE_PROCESS_CONFIG", None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--first-case",
        action="store_true",
        help="run the first case of each parametrised test only, where another run has shown the others",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--first-case"):
        first: dict[str, pytest.Item] = {}
        for item in items:
            first.setdefault(item.nodeid.partition("[")[0], item)
        kept = set(first.values())
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = first.values()
    browser = Path(__file__).parent / "browser"
    for item in items:
        if item.path.is_relative_to(browser):
            item.add_marker("browser")
            if item.get_closest_marker("timeout") is None:
                # Several waits of a busy machine, see `WAIT_MS` in tests/browser/conftest.py.
                item.add_marker(pytest.mark.timeout(300))
    # Playwright's synchronous interface leaves an event loop running in this thread:
    # after it, neither the ORM nor an asynchronous test would work here. So the browser comes last,
    # and what waits long comes first, or all others would be waited for and then it.
    items.sort(
        key=lambda item: (item.get_closest_marker("browser") is not None, not item.get_closest_marker("slow"))
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    missing = {text.partition(UNTESTED)[2].rstrip("')") for text in skipped if UNTESTED in text}
    if missing:
        terminalreporter.section("NOT EVERYTHING WAS TESTED", sep="!", red=True, bold=True)
        for reason in sorted(missing):
            terminalreporter.line(reason)


@pytest.fixture(autouse=True)
def _fresh_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package logs the same problem once a minute; each test begins without an earlier log line."""
    monkeypatch.setattr(throttled_logging, "_last", {})


@pytest.fixture(autouse=True)
def _images_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """By default images are re-encoded as on a machine with one CPU: a process for each would make the tests slow."""
    monkeypatch.setattr(images, "_cpus", lambda: 1)


@pytest.fixture(autouse=True)
def _known_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """The identifier of the database is known without a query, so that tests without a database can publish."""
    monkeypatch.setattr(database, "_identifiers", {"default": ("of the tests",)})


@pytest.fixture(autouse=True)
def _fresh_caches() -> None:
    """The database of a test has other rooms than that of the test before."""
    clear_caches()


@pytest.fixture
async def clean_hub(settings: Any) -> AsyncIterator[None]:
    """For tests that open sockets or streams in this process.

    The origin of `ChatClient` is allowed. After the test the tasks of its hub are cancelled, and the threads that
    it used for the database close their connections.
    """
    settings.ALLOWED_HOSTS = ["testserver"]
    yield
    work = hub.current()._work
    for task in list(work):
        task.cancel()
    await asyncio.gather(*work, return_exceptions=True)
    for closed in threads.close():
        await asyncio.wrap_future(closed)


@pytest.fixture
def media_folder(settings: Any, tmp_path: Path) -> Path:
    """An empty folder in which files of messages are stored."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return tmp_path / "media"


@pytest.fixture
def stored(media_folder: Path) -> Callable[[], int]:
    """Returns the number of files in the storage."""
    return lambda: sum(path.is_file() for path in media_folder.rglob("*"))


@pytest.fixture
def ana(db: None) -> User:
    return User.objects.create_user("ana")


@pytest.fixture
def hers(ana: User) -> Client:
    """A browser in which the user ``ana`` is signed in."""
    browser = Client()
    browser.force_login(ana)
    return browser


@pytest.fixture(autouse=True)
def _nobody_watches(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Presence frames are sent and rows are written at any time, so presence is only enabled in tests marked `presence`."""
    if "presence" not in request.keywords:
        monkeypatch.setattr(presence, "start", lambda hub: None)


@pytest.fixture(autouse=True)
def _no_limits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests hammer, with settings of their own, too; those of the limits are limited, each from the beginning."""
    if request.path.name != "test_rate_limits.py":
        monkeypatch.setattr(rate_limits, "rate", _off)


@cache
def _off(key: str) -> None:
    """In the place of `limits.rate`."""


@pytest.fixture(autouse=True)
def _own_language() -> Iterator[None]:
    """Django's middleware leaves the language of the last request on, which would be the next test's."""
    yield
    translation.deactivate()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Makes the flush after a test quick, and ends the sessions that threads have left open on PostgreSQL.

    Content types and permissions stay in the database, so `flush` need not send `post_migrate` to create them again.
    Measured: 13 ms of processor time a test on SQLite become 0.7 ms, 23 ms on PostgreSQL 2.5 ms.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush, "emit_post_migrate_signal", lambda *args, **options: None)
        patch.setattr(flush, "sql_flush", _delete_rows)
        yield
    # A thread that outlives its test (of an executor) may keep a connection, and PostgreSQL drops no database with one.
    with django_db_blocker.unblock():
        if connections["default"].vendor == "postgresql":
            with connections["default"].cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )


def _delete_rows(style: Any, connection: Any, **options: Any) -> list[str]:
    """In the place of Django's `sql_flush()`, whose TRUNCATE makes new files for each table and index of PostgreSQL.

    Django's foreign keys are checked at the end of the transaction, so the order does not matter.
    """
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    deletes = [f"DELETE FROM {connection.ops.quote_name(table)}" for table in sorted({*tables} - KEPT_TABLES)]
    if connection.vendor == "mysql":
        # MySQL checks foreign keys at once.
        return ["SET FOREIGN_KEY_CHECKS = 0", *deletes, "SET FOREIGN_KEY_CHECKS = 1"]
    return deletes


@pytest.fixture(scope="session")
def _shared_redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if named := os.environ.get("ROOMCHAT_TEST_REDIS_URL"):
        server = urlsplit(named)
        database = int(server.path.strip("/") or 0) + int(WORKER.removeprefix("gw"))
        yield server._replace(path=f"/{database}").geturl()
        return
    try:
        valkey = Valkey(tmp_path_factory.mktemp("valkey"))
    except Missing as missing:
        skip_or_fail(missing)
    valkey.start()
    yield valkey.url
    valkey.stop()


@pytest.fixture
def redis_url(_shared_redis_url: str) -> str:
    """A real, empty Redis database. The server is shared by the tests of a run."""
    from redis import Redis

    with Redis.from_url(_shared_redis_url) as connection:
        connection.flushdb()
    return _shared_redis_url


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[Valkey]:
    """A real Redis of the test's own, which it may kill and start again."""
    try:
        valkey = Valkey(tmp_path)
    except Missing as missing:
        skip_or_fail(missing)
    valkey.start()
    yield valkey
    valkey.stop()


@pytest.fixture(scope="session")
def _postgres() -> Iterator[Postgres]:
    try:
        postgres = Postgres()
    except Missing as missing:
        skip_or_fail(missing)
    with postgres:
        migrate(postgres.create("roomchat_template"))
        yield postgres
        postgres.drop("roomchat_template")


@pytest.fixture
def postgres_url(_postgres: Postgres) -> Iterator[str]:
    """The URL of a migrated, empty PostgreSQL database of the test's own."""
    yield _postgres.create("roomchat_test", template="roomchat_template")
    _postgres.drop("roomchat_test")


@pytest.fixture(scope="session")
def _shared_postgres_url(_postgres: Postgres) -> Iterator[str]:
    yield _postgres.create("roomchat_shared", template="roomchat_template")
    _postgres.drop("roomchat_shared")


@pytest.fixture
def on_postgres(transactional_db: None, _shared_postgres_url: str) -> Iterator[None]:
    """The test runs on PostgreSQL, in an empty database, whatever the run's own database is."""
    own, own_settings = connections["default"], connections.settings["default"]
    _close_connections()
    parsed = dj_database_url.parse(_shared_postgres_url)
    connections.settings["default"] = {**own_settings, "OPTIONS": {}, **parsed}
    connections["default"] = connections.create_connection("default")
    yield
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "TRUNCATE roomchat_room, roomchat_auditentry, roomchat_serverprocess, auth_user, django_session CASCADE"
        )
    _close_connections()
    connections.settings["default"] = own_settings
    connections["default"] = own


def _close_connections() -> None:
    connections["default"].close()
    for closed in threads.close():
        closed.result(10)


@pytest.fixture(scope="session")
def _migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "migrated.sqlite3"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(_migrated_sqlite: Path, tmp_path: Path) -> str:
    """The URL of a migrated, empty SQLite file of the test's own."""
    return f"sqlite:///{shutil.copy(_migrated_sqlite, tmp_path / 'server.sqlite3')}"


def migrate(database_url: str) -> None:
    command = [sys.executable, "-m", "django", "migrate", "--verbosity", "0"]
    environment = os.environ | {"DATABASE_URL": database_url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True)


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts server processes; `Server` lists the options.

    `server()` returns one that listens. It uses the test's own SQLite file unless `database_url` names another database.
    A server that the test leaves running is stopped after it.
    """
    started: list[Server] = []

    def start(**options: Any) -> Server:
        if "database_url" not in options:
            options["database_url"] = request.getfixturevalue("sqlite_url")
        server = Server(tmp_path / f"server{len(started)}.log", **options)
        started.append(server)
        server.start()
        return server

    yield start

    for server in started:
        server.stop()
        # Shown by pytest when the test failed.
        print(f"--- {server.kind} on port {server.port} ---\n{server.log}")
