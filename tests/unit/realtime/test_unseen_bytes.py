"""Sockets whose client does not confirm what it has received."""

import pytest

from django_roomchat.realtime import hub
from tests.support.sockets import client, say

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_hub")]


async def test_a_client_that_says_nothing_of_what_it_saw_gets_the_rest_when_it_does(settings):
    settings.ROOMCHAT = {"UNSEEN_MAX_BYTES": 200_000}
    async with client() as slow, client(tutorial=True) as control:
        await slow.receive("joined")
        for number in range(80):
            await say("x" * 4000, id=str(number))
            await control.receive()
        [connection] = [one for one in hub.current().sockets if not one.is_tutorial]
        stopped = connection.is_ready
        seen = 0
        while connection.subscriptions["lobby"].cursor > seen:
            frame = await slow.receive("events")
            assert frame["prev"] == seen
            seen = frame["head"]
        at_first = seen
        while seen < 80:
            await slow.send({"type": "seen", "heads": {"lobby": seen, "nowhere": 5}})
            frame = await slow.receive("events")
            assert frame["prev"] == seen
            seen = frame["head"]

    assert (stopped, 40 < at_first < 60, seen) == (False, True, 80)


async def test_a_low_limit_of_unseen_bytes_still_receives_confirmations(settings):
    settings.ROOMCHAT = {"UNSEEN_MAX_BYTES": 10_000}
    async with client() as slow, client(tutorial=True) as control:
        await slow.receive("joined")
        seen = 0
        for number in range(20):
            await say("x" * 2000, id=str(number))
            await control.receive()
        while seen < 20:
            frame = await slow.receive("events")
            assert frame["prev"] == seen
            seen = frame["head"]
            await slow.send({"type": "seen", "heads": {"lobby": seen}})

        assert seen == 20
