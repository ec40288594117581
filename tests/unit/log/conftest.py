"""Fixtures of the tests of the log."""

import pytest

from tests.support.log import make_room


@pytest.fixture(params=["of the run", "postgresql"])
def database(request):
    """The run's own database, and then PostgreSQL."""
    if request.param == "postgresql":
        request.getfixturevalue("on_postgres")
    return request.param


@pytest.fixture
def room(database):
    return make_room()
