"""Fixtures of the tests of webhooks."""

import pytest

from django_roomchat.webhooks.worker import Worker
from tests.services.receiver import Receiver


@pytest.fixture
def private_receivers(settings):
    settings.ROOMCHAT = {"WEBHOOK_PRIVATE_ADDRESSES": True, "WEBHOOK_TIMEOUT_SECONDS": 5}


@pytest.fixture
def worker():
    worker = Worker(threads=2)
    yield worker
    worker.close()


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver
