"""Fixtures of the tests of messages."""

import pytest

from django_roomchat import pubsub


@pytest.fixture
def published(monkeypatch):
    """The batches that are published, in order."""
    batches = []
    monkeypatch.setattr(pubsub, "publish", batches.append)
    return batches
