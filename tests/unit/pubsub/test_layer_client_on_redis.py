"""Channel layer clients of several processes on a real Redis."""

import asyncio
import contextlib

import pytest
from channels.layers import get_channel_layer

from django_roomchat import pubsub
from django_roomchat.pubsub import from_message, to_message
from tests.support.batches import batch, parts
from tests.support.fakes import settle
from tests.support.layer_clients import Delivered


@pytest.fixture
def redis_layer(settings, redis_url):
    """The documented setting, with the address written so that redis-py 8 does not end the quiet connection."""
    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {"hosts": [{"address": redis_url, "socket_timeout": None}]},
        }
    }


async def leave(*places):
    for place in places:
        with contextlib.suppress(Exception):
            await place.layer_client.close()
    await settle()
    await get_channel_layer().close_pools()


@pytest.mark.redis
async def test_two_clients_on_redis_receive_from_each_other(redis_layer):
    one, other = Delivered(), Delivered()
    for place in (one, other):
        place.layer_client.join("chat_lobby")
        await place.wait()

    said = batch()
    one.layer_client.send("chat_lobby", said)
    await other.wait()
    await one.wait()
    answer = batch("방")
    other.layer_client.send("chat_lobby", answer)
    await one.wait()
    await other.wait()

    heard = [[parts(news) for news in place.news] for place in (one, other)]
    assert heard == [[parts(said), parts(answer)]] * 2
    await leave(one, other)


@pytest.mark.redis
async def test_a_closed_client_leaves_nothing_on_redis(redis_layer, redis_url):
    from redis.asyncio import Redis

    place = Delivered()
    place.layer_client.join("chat_lobby")
    await place.wait()

    async with Redis.from_url(redis_url) as redis:
        before = await redis.keys("*chat_lobby")
        await leave(place)
        after = await redis.keys("*chat_lobby")

    assert (before, after) == ([b"asgi:group:chat_lobby"], [])


@pytest.mark.redis
async def test_a_batch_of_a_thread_without_a_loop_is_received_over_redis(redis_layer):
    place = Delivered()
    place.layer_client.join("chat_lobby")
    await place.wait()

    await asyncio.to_thread(pubsub.publish, batch())
    await place.wait()

    assert [parts(news) for news in place.news] == [parts(batch())]
    await leave(place)


@pytest.mark.redis
async def test_redis_carries_the_message_that_we_wrote(redis_layer):
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add("chat_lobby", channel)

    await layer.group_send("chat_lobby", to_message(batch("방 🎉")))

    assert parts(from_message(await layer.receive(channel))) == parts(batch("방 🎉"))
    await layer.close_pools()
