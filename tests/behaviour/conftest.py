"""Fixtures of the tests of behaviour."""

import logging

import pytest


@pytest.fixture
def no_traceback(caplog):
    """The test fails if an exception or an error has been logged."""
    yield
    bad = [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR]
    assert [record.getMessage() for record in bad] == []
