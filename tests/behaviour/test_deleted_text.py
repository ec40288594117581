"""The text of a deleted message is not sent again, whichever cache or table could still contain it."""

import json

import pytest

from django_roomchat.consumers import ChatConsumer
from django_roomchat.messages.edit import adelete_message, aedit_message
from django_roomchat.messages.post import apost_message
from django_roomchat.testing import ChatClient

pytestmark = pytest.mark.django_db(transaction=True)

APPLICATION = ChatConsumer.as_asgi()


@pytest.fixture
async def member():
    """A socket in the room keeps its recent events in memory."""
    await apost_message("lobby", "before")
    async with ChatClient(APPLICATION, "lobby") as client:
        yield client


async def told(client, last):
    """All frames until the room's last message, and the texts that they end with."""
    bodies, frames = {}, []
    while last not in bodies.values():
        frames.append(await client.receive())
        bodies |= {event["seq"]: event["body"] for event in frames[-1].get("events", ())}
    return json.dumps(frames), list(bodies.values())


async def test_who_comes_back_is_not_told_what_was_deleted_meanwhile(member):
    epoch = (await member.receive("joined"))["epoch"]
    await apost_message("lobby", "secret")
    await adelete_message("lobby", 2)
    await apost_message("lobby", "after")
    await told(member, "after")

    async with ChatClient(APPLICATION, "lobby", epoch=epoch, since=1) as back:
        frames, bodies = await told(back, "after")

    assert "secret" not in frames
    assert bodies == ["", "after"]


async def test_a_new_reader_is_not_told_what_was_deleted_after_the_last_one_came(member):
    await apost_message("lobby", "secret")
    async with ChatClient(APPLICATION, "lobby") as earlier:
        assert "secret" in (await told(earlier, "secret"))[0]
        await adelete_message("lobby", 2)
        await apost_message("lobby", "after")
        await told(earlier, "after")

    async with ChatClient(APPLICATION, "lobby") as late:
        frames, bodies = await told(late, "after")

    assert "secret" not in frames
    assert bodies == ["before", "", "after"]


async def test_a_connected_client_receives_the_deletion_and_continues(member):
    await apost_message("lobby", "secret")
    await adelete_message("lobby", 2)
    await apost_message("lobby", "after")

    assert (await told(member, "after"))[1] == ["before", "", "after"]


async def test_a_text_that_looks_like_a_deletion_is_none(member):
    epoch = (await member.receive("joined"))["epoch"]
    await apost_message("lobby", '"deleted_at":"now"')
    await aedit_message("lobby", 1, "edited")
    await told(member, "edited")

    async with ChatClient(APPLICATION, "lobby", epoch=epoch, since=1) as back:
        assert (await told(back, "edited"))[1] == ['"deleted_at":"now"', "edited"]
