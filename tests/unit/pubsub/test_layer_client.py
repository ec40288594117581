"""The channel layer client of a process, over a layer in memory."""

import asyncio

import pytest

from django_roomchat.pubsub import EVENTS_MAX_BYTES, Access, Batch, from_message, layer_client, to_message
from tests.support.batches import batch, event, parts
from tests.support.fakes import Clock, settle
from tests.support.layer_clients import Delivered

CHANNEL = "roomchat!1"


@pytest.fixture
def fake_layers(settings):
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "tests.support.fakes.Layer"}}


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch, layer_client)


@pytest.fixture
async def place(fake_layers, clock):
    """A process's place on the layer."""
    place = Delivered()
    yield place
    place.layer_client.stop()
    await settle()


@pytest.fixture
def layer(place):
    return place.layer_client._layer


class RedisTimeoutError(Exception):
    """Like redis-py's exception of this name, which is not Python's."""


RedisTimeoutError.__name__ = "TimeoutError"


async def test_a_process_has_one_channel_and_joins_with_it(place, layer):
    place.layer_client.join("one")
    place.layer_client.join("other")
    await settle()

    assert layer.done == [("new_channel", "roomchat"), ("add", "one", CHANNEL), ("add", "other", CHANNEL)]
    assert place.joined == [("default", "one"), ("default", "other")]


async def test_it_leaves_a_group(place, layer):
    place.layer_client.join("one")
    await settle()

    place.layer_client.leave("one")
    await settle()

    assert layer.done[-1] == ("discard", "one", CHANNEL)


async def test_a_group_left_before_it_was_joined_is_not_joined(place, layer):
    place.layer_client.join("one")
    place.layer_client.leave("one")
    await settle()

    assert (layer.done, place.joined) == ([("new_channel", "roomchat"), ("discard", "one", CHANNEL)], [])


async def test_a_group_joined_again_before_it_was_left_is_not_left(place, layer):
    place.layer_client.join("one")
    await settle()

    place.layer_client.leave("one")
    place.layer_client.join("one")
    await settle()

    assert layer.done[1:] == [("add", "one", CHANNEL), ("add", "one", CHANNEL)]


async def test_it_sends_news_in_their_order(place, layer):
    said = [batch(), Access("lobby", 1, "u:1")]

    for news in said:
        place.layer_client.send("one", news)
    await settle()

    assert layer.done[1:] == [("send", "one", to_message(news)) for news in said]


async def test_it_delivers_what_arrives(place, layer):
    place.layer_client.join("one")
    said = batch()

    layer.arrivals.put_nowait(to_message(said))
    await settle()

    assert [parts(news) for news in place.news] == [parts(said)]


async def test_what_others_write_is_passed_over(place, layer):
    place.layer_client.join("one")

    layer.arrivals.put_nowait({"type": "chat.message"})
    layer.arrivals.put_nowait(to_message(batch()))
    await settle()

    assert [parts(news) for news in place.news] == [parts(batch())]


async def test_a_message_that_cannot_be_delivered_does_not_end_the_receiving(
    place, layer, monkeypatch, caplog
):
    place.layer_client.join("one")
    deliver, refused = place.deliver, batch(room="refused")

    def failing(news):
        if news.room == "refused":
            raise ValueError("broken")
        deliver(news)

    monkeypatch.setattr(place.layer_client, "_deliver", failing)

    layer.arrivals.put_nowait(to_message(refused))
    layer.arrivals.put_nowait(to_message(batch()))
    await settle()

    assert [parts(news) for news in place.news] == [parts(batch())]
    assert caplog.messages == ["A message of the channel layer could not be handled: ValueError('broken')"]


async def test_a_layer_that_does_not_take_anything_is_down_until_it_does(place, layer, caplog):
    layer.error = OSError("gone")
    place.layer_client.send("one", batch())
    place.layer_client.send("one", batch())
    await settle()
    down = place.layer_client.is_down

    layer.error = None
    place.layer_client.send("one", batch())
    await settle()

    assert (down, place.layer_client.is_down) == (True, False)
    assert caplog.messages == [
        "The channel layer 'default' failed while sending; this process reads the database instead: OSError('gone')"
    ]


async def test_a_layer_that_hangs_is_down(place, layer, monkeypatch):
    monkeypatch.setattr(layer_client, "COMMAND_SECONDS", 0.01)
    layer.hangs = True
    failed = asyncio.Event()
    monkeypatch.setattr(place.layer_client, "_failed", lambda what, error: failed.set())

    place.layer_client.send("one", batch())
    await asyncio.wait_for(failed.wait(), 5)

    layer.hangs = False
    place.layer_client.send("one", batch())
    await settle()
    assert layer.done == [("new_channel", "roomchat"), ("send", "one", to_message(batch()))]


