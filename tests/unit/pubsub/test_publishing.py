"""Batches are published to the listeners of the process and to the channel layer."""

import asyncio
import threading

import pytest
from channels.layers import get_channel_layer

from django_roomchat import pubsub
from django_roomchat.pubsub import (
    Access,
    from_message,
    group_name,
    publish,
    publishing,
)
from tests.support.batches import IN_MEMORY, batch, parts


@pytest.fixture(autouse=True)
def _no_listeners(monkeypatch):
    monkeypatch.setattr(publishing, "_listeners", {})


class Listening:
    """A hub's ear, on the running event loop."""

    def __init__(self):
        self.heard = []
        self.news = asyncio.Event()
        self.threads = set()

    def __call__(self, news):
        self.heard.append(news)
        self.threads.add(threading.current_thread())
        self.news.set()


async def layer_channel(room="lobby", alias="default"):
    layer = get_channel_layer(alias)
    channel = await layer.new_channel()
    await layer.group_add(group_name(room), channel)
    return layer, channel


async def test_a_listener_receives_what_is_published():
    listening, said = Listening(), batch()
    pubsub.subscribe(listening)

    publish(said)
    at_once = list(listening.heard)
    await asyncio.wait_for(listening.news.wait(), 5)

    assert (at_once, listening.heard) == ([], [said])


async def test_a_batch_published_in_a_thread_is_received_on_the_event_loop():
    listening, said = Listening(), batch()
    pubsub.subscribe(listening)

    await asyncio.to_thread(publish, said)
    await asyncio.wait_for(listening.news.wait(), 5)

    assert (listening.heard, listening.threads) == ([said], {threading.current_thread()})


async def test_where_a_hub_listens_the_layer_is_left_to_it():
    layer, channel = await layer_channel()
    pubsub.subscribe(Listening())

    await asyncio.to_thread(publish, batch())
    # Shown to be possible: what is sent afterwards is what arrives first.
    await layer.group_send(group_name("lobby"), {"type": "marker"})

    assert (await layer.receive(channel))["type"] == "marker"


async def test_a_listener_that_unsubscribed_receives_no_more():
    listening, other = Listening(), batch()
    pubsub.subscribe(listening)
    publish(batch())
    await asyncio.wait_for(listening.news.wait(), 5)

    pubsub.unsubscribe()
    await asyncio.to_thread(publish, other)
    await asyncio.sleep(0)

    assert len(listening.heard) == 1


async def test_who_was_not_subscribed_may_unsubscribe():
    pubsub.unsubscribe()

    assert publishing._listeners == {}


async def test_where_nobody_listens_the_layer_is_told():
    layer, channel = await layer_channel("한국어")
    said = batch("한국어")

    await asyncio.to_thread(publish, said)

    assert parts(from_message(await layer.receive(channel))) == parts(said)


async def test_the_layer_that_the_project_chose_is_told(settings):
    settings.CHANNEL_LAYERS = {"default": IN_MEMORY, "other": IN_MEMORY}
    settings.ROOMCHAT = {"CHANNEL_LAYER": "other"}
    layer, channel = await layer_channel(alias="other")
    said = Access("lobby", 3, "u:1")

    await asyncio.to_thread(publish, said)

    assert parts(from_message(await layer.receive(channel))) == parts(said)


async def test_a_hub_whose_loop_is_gone_is_forgotten_and_the_layer_is_told():
    layer, channel = await layer_channel()
    gone = asyncio.new_event_loop()
    gone.close()
    publishing._listeners[gone] = Listening()
    said = batch()

    await asyncio.to_thread(publish, said)

    assert parts(from_message(await layer.receive(channel))) == parts(said)
    assert publishing._listeners == {}


async def test_two_hubs_of_a_process_both_receive():
    listening, other = Listening(), Listening()
    ready, done = threading.Event(), threading.Event()

    async def other_loop():
        pubsub.subscribe(other)
        ready.set()
        other.news = asyncio.Event()
        await asyncio.wait_for(other.news.wait(), 5)
        done.set()

    pubsub.subscribe(listening)
    elsewhere = asyncio.create_task(asyncio.to_thread(asyncio.run, other_loop()))
    await asyncio.to_thread(ready.wait, 5)
    said = batch()
    publish(said)
    await asyncio.wait_for(listening.news.wait(), 5)
    await elsewhere

    assert (listening.heard, other.heard) == ([said], [said])


class Hanging:
    """A layer that does not answer."""

    def __init__(self, error=None):
        self.error = error

    async def group_send(self, group, message):
        if self.error is not None:
            raise self.error
        await asyncio.get_running_loop().create_future()


@pytest.mark.parametrize(("error", "told"), [(OSError("down"), "OSError('down')"), (None, "TimeoutError()")])
def test_a_layer_that_fails_is_reported_and_nobody_is_hurt(monkeypatch, caplog, error, told):
    monkeypatch.setattr(publishing, "SEND_SECONDS", 0.01)
    monkeypatch.setattr(publishing, "get_channel_layer", lambda alias: Hanging(error))

    publish(batch())

    assert caplog.messages == [f"Sending to the channel layer failed for room 'lobby': {told}"]


def test_without_a_layer_it_is_reported_and_nobody_is_hurt(settings, caplog):
    settings.CHANNEL_LAYERS = {}

    publish(batch())

    [message] = caplog.messages
    assert message.startswith("Sending to the channel layer failed for room 'lobby': ImproperlyConfigured(")
