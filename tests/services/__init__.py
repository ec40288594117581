"""Real servers, databases and browsers for the tests: each module finds one and runs it."""

import os
import socket
from typing import NoReturn

import pytest

UNTESTED = "not tested: "
# pytest-xdist runs tests in several processes, gw0, gw1, …; what they share must not be shared by them.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0")


class Missing(Exception):
    """A service that a test needs is not on this machine and could not be fetched."""


def skip_or_fail(missing: Missing) -> NoReturn:
    """Skip loudly on a developer's machine, fail where `.ci/run` promises that everything is there."""
    if os.environ.get("ROOMCHAT_REQUIRE_SERVICES") == "1":
        pytest.fail(f"ROOMCHAT_REQUIRE_SERVICES=1, and: {missing}", pytrace=False)
    skip_what_is_missing(missing)


def skip_what_is_missing(missing: Missing) -> NoReturn:
    """Skip because of an optional service. The end of the run lists these."""
    pytest.skip(f"{UNTESTED}{missing}")


def free_port() -> int:
    """Return a TCP port on which no process listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
