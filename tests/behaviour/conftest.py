"""Fixtures of the tests of behaviour."""

import logging
import os

import pytest

# Its servers use the database of the run.
collect_ignore = (
    [] if os.environ.get("DATABASE_URL", "").startswith("mysql") else ["test_processes_on_mariadb.py"]
)


@pytest.fixture
def no_traceback(caplog):
    """The test fails if an exception or an error has been logged."""
    yield
    bad = [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR]
    assert [record.getMessage() for record in bad] == []