async def test_more_than_the_layer_keeps_up_with_is_dropped_and_reported(place, layer, monkeypatch, caplog):
    layer.hangs = True
    place.layer_client.send("one", batch())
    await settle()

    for _ in range(layer_client.QUEUE_MAX + 2):
        place.layer_client.send("one", batch())

    # Without what asyncio logs about tasks of earlier tests.
    assert [record.getMessage() for record in caplog.records if record.name == "django_roomchat"] == [
        "The channel layer 'default' does not keep up; other processes read the database."
    ]


@pytest.fixture
async def full_place(monkeypatch, fake_layers, clock):
    """A place that has as many errands as it takes, while the layer is busy."""
    monkeypatch.setattr(layer_client, "QUEUE_MAX", 2)
    place = Delivered()
    place.layer_client._layer.gate = asyncio.get_running_loop().create_future()
    place.layer_client.send("one", batch(room="first"))
    await settle()
    for room in ("second", "third"):
        place.layer_client.send("one", batch(room=room))
    yield place
    place.layer_client.stop()
    await settle()


async def test_what_was_dropped_takes_nothing_later_with_it(full_place):
    layer = full_place.layer_client._layer
    full_place.layer_client.send("one", batch())

    layer.gate.set_result(None)
    await settle()
    later = batch(prev=2, head=3, events=[event(3)])
    full_place.layer_client.send("one", later)
    await settle()

    assert [about[-1]["room"] for kind, *about in layer.done if kind == "send"] == [
        *("first", "second", "third"),
        "lobby",
    ]
    assert layer.done[-1] == ("send", "one", to_message(later))


async def test_a_group_that_could_not_be_joined_for_the_rush_is_joined_after_it(full_place, clock):
    layer = full_place.layer_client._layer
    full_place.layer_client.join("one")

    layer.gate.set_result(None)
    await clock.advance(2)

    assert (layer.done[-1], full_place.joined) == (("add", "one", CHANNEL), [("default", "one")])


async def test_a_layer_in_memory_is_only_used_if_another_channel_receives(clock):
    place = Delivered()
    place.layer_client.join("one")
    await settle()
    layer = place.layer_client._layer
    place.layer_client.send("one", batch())
    await settle()
    alone = list(place.news)

    channel = await layer.new_channel()
    await layer.group_add("one", channel)
    place.layer_client.send("one", batch())
    await settle()

    assert (alone, parts(from_message(await layer.receive(channel)))) == ([], parts(batch()))
    place.layer_client.stop()
    await settle()


async def test_groups_are_joined_again_as_soon_as_the_layer_is_back(place, layer, clock):
    place.layer_client.join("one")
    await settle()
    layer.error = OSError("gone")
    place.layer_client.send("one", batch())
    await clock.advance(3)
    while_down = list(layer.done)

    layer.error = None
    await clock.advance(1)

    assert while_down == [("new_channel", "roomchat"), ("add", "one", CHANNEL)]
    assert layer.done[2:] == [("add", "one", CHANNEL)]
    assert place.joined == [("default", "one")] * 2
    assert not place.layer_client.is_down
    await clock.advance(10)
    assert len(layer.done) == 3


async def test_groups_are_renewed_before_they_forget_us(settings, clock):
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "tests.support.fakes.Layer", "CONFIG": {"group_expiry": 60}}
    }
    place = Delivered()
    layer = place.layer_client._layer
    place.layer_client.join("one")
    place.layer_client.join("left")
    place.layer_client.leave("left")
    await settle()
    before = len(layer.done)

    await clock.advance(14)
    early = layer.done[before:]
    await clock.advance(2)

    assert (early, layer.done[before:]) == ([], [("add", "one", CHANNEL)])
    place.layer_client.stop()


async def test_a_layer_that_does_not_say_when_it_forgets_is_renewed_like_redis(fake_layers, clock):
    place = Delivered()
    layer = place.layer_client._layer
    place.layer_client.join("one")
    await settle()

    await clock.advance(21_599)
    early = layer.done.count(("add", "one", CHANNEL))
    await clock.advance(2)

    assert (early, layer.done.count(("add", "one", CHANNEL))) == (1, 2)
    place.layer_client.stop()


async def test_a_layer_that_fails_at_receiving_is_asked_again_ever_more_patiently(
    place, layer, clock, caplog
):
    place.layer_client.join("one")
    await settle()
    asked = []
    receive = layer.receive

    async def receive_noted(channel):
        asked.append(clock.now - 1000.0)
        return await receive(channel)

    layer.receive = receive_noted
    for _ in range(6):
        layer.arrivals.put_nowait(OSError("gone"))
    await clock.advance(30)

    # The first was asked for before the watch began.
    assert asked == [0.5, 1.5, 3.5, 7.5, 12.5, 17.5]
    assert caplog.messages == [
        "The channel layer 'default' failed while receiving; this process reads the database instead: OSError('gone')"
    ]


