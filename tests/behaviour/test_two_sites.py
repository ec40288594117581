"""Two sites on one channel layer: neither receives anything of the other."""

import asyncio

import pytest
from channels.layers import get_channel_layer

from django_roomchat import pubsub
from django_roomchat.pubsub import Access, Batch, Notice, layer_client
from django_roomchat.pubsub.layer_client import LayerClient
from tests.support.batches import batch, parts

WARNING = (
    "Another site sends to the channel layer 'default'; its messages are ignored. Give each site a prefix of its own "
    "in CHANNEL_LAYERS."
)


class Process:
    """A process of a site, on the channel layer."""

    def __init__(self, *databases):
        self.databases = databases
        self.looked_up = 0
        self.received = []
        self.arrived = asyncio.Event()
        self.joined = asyncio.Event()
        self.client = LayerClient(
            "default", self.deliver, lambda alias, group: self.joined.set(), self.identify
        )

    async def identify(self, look_up):
        self.looked_up += look_up
        return self.databases

    def deliver(self, news):
        self.received.append(parts(news))
        self.arrived.set()

    async def join(self):
        self.client.join("chat_lobby")
        await asyncio.wait_for(self.joined.wait(), 10)

    async def receives(self, count):
        while len(self.received) < count:
            await asyncio.wait_for(self.arrived.wait(), 10)
            self.arrived.clear()
        return self.received


@pytest.fixture(params=["in memory", "on Redis"])
async def sites(request, settings):
    """Two processes of one site, and one of another."""
    if request.param == "on Redis":
        url = request.getfixturevalue("redis_url")
        backend = {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [url]}}
        settings.CHANNEL_LAYERS = {"default": backend}
    else:
        settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    processes = Process("one"), Process("one"), Process("other")
    for process in processes:
        await process.join()
    yield processes
    for process in processes:
        await process.client.close()


async def test_a_site_receives_nothing_of_another_site(sites, caplog):
    one, same, other = sites
    foreign = [batch(), Access("lobby", 3, "u:1"), Notice("typing", {"on": True}, "lobby")]
    own = [Batch("lobby", "an epoch", 0, 1, []), Access("lobby", 4, ""), Notice("presence", {}, "lobby")]

    for news in foreign:
        other.client.send("chat_lobby", news)
    for news in own:
        one.client.send("chat_lobby", news)
    # In order: what the other site has sent would have arrived before.
    received = await same.receives(3)

    assert received == [parts(news) for news in own]
    assert (same.looked_up, set(caplog.messages)) == (1, {WARNING})


async def test_a_site_whose_database_was_restored_is_received_again(sites, caplog):
    one, same, _ = sites
    for process in sites:
        process.databases = ("restored",)
    one.client._databases = ("restored",)

    one.client.send("chat_lobby", batch())

    assert await same.receives(1) == [parts(batch())]
    assert (same.looked_up, caplog.messages) == (1, [])


async def test_a_process_receives_from_one_with_the_former_secret_key():
    layer = get_channel_layer()
    process = Process("new", "former")
    await process.join()

    for databases in ("former", "other", "new"):
        await layer.group_send("chat_lobby", pubsub.to_message(batch(databases), databases))
    received = await process.receives(2)
    await process.client.close()

    assert received == [parts(batch("former")), parts(batch("new"))]


async def test_a_site_is_warned_of_once_a_minute(monkeypatch, caplog):
    process = Process("one")
    await process.join()
    looked_up = []
    for now in (1000.0, 1001.0, 1060.0):
        monkeypatch.setattr(layer_client.time, "monotonic", lambda now=now: now)
        await process.client._is_still_foreign(pubsub.to_message(batch(), "other"))
        looked_up.append(process.looked_up)
    monkeypatch.undo()
    await process.client.close()

    assert (looked_up, caplog.messages) == ([1, 1, 2], [WARNING, WARNING])
