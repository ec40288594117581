import asyncio
import hashlib
import re
import threading

import pytest
from channels.layers import get_channel_layer
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from django_roomchat import pubsub
from django_roomchat.protocol import Author, Event, encode_event
from django_roomchat.pubsub import (
    Access,
    Batch,
    Notice,
    from_message,
    group_name,
    layer_alias,
    publish,
    publishing,
    to_message,
)

IN_MEMORY = {"BACKEND": "channels.layers.InMemoryChannelLayer"}


def event(rev, body="hi"):
    made = Event(rev, rev, f"id{rev}", "user", Author("u:1", "Ana"), body, "2026-11-21T10:00:00.123Z")
    return rev, encode_event(made)


def batch(room="lobby", prev=0, head=2, events=None):
    return Batch(room, "an epoch", prev, head, [event(1), event(2)] if events is None else events)


def parts(news):
    return {name: getattr(news, name) for name in type(news).__slots__}


@pytest.fixture(autouse=True)
def _nobody_listens(monkeypatch):
    monkeypatch.setattr(publishing, "_listeners", {})


# Names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("room", "group"),
    [
        ("lobby", "chat_lobby"),
        ("7b1e7f0e-5a39-4f0e-9a0a-6f9f6c6d1c11", "chat_7b1e7f0e-5a39-4f0e-9a0a-6f9f6c6d1c11"),
        ("x" * 94, f"chat_{'x' * 94}"),
    ],
)
def test_a_room_whose_name_a_layer_takes_has_a_readable_group(room, group):
    assert group_name(room) == group


@pytest.mark.parametrize("room", ["x" * 95, "my room", "한국어", "🎉", "a/b", "line\n"])
def test_any_other_room_has_a_digest_for_a_group(room):
    assert re.fullmatch(r"chat\.[0-9a-f]{40}", group_name(room))


def test_a_digest_is_the_same_in_every_process():
    assert group_name("한국어") == f"chat.{hashlib.sha256('한국어'.encode()).hexdigest()[:40]}"


@given(st.lists(st.text("ab. _-é🎉", min_size=1, max_size=100), unique=True))
def test_no_two_rooms_share_a_group(rooms):
    assert len({group_name(room) for room in rooms}) == len(rooms)


def test_a_readable_name_cannot_be_mistaken_for_a_digest():
    digest = group_name("한국어").removeprefix("chat.")

    assert group_name(digest) == f"chat_{digest}" != group_name("한국어")


def test_a_project_may_name_the_groups_itself(settings):
    settings.ROOMCHAT = {"GROUP_NAME": lambda room: f"shard.{len(room) % 4}"}

    assert [group_name("lobby"), group_name("other")] == ["shard.1", "shard.1"]


@pytest.mark.parametrize("wrong", ["한국어", "", "x" * 100, "a b", "a\n", None, 5, b"chat"])
def test_a_project_that_names_a_group_wrongly_hears_what_would_be_right(settings, wrong):
    settings.ROOMCHAT = {"GROUP_NAME": lambda room: wrong}

    with pytest.raises(ImproperlyConfigured) as caught:
        group_name("lobby")

    assert str(caught.value) == (
        f"ROOMCHAT[\"GROUP_NAME\"] returned {wrong!r} for the room 'lobby'; "
        "a group name is 1 to 99 ASCII letters, digits, hyphens, underscores and periods."
    )


def other_layer(room):
    return "other"


def test_rooms_go_over_the_default_layer():
    assert layer_alias("lobby") == "default"


@pytest.mark.parametrize(
    ("chosen", "alias"),
    [
        ("other", "other"),
        (other_layer, "other"),
        (f"{__name__}.other_layer", "other"),
        ("with.dots", "with.dots"),
    ],
)
def test_a_project_may_choose_the_layer(settings, chosen, alias):
    settings.CHANNEL_LAYERS = {"default": IN_MEMORY, "other": IN_MEMORY, "with.dots": IN_MEMORY}
    settings.ROOMCHAT = {"CHANNEL_LAYER": chosen}

    assert layer_alias("lobby") == alias


@pytest.mark.parametrize(
    ("layers", "chosen", "sentence"),
    [
        (
            {"default": IN_MEMORY},
            "nothing",
            "ROOMCHAT[\"CHANNEL_LAYER\"] chose 'nothing' for the room 'lobby'; CHANNEL_LAYERS has 'default'.",
        ),
        (
            {"a": IN_MEMORY, "b": IN_MEMORY},
            lambda room: 5,
            "ROOMCHAT[\"CHANNEL_LAYER\"] chose 5 for the room 'lobby'; CHANNEL_LAYERS has 'a', 'b'.",
        ),
        (
            {},
            "default",
            "ROOMCHAT[\"CHANNEL_LAYER\"] chose 'default' for the room 'lobby'; CHANNEL_LAYERS has no layer at all.",
        ),
    ],
)
def test_a_layer_that_does_not_exist_is_said_so(settings, layers, chosen, sentence):
    settings.CHANNEL_LAYERS = layers
    settings.ROOMCHAT = {"CHANNEL_LAYER": chosen}

    with pytest.raises(ImproperlyConfigured) as caught:
        layer_alias("lobby")

    assert str(caught.value) == sentence


