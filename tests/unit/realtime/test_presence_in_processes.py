"""Presence in several processes, with a database or a layer that fails."""

import asyncio
from datetime import timedelta

import msgspec
import pytest
from django.db import OperationalError
from django.db.models import F

from django_roomchat import pubsub
from django_roomchat.models import ServerProcess
from django_roomchat.realtime import hub, presence, threads
from django_roomchat.realtime.presence import (
    PresenceNotice,
    Presences,
    _receive,
    in_thread,
    start,
)
from django_roomchat.rooms import presence_table
from tests.support.presence import ANA, BEN, CARL, House, change, listed, state

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.presence]


@pytest.fixture
def house(monkeypatch, request):
    house = House()
    monkeypatch.setattr(presence, "time", house)
    monkeypatch.setattr(pubsub, "publish", house.publish)
    return house


# Several processes ---------------------------------------------------------------------------------------------------


async def test_processes_notify_each_other_of_people_who_enter_and_leave(house):
    one, two = house.process(), house.process()
    ana = one.enter(ANA)
    await house.turn()
    ben = two.enter(BEN)
    await house.turn(1)
    await house.turn(1)
    seen = list(ana.frames)
    two.leave(ben)
    await house.turn(9)
    await house.turn(1)

    assert seen == [state(ANA), change(2, joined=[BEN])]
    assert ana.frames[2:] == [change(1, left=["u:1"])]
    assert ben.frames == [state(BEN, ANA)] or ben.frames == [state(ANA, BEN)]


async def test_a_person_in_two_processes_is_one(house):
    one, two = house.process(), house.process()
    watcher = one.enter(BEN)
    here_too = one.enter(ANA)
    await house.turn()
    two.enter(ANA)
    await house.turn(1)
    one.leave(here_too)
    for _ in range(30):
        await house.turn(1)

    assert watcher.frames == [state(BEN, ANA)]
    assert await listed() == ["Ana", "Ben"]


@pytest.mark.parametrize("is_lossy", [False, True], ids=["a layer", "a layer that loses everything"])
async def test_a_process_that_died_leaves_nobody_behind(house, is_lossy):
    house.is_lossy = is_lossy
    one, two = house.process(), house.process()
    watcher = one.enter(BEN)
    two.enter(ANA)
    await house.turn()
    await house.turn(10.1)
    await house.dies(two)
    await house.turn(10.1)

    assert watcher.frames == [state(BEN), change(2, joined=[ANA]), change(1, left=["u:0"])]
    assert (await listed(), await threads.in_thread(ServerProcess.objects.count)) == (["Ben"], 1)


async def test_a_dead_process_is_noticed_when_its_lease_ends_not_with_the_next_renewal(house):
    one, two = house.process(), house.process()
    watcher = one.enter(BEN)
    two.enter(ANA)
    await house.turn()
    house.processes.remove(two)
    mine = ServerProcess.objects.filter(pk=two.presences._process)
    await threads.in_thread(lambda: mine.update(alive_at=F("alive_at") - timedelta(seconds=28)))
    await house.turn(10.1)  # the renewal: 28 s old, and so alive for two more
    await threads.in_thread(lambda: mine.update(alive_at=F("alive_at") - timedelta(seconds=3)))
    alive = list(watcher.frames)
    await house.turn(2.1)

    assert alive == [state(BEN), change(2, joined=[ANA])]
    assert watcher.frames[2:] == [change(1, left=["u:0"])]


async def test_who_flees_a_dead_process_into_another_never_left(house):
    one, two, three = house.process(), house.process(), house.process()
    watcher = one.enter(BEN)
    two.enter(ANA)
    await house.turn()
    await house.turn(1)
    await house.dies(two)
    three.enter(ANA)
    for _ in range(40):
        await house.turn(1)

    assert watcher.frames == [state(BEN), change(2, joined=[ANA])]
    assert await listed() == ["Ana", "Ben"]


async def test_who_flees_a_process_that_ends_never_left(house):
    one, two, three = house.process(), house.process(), house.process()
    watcher = one.enter(BEN)
    two.enter(ANA)
    await house.turn()
    await house.turn(1)
    await two.presences.release_lease()
    house.processes.remove(two)
    right_after = await listed()
    three.enter(ANA)
    for _ in range(40):
        await house.turn(1)

    assert watcher.frames == [state(BEN), change(2, joined=[ANA])]
    assert right_after == ["Ana", "Ben"]


async def test_who_does_not_flee_a_process_that_ends_has_left_after_the_grace(house, settings):
    settings.ROOMCHAT = {"PRESENCE_GRACE_SECONDS": 0.05}
    one, two = house.process(), house.process()
    watcher = one.enter(BEN)
    two.enter(ANA)
    await house.turn()
    await house.turn(1)
    await two.presences.release_lease()
    house.processes.remove(two)
    await asyncio.sleep(0.1)  # the database's clock
    await house.turn(10)

    assert watcher.frames == [state(BEN), change(2, joined=[ANA]), change(1, left=["u:0"])]
    assert (await listed(), await threads.in_thread(ServerProcess.objects.count)) == (["Ben"], 1)


