"""Presence frames on sockets."""

import asyncio

import pytest

from django_roomchat.models import ServerProcess
from django_roomchat.realtime import hub, presence, threads
from django_roomchat.realtime.presence import (
    Presences,
    release_lease,
)
from django_roomchat.testing import ChatClient
from tests.asgi import application
from tests.support.fakes import Socket, settle
from tests.support.presence import change

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.presence]


@pytest.mark.usefixtures("clean_hub")
async def test_sockets_receive_presence_and_no_rows_are_left_after_the_last(settings, monkeypatch):
    settings.ROOMCHAT = {"PRESENCE_GRACE_SECONDS": 0.01}
    monkeypatch.setattr(presence, "TICK_SECONDS", 0.05)
    async with ChatClient(application, "lobby") as ana:
        first = await ana.receive("presence")
        async with ChatClient(application, "lobby") as ben:
            second = await ben.receive("presence")
            joined = await ana.receive("presence")
        left = await ana.receive("presence")
    presences = hub.current().extension(Presences)
    async with asyncio.timeout(10):
        while presences.is_busy:
            await asyncio.sleep(0.01)

    counts = [frame["count"] for frame in (first, second, joined, left)]
    assert (counts, len(second["here"]), joined["joined"], left["left"]) == (
        [1, 2, 2, 1],
        2,
        [person for person in second["here"] if person not in first["here"]],
        [person["key"] for person in second["here"] if person not in first["here"]],
    )
    assert await threads.in_thread(ServerProcess.objects.count) == 0


@pytest.mark.usefixtures("clean_hub")
async def test_a_guest_who_takes_a_name_is_called_so_at_once(monkeypatch):
    monkeypatch.setattr(presence, "TICK_SECONDS", 0.05)
    async with ChatClient(application, "lobby") as ana, ChatClient(application, "lobby") as ben:
        await ana.receive("joined")
        await ben.receive("joined")
        counts = {"ana": 0, "ben": 0}
        while counts != {"ana": 2, "ben": 2}:
            for name, socket in (("ana", ana), ("ben", ben)):
                if counts[name] < 2:
                    counts[name] = (await socket.receive("presence"))["count"]
        [first, _] = hub.current().sockets_in("lobby")
        first.set_name("Anna")
        told = await ben.receive("presence")

    assert told == change(2, joined=[{"key": first.key, "name": "Anna", "guest": True}])


@pytest.mark.usefixtures("clean_hub")
async def test_a_socket_that_came_before_anybody_watched_goes_without_trouble():
    here = hub.Hub()
    presences = Presences(here)
    presences.left(Socket(), "lobby")

    assert presences._leaving == {}


@pytest.mark.usefixtures("clean_hub")
async def test_presence_may_be_turned_off(settings):
    settings.ROOMCHAT = {"PRESENCE": False}
    async with ChatClient(application, "lobby") as ana:
        await ana.post("hi", id="a")
        await settle()

    assert not hub.current().has_extension(Presences)


@pytest.mark.usefixtures("clean_hub")
async def test_a_process_that_ends_says_so(monkeypatch):
    monkeypatch.setattr(presence, "TICK_SECONDS", 0.05)
    async with ChatClient(application, "lobby") as ana:
        await ana.receive("presence")
        await release_lease(hub.current())
        await release_lease(hub.Hub())
        before = await threads.in_thread(ServerProcess.objects.values_list("alive_at", "pk").get)
        async with ChatClient(application, "lobby") as ben:
            await ben.post("hi", id="a")

    assert await threads.in_thread(ServerProcess.objects.values_list("alive_at", "pk").get) == before
