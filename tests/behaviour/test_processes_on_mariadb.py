"""Two server processes on one MariaDB. Collected only where the run's own database is one (see `conftest.py`)."""

import asyncio
import os

import pytest

from tests.conftest import migrate
from tests.services.client import clients

POSTS = 15


@pytest.fixture(scope="module")
def database_url():
    """The database that the run was given. The tests themselves use another one, which Django creates."""
    url = os.environ["DATABASE_URL"]
    migrate(url)
    return url


async def test_posts_of_two_processes_at_once_are_numbered_without_a_hole(server, database_url):
    one, other = (server(database_url=database_url) for _ in range(2))
    places = [(one.ws_url, "lobby"), (other.ws_url, "lobby")] * 4

    async with clients(*places) as members:

        async def post(member, name):
            return [(await member.post(f"{name} {number}"))["seq"] for number in range(POSTS)]

        numbered = await asyncio.gather(*(post(member, name) for name, member in enumerate(members)))
        await members[0].until("7 14")

    assert sorted(seq for seqs in numbered for seq in seqs) == list(range(1, 8 * POSTS + 1))
    assert all(seqs == sorted(seqs) for seqs in numbered)
