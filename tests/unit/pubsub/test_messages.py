"""Batches and notices as messages of a channel layer."""

import pytest

from django_roomchat import pubsub
from django_roomchat.pubsub import (
    Access,
    Notice,
    from_message,
    to_message,
)
from tests.support.batches import batch, event, parts


def test_a_batch_is_carried_as_plain_values():
    assert to_message(batch(events=[event(2)])) == {
        "type": "roomchat.news",
        "v": 1,
        "db": "",
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


def test_a_large_batch_is_sent_without_its_events():
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
