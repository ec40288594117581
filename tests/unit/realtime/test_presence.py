"""Who is in which room: processes that share a table, and the word of each to the others, which the test may lose."""

import asyncio
from datetime import timedelta

import msgspec
import pytest
from django.db import OperationalError, connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from django_roomchat import protocol, pubsub
from django_roomchat.identity import Identity
from django_roomchat.models import Presence, Room, ServerProcess
from django_roomchat.realtime import hub, presence, threads
from django_roomchat.realtime.presence import (
    PresenceNotice,
    Presences,
    _receive,
    in_thread,
    release_lease,
    start,
)
from django_roomchat.rooms import presence_table
from django_roomchat.rooms.presence_table import who_is_here
from django_roomchat.testing import ChatClient
from tests.asgi import application
from tests.support.fakes import Socket, settle

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.presence]

ANA, BEN, CARL = ({"key": f"u:{number}", "name": name} for number, name in enumerate(["Ana", "Ben", "Carl"]))


class House:
    """Processes on one database, with a layer that the test may break, at a time that it says."""

    def __init__(self):
        self.now = 1000.0
        self.processes = []
        self.is_lossy = False
        self.notices = []

    def monotonic(self):
        return self.now

    def process(self):
        self.processes.append(Process())
        return self.processes[-1]

    def publish(self, notice):
        message = pubsub.to_message(notice)
        self.notices.append(message["data"])
        for process in [] if self.is_lossy else self.processes:
            process.presences.receive(msgspec.convert(message["data"], PresenceNotice))

    async def turn(self, seconds=0.0):
        self.now += seconds
        for process in self.processes:
            await process.presences.turn()

    async def dies(self, process):
        """It does nothing any more, and its lease ends."""
        self.processes.remove(process)
        mine = ServerProcess.objects.filter(pk=process.presences._process)
        await threads.in_thread(lambda: mine.update(alive_at=F("alive_at") - timedelta(seconds=31)))


class Process:
    """In the place of a hub."""

    def __init__(self):
        self.subscriptions = {}
        self.presences = Presences(self)

    def sockets_in(self, name):
        return self.subscriptions.get(name, [])

    def start(self, work):
        work.close()  # the test says when it is time

    def enter(self, person=ANA, room="lobby", **options):
        socket = Socket(**options)
        socket.who = Identity(person["key"], person["name"], avatar=person.get("avatar", ""))
        self.subscriptions.setdefault(room, []).append(socket)
        self.presences.entered(socket, room)
        return socket

    def leave(self, socket, room="lobby"):
        self.subscriptions[room].remove(socket)
        self.presences.left(socket, room)


@pytest.fixture
def house(monkeypatch, request):
    house = House()
    monkeypatch.setattr(presence, "time", house)
    monkeypatch.setattr(pubsub, "publish", house.publish)
    return house


def state(*people, room="lobby"):
    return {"type": "presence", "room": room, "count": len(people), "here": list(people)}


def change(count, room="lobby", **changes):
    return {"type": "presence", "room": room, "count": count, **changes}


def here(room="lobby"):
    return [person.name for person in who_is_here(room)]


async def listed(room="lobby"):
    return await threads.in_thread(here, room)


# One process ----------------------------------------------------------------------------------------------------------


async def test_who_comes_hears_who_is_there_and_the_others_hear_who_came(house):
    process = house.process()
    ana = process.enter(ANA)
    await house.turn()
    ben = process.enter(BEN)
    await house.turn(1)

    assert ana.frames == [state(ANA), change(2, joined=[BEN])]
    assert ben.frames == [state(ANA, BEN)]
    assert await listed() == ["Ana", "Ben"]


async def test_a_person_with_three_tabs_is_one_until_the_last_is_closed(house):
    process = house.process()
    watcher = process.enter(BEN)
    await house.turn()
    tabs = [process.enter(ANA) for _ in range(3)]
    await house.turn(1)
    for tab in tabs[:2]:
        process.leave(tab)
    await house.turn(60)
    before = list(watcher.frames)
    process.leave(tabs[2])
    await house.turn(60)

    assert before == [state(BEN), change(2, joined=[ANA])]
    assert watcher.frames == [*before, change(1, left=["u:0"])]
    assert await listed() == ["Ben"]


