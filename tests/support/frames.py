"""Frames for tests."""

from django_roomchat.protocol import (
    Author,
    Event,
)

EVENT = Event(
    seq=57,
    rev=57,
    id="a",
    kind="user",
    author=Author("u:12", "Ana"),
    body="hi",
    at="2026-11-21T10:00:00.123Z",
)
