"""Presence in one process."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_roomchat import protocol, pubsub
from django_roomchat.models import Presence, Room
from django_roomchat.realtime import presence, threads
from django_roomchat.realtime.presence import (
    in_thread,
)
from django_roomchat.rooms import presence_table
from django_roomchat.rooms.presence_table import who_is_here
from tests.support.presence import ANA, BEN, CARL, House, change, listed, state

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.presence]


@pytest.fixture
def house(monkeypatch, request):
    house = House()
    monkeypatch.setattr(presence, "time", house)
    monkeypatch.setattr(pubsub, "publish", house.publish)
    return house


# One process ---------------------------------------------------------------------------------------------------------


async def test_a_person_who_enters_receives_the_list_and_the_others_the_change(house):
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


async def test_a_person_who_is_expelled_has_left_at_once(house):
    process = house.process()
    watcher, tabs = process.enter(BEN), [process.enter(ANA) for _ in range(2)]
    await house.turn()
    process.leave(tabs[0])
    process.presences.expelled("lobby", ANA["key"])
    await house.turn(1)
    before = list(watcher.frames)
    process.leave(tabs[1])
    process.presences.expelled("lobby", ANA["key"])
    await house.turn(1)

    assert before == [state(BEN, ANA)]
    assert watcher.frames == [*before, change(1, left=[ANA["key"]])]
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


async def test_a_socket_of_the_tutorials_format_counts_and_receives_no_presence(house):
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


async def test_a_socket_that_reads_again_receives_the_whole_presence(house):
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


# Cost ----------------------------------------------------------------------------------------------------------------


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
    """Return the queries of the next turn. It runs in this thread, because the test cannot see connections of other threads."""
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