# What concerns no room -------------------------------------------------------------------------------------------


def test_what_concerns_no_room_has_a_group_of_its_own_whatever_the_hook_says(settings):
    settings.ROOMCHAT = {"GROUP_NAME": lambda room: f"g.{room}"}

    assert (group_name(pubsub.BROADCAST), group_name("lobby")) == ("roomchat.everybody", "g.lobby")


def test_it_goes_over_the_layer_that_is_named(settings):
    settings.CHANNEL_LAYERS = {"default": IN_MEMORY, "chat": IN_MEMORY}
    settings.ROOMCHAT = {"CHANNEL_LAYER": "chat"}

    assert layer_alias(pubsub.BROADCAST) == "chat"


@pytest.mark.parametrize(("layers", "chosen"), [(["default", "chat"], "default"), (["chat"], "chat")])
def test_where_a_hook_chooses_it_goes_over_the_default_layer_or_the_first(settings, layers, chosen):
    settings.CHANNEL_LAYERS = dict.fromkeys(layers, IN_MEMORY)
    settings.ROOMCHAT = {"CHANNEL_LAYER": lambda room: {"lobby": "chat"}[room]}

    assert (layer_alias(pubsub.BROADCAST), layer_alias("lobby")) == (chosen, "chat")


def test_without_layers_it_goes_nowhere(settings):
    settings.CHANNEL_LAYERS = {}
    settings.ROOMCHAT = {"CHANNEL_LAYER": lambda room: "chat"}

    with pytest.raises(ImproperlyConfigured):
        layer_alias(pubsub.BROADCAST)


# Telling ---------------------------------------------------------------------------------------------------------


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


async def test_who_listens_hears_what_is_published():
    listening, said = Listening(), batch()
    pubsub.subscribe(listening)

    publish(said)
    at_once = list(listening.heard)
    await asyncio.wait_for(listening.news.wait(), 5)

    assert (at_once, listening.heard) == ([], [said])


async def test_who_publishes_in_a_thread_is_heard_on_the_event_loop():
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


async def test_who_unsubscribed_hears_no_more():
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


async def test_two_hubs_of_a_process_both_hear():
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


# On the layer ----------------------------------------------------------------------------------------------------


def test_a_batch_is_carried_as_plain_values():
    assert to_message(batch(events=[event(2)])) == {
        "type": "roomchat.news",
        "v": 1,
        "room": "lobby",
        "epoch": "an epoch",
        "prev": 0,
        "head": 2,
        "events": [event(2)[1].decode()],
    }


@pytest.mark.parametrize(
    "news",
    [
        batch("방"),
        batch(events=[]),
        Access("방", 7, "g:1"),
        Access("a", 7, ""),
        Notice("typing", {"keys": ["u:1"], "on": True}, "방"),
        Notice("session", {"user": 7}),
    ],
)
def test_news_come_back_as_they_were_sent(news):
    carried = from_message(to_message(news))

    assert (type(carried), parts(carried)) == (type(news), parts(news))


def test_a_large_batch_travels_as_a_doorbell():
    size = len(event(1, "")[1])
    fits = batch(events=[event(1, "x" * (pubsub.EVENTS_MAX_BYTES - size))])
    large = batch(events=[event(1, "x" * (pubsub.EVENTS_MAX_BYTES - size + 1))])

    assert [len(to_message(one)["events"]) for one in (fits, large)] == [1, 0]
    assert (to_message(large)["prev"], to_message(large)["head"]) == (0, 2)


GOOD = to_message(batch())


@pytest.mark.parametrize(
    "message",
    [
        None,
        "hi",
        {},
        {**GOOD, "type": "chat.message"},
        {**GOOD, "v": 2},
        {key: value for key, value in GOOD.items() if key != "room"},
        {**GOOD, "head": "2"},
        {**GOOD, "events": ["{}"]},
        {**GOOD, "events": [5]},
        {**GOOD, "events": ["\ud800"]},
        {"type": "roomchat.news", "v": 1, "room": "lobby", "access_version": "1", "key": ""},
        {"type": "roomchat.news", "v": 1, "room": "lobby", "access_version": 1},
    ],
)
def test_what_others_write_on_the_layer_is_not_ours(message):
    assert from_message(message) is None


def test_a_key_of_tomorrow_does_not_matter():
    assert parts(from_message({**GOOD, "a key of tomorrow": 1})) == parts(batch())