async def test_a_process_that_was_taken_for_dead_is_there_again(house):
    one, two = house.process(), house.process()
    watcher = one.enter(BEN)
    two.enter(ANA)
    await house.turn()
    await house.turn(1)
    await house.dies(two)
    await house.turn(10.1)
    house.processes.append(two)
    await house.turn(10.1)
    await house.turn(1)

    assert watcher.frames == [
        state(BEN),
        change(2, joined=[ANA]),
        change(1, left=["u:0"]),
        change(2, joined=[ANA]),
    ]
    assert await listed() == ["Ana", "Ben"]


async def test_what_the_layer_lost_is_read_with_the_next_word_that_comes(house):
    one, two = house.process(), house.process()
    watcher = one.enter(BEN)
    two.enter(ANA)
    await house.turn()
    await house.turn(1)
    house.is_lossy = True
    two.enter(CARL)
    await house.turn(1)
    house.is_lossy = False
    two.enter({"key": "u:9", "name": "Dora"})
    await house.turn(1)
    await house.turn(1)

    assert watcher.frames[-1]["count"] == 4
    assert {person.name for person in one.presences._rooms["lobby"].sent.values()} == {
        "Ana", "Ben", "Carl", "Dora",
    }  # fmt: skip


async def test_changes_beyond_a_notice_are_only_announced(house, monkeypatch):
    monkeypatch.setattr(presence, "NOTICE_MAX", 1)
    one, two = house.process(), house.process()
    watcher = one.enter(BEN)
    two.enter(CARL)
    await house.turn()
    await house.turn(1)
    two.enter(ANA)
    two.enter({"key": "u:9", "name": "Dora"})
    await house.turn(1)
    await house.turn(1)

    assert [sorted(notice) for notice in house.notices] == [["process", "version"]] * 3
    assert watcher.frames[-1]["count"] == 4


async def test_what_is_told_while_the_table_is_read_is_not_lost(house, monkeypatch):
    one, two = house.process(), house.process()
    watcher = one.enter(BEN)
    two.enter(ANA)
    await house.turn()
    await house.turn(1)
    look = presence_table.look

    def look_and_then(*about):
        found = look(*about)
        monkeypatch.setattr(presence_table, "look", look)
        changes = {"lobby": {"joined": [CARL], "left": ["u:0"]}, "nowhere": {"joined": [ANA], "left": []}}
        told = {"process": str(two.presences._process), "version": 2, "rooms": changes}
        one.presences.receive(msgspec.convert(told, PresenceNotice))
        return found

    monkeypatch.setattr(presence_table, "look", look_and_then)
    await house.turn(10)

    assert watcher.frames[2:] == [change(2, joined=[CARL], left=["u:0"])]


async def test_a_process_with_very_many_rooms_reads_all_of_them(house, monkeypatch):
    monkeypatch.setattr(presence_table, "ROOMS_MAX", 2)
    one, two = house.process(), house.process()
    watchers = [one.enter(BEN, room=f"room {number}") for number in range(5)]
    for number in range(5):
        two.enter(ANA, room=f"room {number}")
    for _ in range(4):
        await house.turn(1)
    house.is_lossy = True
    for socket in list(two.subscriptions["room 4"]):
        two.leave(socket, "room 4")
    await house.turn(11)
    await house.turn(11)

    assert [socket.frames[-1]["count"] for socket in watchers] == [2, 2, 2, 2, 1]


async def test_a_handler_receives_notices_only_for_a_hub_with_presence():
    here = hub.Hub()
    told = {"process": "x", "version": 1}
    _receive(here, "", told)
    start(here)
    _receive(here, "", told)

    assert here.extension(Presences)._received == {"x": -1}


# Trouble -------------------------------------------------------------------------------------------------------------


async def test_an_unavailable_database_is_retried_and_the_process_sends_what_it_knows(
    house, monkeypatch, caplog
):
    process = house.process()
    works = in_thread

    async def away(*about):
        raise OperationalError("away")

    monkeypatch.setattr(presence, "in_thread", away)
    watcher = process.enter(BEN)
    await house.turn()
    process.enter(ANA)
    await house.turn(1)
    without = list(watcher.frames), here_without(caplog)
    monkeypatch.setattr(presence, "in_thread", works)
    await house.turn(1)

    assert without == ([state(BEN), change(2, joined=[ANA])], 1)
    assert await listed() == ["Ana", "Ben"]


def here_without(caplog):
    return len(caplog.messages)


async def test_an_end_without_a_database_is_an_end(house, monkeypatch, caplog):
    process = house.process()
    process.enter(BEN)
    await house.turn()

    async def away(*about):
        raise OperationalError("away")

    monkeypatch.setattr(presence, "in_thread", away)
    await process.presences.release_lease()
    await process.presences._remove_lease()

    assert caplog.messages == [
        "The presence lease of this process could not be ended: OperationalError('away')"
    ]