async def test_a_layer_that_brings_something_again_is_not_down_any_more(place, layer, clock):
    place.layer_client.join("one")
    layer.arrivals.put_nowait(OSError("gone"))
    await settle()
    down = place.layer_client.is_down

    await clock.advance(0.5)
    layer.arrivals.put_nowait(to_message(batch()))
    await settle()

    assert (down, place.layer_client.is_down, len(place.news)) == (True, False, 1)


async def test_a_layer_that_is_not_asked_for_a_while_is_still_down(place, layer, clock):
    place.layer_client.join("one")
    for _ in range(5):
        layer.arrivals.put_nowait(OSError("gone"))
    # The pauses after the fifth failure and before the next question are 5 s long.
    await clock.advance(7.5 + 4.5)

    assert place.layer_client.is_down


async def test_a_quiet_layer_that_was_down_is_not_so_for_ever(place, layer, clock):
    place.layer_client.join("one")
    layer.arrivals.put_nowait(OSError("gone"))
    await clock.advance(3)
    down = place.layer_client.is_down

    await clock.advance(3)

    assert (down, place.layer_client.is_down) == (True, False)


@pytest.mark.parametrize("kind", [RedisTimeoutError, TimeoutError])
async def test_a_quiet_connection_that_a_client_gives_up_is_no_trouble(place, layer, clock, caplog, kind):
    place.layer_client.join("one")
    await clock.advance(5)

    layer.arrivals.put_nowait(kind("Timeout reading from socket"))
    await settle()
    layer.arrivals.put_nowait(to_message(batch()))
    await settle()

    assert (place.layer_client.is_down, len(place.news), caplog.messages) == (False, 1, [])


@pytest.mark.parametrize("kind", [RedisTimeoutError, TimeoutError])
async def test_a_time_out_at_once_is_trouble(place, layer, clock, kind):
    place.layer_client.join("one")

    layer.arrivals.put_nowait(kind("Timeout connecting to server"))
    await settle()

    assert place.layer_client.is_down


async def test_a_place_that_was_given_up_does_nothing_more(place, layer, clock):
    place.layer_client.join("one")
    await settle()

    place.layer_client.stop()
    await settle()
    place.layer_client.send("one", batch())
    layer.arrivals.put_nowait(to_message(batch()))
    await clock.advance(100_000)

    assert (len(layer.done), place.news) == (2, [])


async def test_closing_the_client_leaves_every_group(place, layer):
    for group in ("one", "other", "left"):
        place.layer_client.join(group)
    await settle()
    place.layer_client.leave("left")
    await settle()
    before = len(layer.done)

    await place.layer_client.close()

    assert sorted(layer.done[before:]) == [("discard", "one", CHANNEL), ("discard", "other", CHANNEL)]


async def test_closing_the_client_does_not_fail_if_the_layer_is_down(place, layer):
    place.layer_client.join("one")
    await settle()
    layer.error = OSError("gone")

    await place.layer_client.close()

    assert len(layer.done) == 2


async def test_what_a_room_says_while_the_layer_is_busy_is_sent_together(place, layer):
    rest = [batch(prev=2, head=3, events=[event(3)]), batch(prev=3, head=4, events=[event(4)])]

    for news in [batch(), *rest]:
        place.layer_client.send("one", news)
    await settle()

    together = Batch("lobby", batch().epoch, 0, 4, [*batch().events, *rest[0].events, *rest[1].events])
    assert layer.done[1:] == [("send", "one", to_message(together))]


@pytest.mark.parametrize(
    "other",
    [
        batch(prev=3, head=4),
        Batch("lobby", "another epoch", 2, 3, [event(3)]),
        batch(prev=2, head=3, events=[]),
        batch(prev=2, head=3, events=[event(3, "x" * EVENTS_MAX_BYTES)]),
        batch(room="other", prev=2, head=3),
        Access("lobby", 1, ""),
    ],
    ids=["a hole", "another epoch", "a doorbell", "too large", "another room", "rights"],
)
async def test_what_does_not_go_together_is_sent_apart(place, layer, other):
    place.layer_client.send("one", batch())
    place.layer_client.send("one", other)
    await settle()

    assert layer.done[1:] == [("send", "one", to_message(news)) for news in (batch(), other)]


async def test_while_the_layer_is_away_news_do_not_pile_up(place, layer):
    layer.error = OSError("gone")
    place.layer_client.join("one")
    await settle()
    for number in range(5):
        place.layer_client.send("one", batch(room=f"room {number}"))
    layer.error = None
    await settle()

    assert [about for kind, *about in layer.done if kind == "send"] == [
        ["one", to_message(batch(room="room 4"))]
    ]


async def test_a_group_waits_once_however_often_it_is_to_be_joined(place, layer):
    for _ in range(3):
        place.layer_client.join("one")
    await settle()

    assert layer.done == [("new_channel", "roomchat"), ("add", "one", CHANNEL)]
