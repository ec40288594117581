"""Sequence numbers and the row lock under which they are taken."""

import threading
import uuid

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import F

from django_roomchat import log
from django_roomchat.log import Stored, sequence
from django_roomchat.log.sequence import Claim, Taken
from django_roomchat.models import RoomLog
from tests.support.log import Locked, append, drafts, in_threads, make_room, stored

pytestmark = pytest.mark.django_db(transaction=True)


def test_several_rooms_are_numbered_in_one_transaction_each_by_itself(database):
    one, other = make_room("one"), make_room("other")
    append(other, *drafts("x"))

    done = log.append({other.pk: drafts("x", "y"), one.pk: drafts("a", "b")})

    assert [(done[room.pk].prev, done[room.pk].head) for room in (one, other)] == [(0, 2), (1, 2)]
    assert [done[room.pk].epoch for room in (one, other)] == [str(room.log.epoch) for room in (one, other)]
    assert stored(one) == ([(1, 1, "a"), (2, 2, "b")], 2)
    assert stored(other) == ([(1, 1, "x"), (2, 2, "y")], 2)


def test_hundreds_of_rooms_fit_into_one_transaction(database):
    rooms = [make_room(f"room{number}") for number in range(500)]

    done = log.append({room.pk: drafts("a") for room in rooms})

    assert {pk: result.head for pk, result in done.items()} == {room.pk: 1 for room in rooms}


def test_a_transaction_that_is_undone_burns_no_number(database):
    room = make_room()
    append(room, *drafts("a"))

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        append(room, *drafts("b"))
        seen = stored(room)
        raise ZeroDivisionError

    assert seen == ([(1, 1, "a"), (2, 2, "b")], 2)
    assert append(room, *drafts("c")).results == [Stored(2, False)]
    assert stored(room) == ([(1, 1, "a"), (2, 2, "c")], 2)


@pytest.mark.parametrize("rooms", [1, 3])
def test_writers_at_once_make_a_log_without_a_hole(database, rooms):
    made = [make_room(f"room{number}") for number in range(rooms)]

    def write(writer):
        done = []
        for turn in range(10):
            ids = [f"{writer}-{turn}-{place}" for place in range(3)]
            # Every writer takes the rooms in an order of its own.
            order = made[writer % rooms :] + made[: writer % rooms]
            done.append(log.append({room.pk: drafts(*ids) for room in order}))
        return done

    answers = in_threads(4, write)

    for room in made:
        rows, head = stored(room)
        assert ([seq for seq, _, _ in rows], head) == (list(range(1, 121)), 120)
        places = {id_: seq for seq, _, id_ in rows}
        told = [done[room.pk] for writer in answers for done in writer]
        assert all(
            [places[event.id] for event in each.events] == list(range(each.prev + 1, each.head + 1))
            for each in told
        )


def test_writers_who_repeat_the_same_posts_at_once_make_each_once(database):
    room = make_room()

    def write(writer):
        results = []
        for turn in range(10):
            results += append(room, *drafts(f"{turn}-a", f"{turn}-b")).results
        return results

    answers = in_threads(4, write)

    rows, head = stored(room)
    assert ([seq for seq, _, _ in rows], head) == (list(range(1, 21)), 20)
    assert len({id_ for _, _, id_ in rows}) == 20
    seqs = [[result.seq for result in results] for results in answers]
    assert seqs[1:] == seqs[:-1]
    assert [sum(not one.duplicate for one in same) for same in zip(*answers, strict=True)] == [1] * 20


def test_a_reader_never_sees_a_number_before_those_below_it(database):
    room = make_room()
    done = threading.Event()

    def work(number):
        if number:
            for turn in range(15):
                append(room, *drafts(f"{number}-{turn}"))
            done.set()
            return []
        seen = []
        while not done.is_set():
            part = log.read("lobby", "", 0, limit=1000, page=1)
            seen.append(([event.seq for event in part.events], part.head))
        return seen

    seen, *_ = in_threads(3, work)

    assert [seqs for seqs, _ in seen] == [list(range(1, head + 1)) for _, head in seen]


def test_locked_rooms_are_skipped_so_that_the_others_go_on(on_postgres):
    locked, free = make_room("locked"), make_room("free")

    with Locked(locked):
        done = log.append({locked.pk: drafts("a"), free.pk: drafts("a")}, wait_seconds=0)

    assert (list(done), stored(locked), stored(free)) == ([free.pk], ([], 0), ([(1, 1, "a")], 1))


def test_locked_rooms_are_skipped_where_a_post_is_repeated_too(on_postgres):
    locked, free = make_room("locked"), make_room("free")
    append(free, *drafts("a"))

    with Locked(locked):
        done = log.append({locked.pk: drafts("a"), free.pk: drafts("a", "b")}, wait_seconds=0)

    assert (list(done), done[free.pk].results) == ([free.pk], [Stored(1, True), Stored(2, False)])


def test_a_locked_room_is_waited_for_so_long_and_no_longer(on_postgres):
    room = make_room()

    with Locked(room), pytest.raises(OperationalError) as caught:
        append(room, *drafts("a"), wait_seconds=0.05)

    assert type(caught.value.__cause__).__name__ == "LockNotAvailable"
    assert stored(room) == ([], 0)


def test_a_locked_room_is_waited_for_until_it_is_free(on_postgres):
    room = make_room()

    with Locked(room) as locked:
        threading.Timer(0.05, locked.release.set).start()
        done = append(room, *drafts("a"), wait_seconds=10)

    assert done.results == [Stored(1, False)]


def test_the_patience_for_a_lock_ends_with_its_transaction(on_postgres):
    room = make_room()

    append(room, *drafts("a"), wait_seconds=0.05)

    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)


# MySQL and MariaDB ------------------------------------------------------------------------------------------------


class MySQLCursor:
    """A cursor that carries out the UPDATE of several rooms in the database of the run."""

    def __enter__(self):
        return self

    def __exit__(self, *about):
        pass

    def execute(self, statement, parameters):
        assert statement.startswith("UPDATE roomchat_roomlog AS log JOIN (SELECT %s AS id")
        for start in range(0, len(parameters) - 1, 4):
            room, count, version, epoch = parameters[start : start + 4]
            rows = RoomLog.objects.filter(pk=room)
            rows = rows if version is None else rows.filter(access_version=version)
            rows = rows if epoch is None else rows.filter(epoch=epoch)
            rows.update(head=F("head") + count)


def test_on_mysql_only_rooms_whose_version_and_epoch_are_the_same_take_numbers(monkeypatch):
    rooms = [make_room(f"room{number}") for number in range(5)]
    claims = {
        rooms[0].pk: Claim(2),
        rooms[1].pk: Claim(1, 0, str(rooms[1].log.epoch)),
        rooms[2].pk: Claim(1, 7),
        rooms[3].pk: Claim(1, None, str(uuid.uuid4())),
        0: Claim(1),
    }
    if connection.vendor != "mysql":
        monkeypatch.setattr(sequence, "connections", {"default": _MySQL(connection)})

    taken = sequence.take(claims)

    assert taken == {
        rooms[0].pk: Taken(str(rooms[0].log.epoch), 2),
        rooms[1].pk: Taken(str(rooms[1].log.epoch), 1),
    }
    assert [log.head for log in RoomLog.objects.order_by("pk")] == [2, 1, 0, 0, 0]


class _MySQL:
    """The connection of the run, as one to MariaDB."""

    vendor = "mysql"

    def __init__(self, own):
        self.alias, self.ops, self.features = own.alias, own.ops, own.features
        self.cursor = MySQLCursor
