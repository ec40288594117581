"""Batches for tests."""

from django_roomchat.protocol import Author, Event, encode_event
from django_roomchat.pubsub import (
    Batch,
)

IN_MEMORY = {"BACKEND": "channels.layers.InMemoryChannelLayer"}


def event(rev, body="hi"):
    made = Event(rev, rev, f"id{rev}", "user", Author("u:1", "Ana"), body, "2026-11-21T10:00:00.123Z")
    return rev, encode_event(made)


def batch(room="lobby", prev=0, head=2, events=None):
    return Batch(room, "an epoch", prev, head, [event(1), event(2)] if events is None else events)


def parts(news):
    return {name: getattr(news, name) for name in type(news).__slots__}
