"""A backup is restored under running processes, and its log is given a new epoch."""

import uuid

import pytest
from asgiref.sync import sync_to_async

from django_roomchat import log, pubsub
from django_roomchat.consumers import ChatConsumer
from django_roomchat.messages.post import apost_message
from django_roomchat.models import Ban, RoomLog
from django_roomchat.moderation.sanctions import aban, aunban
from django_roomchat.realtime import hub
from django_roomchat.testing import ChatClient

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def restored():
    """A room that was restored from a backup made before a person was banned and unbanned."""
    await apost_message("lobby", "hi")
    async with ChatClient(ChatConsumer.as_asgi(), "lobby") as client:
        client.key = (await client.receive("welcome"))["you"]["key"]
        await client.receive("joined")
        await aban("lobby", "u:1")
        await aunban("lobby", "u:1")
        await apost_message("lobby", "heard of both")
        await client.receive("events")
        await sync_to_async(RoomLog.objects.update)(access_version=0, epoch=uuid.uuid4())
        yield client


async def test_everybody_starts_over(restored):
    await hub.current()._poll()

    assert (await restored.receive("joined"))["reset"] == "epoch"


async def test_a_ban_counts_at_once_though_the_access_version_is_lower_than_before(restored):
    await hub.current()._poll()
    await restored.receive("joined")
    await aban("lobby", restored.key)

    assert (await restored.receive("error"))["code"] == "banned"


async def test_a_ban_that_nobody_told_is_found_with_the_next_poll(restored):
    room = await RoomLog.objects.aget()
    await Ban.objects.acreate(room_id=room.pk, key=restored.key)
    await RoomLog.objects.aupdate(access_version=1)
    await hub.current()._poll()

    assert (await restored.receive("error"))["code"] == "banned"


async def test_late_news_of_the_earlier_log_do_not_hide_a_ban_for_longer_than_a_poll(restored):
    await hub.current()._poll()
    await restored.receive("joined")
    hub.current()._receive(pubsub.Access("lobby", 9, "u:1"))
    await aban("lobby", restored.key)
    await hub.current()._poll()

    assert (await restored.receive("error"))["code"] == "banned"


async def test_a_poll_that_was_overtaken_by_news_asks_nobody_again(restored):
    """The answer of the database was correct when it was read."""
    here, asked = hub.current(), []
    await here._poll()
    await restored.receive("joined")
    room = here._rooms["lobby"]
    here._receive(pubsub.Access("lobby", 1, "u:1"))

    async def states(names):
        here._receive(pubsub.Access("lobby", 2, "u:1"))
        asked.extend(names)
        return {"lobby": log.State(room.epoch, room.cursor, 1)}

    here._log_poll._read_states = states
    await here._poll()

    assert (asked, room.access_version) == (["lobby"], 2)


async def test_a_ban_in_another_empty_log_with_the_same_access_version_is_found_by_the_poll():
    """The room has no messages, so no client starts over; bans apply all the same."""
    await aban("quiet", "u:1")
    async with ChatClient(ChatConsumer.as_asgi(), "quiet") as client:
        key = (await client.receive("welcome"))["you"]["key"]
        await client.receive("joined")
        await sync_to_async(Ban.objects.update)(key=key)
        await sync_to_async(RoomLog.objects.update)(epoch=uuid.uuid4())
        await hub.current()._poll()

        assert (await client.receive("error"))["code"] == "banned"
