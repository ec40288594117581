"""Fixtures of the tests of the hub."""

import pytest

from django_roomchat.pubsub import publishing
from django_roomchat.realtime import gap_recovery, hub, hub_layer, log_poll
from tests.support.fakes import Clock
from tests.support.hub import House, LayerClient, Log


@pytest.fixture
def no_layer(settings, monkeypatch):
    """Without a channel layer the hub receives the batches of its process, and polls the database."""
    settings.CHANNEL_LAYERS = {}
    for module in (hub, gap_recovery, hub_layer, log_poll):
        monkeypatch.setattr(module, "warn_throttled", lambda *about: None)
    monkeypatch.setattr(publishing, "_listeners", {})


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch, hub)


@pytest.fixture
def lobby():
    return Log()


@pytest.fixture
async def house(clock, lobby):
    house = House(lobby)
    yield house
    for socket in list(house.hub.sockets):
        house.hub.remove(socket)
    await clock.advance(60)


@pytest.fixture
def reported(monkeypatch):
    """The messages that are logged."""
    lines = []
    for module in (hub, gap_recovery, hub_layer, log_poll):
        monkeypatch.setattr(
            module, "warn_throttled", lambda about, message, *args: lines.append(message % args)
        )
    return lines


@pytest.fixture
def layer_clients(monkeypatch, settings):
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "x"}, "other": {"BACKEND": "x"}}
    monkeypatch.setattr(LayerClient, "made", [])
    monkeypatch.setattr(hub_layer, "LayerClient", LayerClient)
    return LayerClient.made