async def test_who_comes_back_within_the_grace_has_not_left(house):
    process = house.process()
    watcher, tab = process.enter(BEN), process.enter(ANA)
    await house.turn()
    process.leave(tab)
    await house.turn(5)
    process.enter(ANA)
    await house.turn(60)

    assert watcher.frames == [state(BEN, ANA)]
    assert await listed() == ["Ana", "Ben"]


async def test_who_does_not_come_back_has_left_after_the_grace(house):
    process = house.process()
    watcher, tab = process.enter(BEN), process.enter(ANA)
    await house.turn()
    process.leave(tab)
    await house.turn(7.9)
    before = len(watcher.frames), await listed()
    await house.turn(0.2)

    assert before == (1, ["Ana", "Ben"])
    assert watcher.frames[1:] == [change(1, left=["u:0"])]
    assert await listed() == ["Ben"]


async def test_the_grace_is_a_setting(house, settings):
    settings.ROOMCHAT = {"PRESENCE_GRACE_SECONDS": 2}
    process = house.process()
    watcher, tab = process.enter(BEN), process.enter(ANA)
    await house.turn()
    process.leave(tab)
    await house.turn(2.1)

    assert watcher.frames[1:] == [change(1, left=["u:0"])]


async def test_who_comes_and_goes_between_two_turns_is_never_written(house, settings):
    settings.ROOMCHAT = {"PRESENCE_GRACE_SECONDS": 0.1}
    process = house.process()
    watcher = process.enter(BEN)
    await house.turn()
    process.leave(process.enter(ANA))
    await house.turn(1)

    assert watcher.frames == [state(BEN)]
    assert (await listed(), len(house.notices)) == (["Ben"], 1)


async def test_who_is_called_otherwise_now_is_told_again(house):
    process = house.process()
    watcher, tab = process.enter(BEN), process.enter(ANA)
    await house.turn()
    anna = {**ANA, "name": "Anna", "avatar": "/anna.png"}
    process.enter(anna)
    await house.turn(1)
    process.leave(tab)
    await house.turn(60)

    assert watcher.frames == [state(BEN, ANA), change(2, joined=[anna])]
    assert await threads.in_thread(who_is_here, "lobby") == [
        protocol.Person("u:0", "Anna", "/anna.png"),
        protocol.Person("u:1", "Ben"),
    ]


async def test_an_address_of_a_picture_that_has_no_place_in_the_table_is_left_out(house):
    process = house.process()
    watcher = process.enter({**ANA, "avatar": "data:" + "x" * 500})
    await house.turn()

    assert watcher.frames == [state(ANA)]


async def test_a_socket_of_the_tutorials_dialect_counts_and_hears_nothing(house):
    process = house.process()
    watcher, old = process.enter(BEN), process.enter(ANA, is_tutorial=True)
    await house.turn()
    process.enter(CARL)
    await house.turn(1)

    assert watcher.frames == [state(BEN, ANA), change(3, joined=[CARL])]
    assert old.written == []


async def test_everybody_gets_the_very_same_message(house):
    process = house.process()
    first, second = process.enter(ANA), process.enter(BEN)
    await house.turn()
    process.enter(CARL)
    await house.turn(1)

    assert all(ours is theirs for ours, theirs in zip(first.written, second.written, strict=True))
    assert len(first.written) == 2


async def test_a_socket_that_reads_nothing_hears_everything_when_it_reads_again(house):
    process = house.process()
    slow = process.enter(BEN)
    await house.turn()
    slow.block()
    process.enter(ANA)
    await house.turn(1)
    process.enter(CARL)
    await house.turn(1)
    meanwhile = list(slow.frames)
    slow.unblock()
    await house.turn(1)

    assert meanwhile == [state(BEN)]
    assert slow.frames[1:] == [state(BEN, ANA, CARL)]


async def test_of_a_large_room_only_the_number_is_told_until_it_is_small_again(house, monkeypatch):
    monkeypatch.setattr(presence, "NAMED_MAX", 2)
    process = house.process()
    watcher, tab = process.enter(ANA), process.enter(BEN)
    await house.turn()
    carl = process.enter(CARL)
    await house.turn(1)
    process.leave(tab)
    await house.turn(9)

    assert watcher.frames == [state(ANA, BEN), change(3), state(ANA, CARL)]
    assert carl.frames == [change(3), state(ANA, CARL)]


async def test_rooms_do_not_mix(house):
    process = house.process()
    ana, ben = process.enter(ANA, room="one"), process.enter(BEN, room="two")
    await house.turn()

    assert (ana.frames, ben.frames) == ([state(ANA, room="one")], [state(BEN, room="two")])
    assert (await listed("one"), await listed(" TWO "), await listed("three")) == (["Ana"], ["Ben"], [])


def test_who_is_here_may_be_asked_of_a_room():
    Room.objects.create(name="lobby", title="Lobby")

    assert who_is_here(Room.objects.get()) == []


async def test_who_is_here_has_a_twin(house):
    house.process().enter(ANA)
    await house.turn()

    assert await presence_table.awho_is_here("Lobby") == [protocol.Person("u:0", "Ana")]


# Cost ---------------------------------------------------------------------------------------------------------------------


async def test_two_thousand_who_enter_cost_as_many_queries_as_one(house):
    process = house.process()
    process.enter(ANA)
    alone = await queries(house)
    sockets = [process.enter({"key": f"g:{number}", "name": f"Guest {number}"}) for number in range(1999)]
    together = await queries(house, seconds=1)
    await house.turn(1)

    # Before Django 6.1 a statement on SQLite takes 999 parameters: 166 of these rows.
    assert (alone <= 12, together <= 24) == (True, True)
    assert [socket.frames for socket in sockets[:2]] == [[change(2000)]] * 2
    assert await threads.in_thread(Presence.objects.count) == 2000


async def test_a_quiet_turn_costs_nothing_and_a_renewal_little(house):
    house.process().enter(ANA)
    await house.turn()

    assert (await queries(house, seconds=1), await queries(house, seconds=10)) == (0, 2)


async def test_more_than_one_transaction_takes_waits_for_the_next(house, monkeypatch):
    monkeypatch.setattr(presence, "CHANGES_MAX", 2)
    process, other = house.process(), house.process()
    watcher = other.enter(BEN)
    await house.turn()
    for number in range(5):
        process.enter({"key": f"g:{number}", "name": f"Guest {number}"})
    await house.turn(1)
    first = await threads.in_thread(Presence.objects.count)
    await house.turn(1)
    await house.turn(1)

    assert (first, await threads.in_thread(Presence.objects.count)) == (3, 6)
    assert watcher.frames[-1]["count"] == 6


async def queries(house, seconds=0.0):
    """How many the house's next turn costs. It works in a thread, whose connection the test cannot see; so it stays in this one."""
    count = 0

    async def here_and_now(function, *args):
        nonlocal count

        def counted():
            with CaptureQueriesContext(connection) as captured:
                result = function(*args)
            statements = [query["sql"] for query in captured]
            return result, sum(sql.split()[0] not in ("BEGIN", "COMMIT", "SAVEPOINT") for sql in statements)

        result, cost = await threads.in_thread(counted)
        count += cost
        return result

    own, presence.in_thread = in_thread, here_and_now
    try:
        await house.turn(seconds)
    finally:
        presence.in_thread = own
    return count


# Several processes -------------------------------------------------------------------------------------------------------


async def test_processes_tell_each_other_who_comes_and_who_goes(house):
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


async def test_a_handler_hears_only_for_a_hub_that_is_attended():
    here = hub.Hub()
    told = {"process": "x", "version": 1}
    _receive(here, "", told)
    start(here)
    _receive(here, "", told)

    assert here.extension(Presences)._received == {"x": -1}


# Trouble --------------------------------------------------------------------------------------------------------------------


async def test_a_database_that_is_away_is_tried_again_and_the_process_tells_what_it_knows(
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


# On sockets ---------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("clean_hub")
async def test_sockets_hear_who_comes_and_nothing_is_left_when_all_have_gone(settings, monkeypatch):
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

    assert told == change(2, joined=[{"key": first.key, "name": "Anna"}])


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
