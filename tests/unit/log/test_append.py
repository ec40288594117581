import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, OperationalError, connection, connections, transaction
from django.db.models import F

from django_roomchat import log
from django_roomchat.errors import IdReused, NotFound
from django_roomchat.log import Appended, Draft, Slice, State, Stored, reading, sequence
from django_roomchat.log.reading import _log_of
from django_roomchat.log.sequence import _take_anywhere
from django_roomchat.models import Message, Room, RoomLog
from django_roomchat.protocol import Quote

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["of the run", "postgresql"])
def database(request):
    """The run's own database, and then PostgreSQL."""
    if request.param == "postgresql":
        request.getfixturevalue("on_postgres")
    return request.param


@pytest.fixture
def anywhere(monkeypatch):
    """The way for databases without RETURNING, taken on the one that the run has."""
    for vendor in ("sqlite", "postgresql"):
        monkeypatch.setattr(sequence, f"_take_on_{vendor}", _take_anywhere)


def make_room(name="lobby", **values):
    room = Room.objects.create(name=name, title=name.title())
    RoomLog.objects.create(room=room, **values)
    return room


def draft(client_id, body="hi", author="u:1", **values):
    return Draft(None, author, author[2:], client_id, "user", body, **values)


def drafts(*client_ids):
    return [draft(client_id) for client_id in client_ids]


def append(room, *wanted, **options):
    return log.append({room.pk: list(wanted)}, **options)[room.pk]


def stored(room):
    """The log as it is in the database: numbers, ids, and the head."""
    rows = Message.objects.filter(room_id=room.pk).order_by("seq").values_list("seq", "rev", "client_id")
    return [*rows], RoomLog.objects.get(pk=room.pk).head


def in_threads(count, work):
    """Run work(0), work(1), … in threads of their own, all at once."""
    everybody = threading.Barrier(count)

    def run(number):
        try:
            everybody.wait(10)
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


# Writing ---------------------------------------------------------------------------------------------------------


def test_drafts_take_the_next_numbers_in_their_order(database):
    room = make_room()

    first = append(room, *drafts("a", "b"))
    second = append(room, *drafts("c"))

    assert (first.prev, first.head, first.results) == (0, 2, [Stored(1, False), Stored(2, False)])
    assert (second.prev, second.head, second.results) == (2, 3, [Stored(3, False)])
    assert stored(room) == ([(1, 1, "a"), (2, 2, "b"), (3, 3, "c")], 3)


def test_numbers_are_taken_without_returning_too(database, anywhere):
    room = make_room()

    append(room, *drafts("a", "b"))
    done = append(room, *drafts("c"))

    assert (done.prev, done.head, done.epoch) == (2, 3, str(room.log.epoch))
    assert stored(room) == ([(1, 1, "a"), (2, 2, "b"), (3, 3, "c")], 3)


def test_a_room_that_is_gone_is_left_out_without_returning_too(database, anywhere):
    room = make_room()

    assert list(log.append({room.pk + 1: drafts("a"), room.pk: drafts("a")})) == [room.pk]


def test_what_is_stored_is_what_was_drafted(database):
    room = make_room()
    user = User.objects.create_user("ana")
    before = datetime.now(UTC)

    append(room, draft("a"), Draft(user.pk, "u:9", "Ana", "b", "bot", "Grüße 🎉", reply_to=1))

    [row] = Message.objects.filter(seq=2).values()
    assert before <= row.pop("created_at") <= datetime.now(UTC)
    assert row.pop("id")
    assert row == {
        "room_id": room.pk,
        "seq": 2,
        "rev": 2,
        "changes": 0,
        "author_id": user.pk,
        "author_key": "u:9",
        "author_name": "Ana",
        "client_id": "b",
        "kind": "bot",
        "body": "Grüße 🎉",
        "fingerprint": Draft(None, "", "", "", "bot", "Grüße 🎉", reply_to=1).fingerprint,
        "reply_to": 1,
        "edited_at": None,
        "deleted_at": None,
        "pinned_at": None,
        "data": {},
    }


def test_the_events_told_are_the_events_read_later(database):
    room = make_room()

    append(room, draft("a"))
    quote = log.quotes(room.pk, [1])[1]

    done = append(room, draft("b", reply_to=1, data={"avatar": "/ana.png", "html": "<b>b</b>"}))

    assert (
        done.events
        == log.read("lobby", str(room.log.epoch), 1, limit=10, page=10).events
        == log.tail("lobby", changes=1).events
    )
    [event] = done.events
    assert (event.seq, event.quote, event.author.avatar, event.html) == (2, quote, "/ana.png", "<b>b</b>")


def test_the_room_says_when_it_changed(database):
    room = make_room(changed_at=datetime(2020, 1, 1, tzinfo=UTC))
    before = datetime.now(UTC)

    append(room, *drafts("a"))

    assert before <= RoomLog.objects.get(pk=room.pk).changed_at <= datetime.now(UTC)


def test_a_repeated_post_is_one_message(database):
    room = make_room()
    append(room, *drafts("a", "b"))

    again = append(room, *drafts("b", "c", "a"))

    assert again.results == [Stored(2, True), Stored(3, False), Stored(1, True)]
    assert (again.prev, again.head, [event.id for event in again.events]) == (2, 3, ["c"])
    assert stored(room) == ([(1, 1, "a"), (2, 2, "b"), (3, 3, "c")], 3)


def test_only_repeated_posts_take_no_number(database):
    room = make_room()
    append(room, *drafts("a"))

    again = append(room, *drafts("a", "a"))

    assert (again.prev, again.head, again.events) == (1, 1, [])
    assert again.results == [Stored(1, True), Stored(1, True)]
    assert stored(room) == ([(1, 1, "a")], 1)


def test_a_post_repeated_within_a_batch_is_one_message_in_its_first_place(database):
    room = make_room()

    done = append(room, *drafts("a", "b", "a", "c"))

    assert done.results == [Stored(1, False), Stored(2, False), Stored(1, True), Stored(3, False)]
    assert stored(room) == ([(1, 1, "a"), (2, 2, "b"), (3, 3, "c")], 3)


def test_an_id_reused_for_other_words_is_refused(database):
    room = make_room()
    append(room, draft("a", "hi"))

    done = append(room, draft("a", "other words"), draft("a", "hi", reply_to=1), draft("b"))

    assert [type(result) for result in done.results] == [IdReused, IdReused, Stored]
    assert (done.results[0].detail, done.results[2]) == (
        "This id is already used by another message; give every message its own id.",
        Stored(2, False),
    )
    assert Message.objects.get(seq=1).body == "hi"


def test_an_id_reused_within_a_batch_is_refused(database):
    room = make_room()

    done = append(room, draft("a", "hi"), draft("a", "other words"))

    assert (done.results[0], type(done.results[1])) == (Stored(1, False), IdReused)
    assert [message.body for message in Message.objects.all()] == ["hi"]


def test_two_authors_may_choose_the_same_id(database):
    room = make_room()

    done = append(room, draft("a", author="u:1"), draft("a", author="u:2"))
    again = append(room, draft("a", author="u:2"))

    assert done.results == [Stored(1, False), Stored(2, False)]
    assert again.results == [Stored(2, True)]


def test_an_author_may_choose_the_same_id_in_two_rooms(database):
    one, other = make_room("one"), make_room("other")

    done = log.append({one.pk: drafts("a"), other.pk: drafts("a")})

    assert [done[room.pk].results for room in (one, other)] == [[Stored(1, False)]] * 2


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


def test_a_room_that_does_not_exist_is_left_out(database):
    room = make_room()

    done = log.append({room.pk + 1: drafts("a"), room.pk: drafts("a")})

    assert list(done) == [room.pk]


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


def test_a_repeated_post_inside_a_transaction_leaves_it_usable(database):
    room = make_room()
    append(room, *drafts("a"))

    with transaction.atomic():
        again = append(room, *drafts("a"))
        more = append(room, *drafts("b"))

    assert (again.results, more.results) == ([Stored(1, True)], [Stored(2, False)])
    assert stored(room) == ([(1, 1, "a"), (2, 2, "b")], 2)


def test_an_author_who_is_gone_is_an_error_and_burns_no_number(database):
    room = make_room()

    with pytest.raises(IntegrityError):
        append(room, Draft(12345, "u:12345", "Gone", "a", "user", "hi"))

    assert stored(room) == ([], 0)


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


class Locked:
    """Somebody else's transaction that has a room locked."""

    def __init__(self, room, **changes):
        self.room, self.changes = room, changes or {"head": F("head")}
        self.is_locked, self.release = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.lock)

    def lock(self):
        try:
            with transaction.atomic():
                RoomLog.objects.filter(pk=self.room.pk).update(**self.changes)
                self.is_locked.set()
                self.release.wait(30)
        finally:
            connections.close_all()

    def wait_until_somebody_waits(self):
        with connection.cursor() as cursor:
            while True:
                cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
                if cursor.fetchone() != (0,):
                    return

    def __enter__(self):
        self.thread.start()
        assert self.is_locked.wait(10)
        return self

    def __exit__(self, *error):
        self.release.set()
        self.thread.join()


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


# Changing --------------------------------------------------------------------------------------------------------


def say(body):
    """A change to other words; none if the message says that already."""

    def make(message):
        changed, message.body = message.body != body, body
        return changed

    return make


def test_a_change_takes_the_next_number_and_the_message_keeps_its_place(database):
    room = make_room()
    append(room, *drafts("a", "b"))

    done = log.change(room.pk, 1, say("other words"))
    again = log.change(room.pk, 1, say("third words"))

    assert (done.prev, done.head, done.epoch) == (2, 3, str(room.log.epoch))
    assert [(event.seq, event.rev, event.body) for event in done.events] == [(1, 3, "other words")]
    assert (again.prev, again.head) == (3, 4)
    assert stored(room) == ([(1, 4, "a"), (2, 2, "b")], 4)
    message = Message.objects.get(seq=1)
    assert (message.body, message.changes) == ("third words", 2)


def test_a_change_to_the_same_takes_no_number(database):
    room = make_room()
    append(room, *drafts("a"))

    done = log.change(room.pk, 1, say("hi"))

    assert done == Appended(str(room.log.epoch), 1, 1, [], [])
    assert stored(room) == ([(1, 1, "a")], 1)


def test_a_change_of_what_is_not_there_takes_no_number(database):
    room = make_room()

    with pytest.raises(NotFound) as caught:
        log.change(room.pk, 1, say("other words"))

    assert caught.value.detail == "There is no message 1 in this room."
    assert stored(room) == ([], 0)


def test_a_change_that_is_refused_takes_no_number(database):
    room = make_room()
    append(room, *drafts("a"))

    def refuse(message):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        log.change(room.pk, 1, refuse)

    assert stored(room) == ([(1, 1, "a")], 1)


def test_a_change_keeps_to_what_may_change(database):
    room = make_room()
    append(room, *drafts("a"))

    def rewrite(message):
        message.body, message.author_name, message.seq = "other words", "Somebody else", 7
        return True

    log.change(room.pk, 1, rewrite)

    assert Message.objects.values_list("seq", "rev", "author_name", "body").get() == (
        1,
        2,
        "1",
        "other words",
    )


def test_changes_at_once_each_take_a_number_of_their_own(database):
    room = make_room()
    append(room, *drafts("a", "b"))

    def work(writer):
        for turn in range(5):
            log.change(room.pk, 1 + turn % 2, say(f"{writer} {turn}"))
            append(room, *drafts(f"{writer}-{turn}"))

    in_threads(4, work)

    log_row = RoomLog.objects.get(pk=room.pk)
    assert (log_row.head, log.verify(log_row)) == (2 + 4 * 5 * 2, [])


# Rights ----------------------------------------------------------------------------------------------------------


def test_a_post_in_a_room_whose_rights_have_changed_is_left_out(database):
    same, other = make_room("same", access_version=4), make_room("other", access_version=5)

    done = log.append(
        {same.pk: drafts("a"), other.pk: drafts("a")}, access_versions={same.pk: 4, other.pk: 4}
    )

    assert (list(done), stored(other)) == ([same.pk], ([], 0))


def test_a_repeated_post_in_a_room_whose_rights_have_changed_is_left_out(database):
    same, other = make_room("same", access_version=4), make_room("other", access_version=4)
    for each in (same, other):
        append(each, *drafts("a"))

    RoomLog.objects.filter(pk=other.pk).update(access_version=5)
    done = log.append(
        {same.pk: drafts("a", "b"), other.pk: drafts("a", "b")}, access_versions={same.pk: 4, other.pk: 4}
    )

    assert (list(done), done[same.pk].results) == ([same.pk], [Stored(1, True), Stored(2, False)])
    assert stored(other) == ([(1, 1, "a")], 1)


def test_the_rights_count_without_returning_too(database, anywhere):
    room = make_room(access_version=4)

    answers = [log.append({room.pk: drafts("a")}, access_versions={room.pk: version}) for version in (3, 4)]

    assert [list(answer) for answer in answers] == [[], [room.pk]]


@pytest.mark.parametrize("way", ["the database's own", "the way for any"])
def test_a_post_for_another_log_is_left_out(database, request, way):
    if way == "the way for any":
        request.getfixturevalue("anywhere")
    room = make_room()

    answers = [
        list(log.append({room.pk: drafts("a")}, epochs={room.pk: epoch}))
        for epoch in (str(uuid.uuid4()), str(room.log.epoch))
    ]

    assert answers == [[], [room.pk]]


def test_a_change_in_a_room_whose_rights_have_changed_is_not_made(database):
    room = make_room(access_version=5)
    append(room, *drafts("a"))

    refused = log.change(room.pk, 1, say("other words"), access_version=4)
    made = log.change(room.pk, 1, say("other words"), access_version=5)

    assert (refused, made.head) == (None, 2)


def test_a_post_that_waited_for_a_ban_is_not_stored(on_postgres):
    room = make_room()

    with Locked(room, access_version=F("access_version") + 1) as ban, ThreadPoolExecutor(1) as pool:

        def post():
            try:
                return log.append({room.pk: drafts("a")}, access_versions={room.pk: 0})
            finally:
                connections.close_all()

        posting = pool.submit(post)
        ban.wait_until_somebody_waits()
        ban.release.set()
        assert posting.result(10) == {}

    assert stored(room) == ([], 0)


# Pruning and auditing ---------------------------------------------------------------------------------------------


def test_pruning_forgets_the_oldest_and_raises_the_floor_to_their_last_change(database):
    room = make_room()
    append(room, *drafts("a", "b", "c"))
    log.change(room.pk, 1, say("other words"))

    count = log.prune(room.pk, through=2)

    row = RoomLog.objects.get(pk=room.pk)
    assert (count, stored(room)) == (2, ([(3, 3, "c")], 4))
    assert (row.floor, row.pruned_changes, log.verify(row)) == (4, 3, [])


def test_pruning_nothing_changes_nothing(database):
    room = make_room(floor=3)
    gone = make_room("gone")
    gone.delete()

    assert [log.prune(pk, through=5) for pk in (room.pk, gone.pk or 10_000)] == [0, 0]
    assert RoomLog.objects.values_list("floor", "pruned_changes").get(pk=room.pk) == (3, 0)


def test_after_pruning_the_next_number_is_the_next(database):
    room = make_room()
    append(room, *drafts("a", "b"))
    log.prune(room.pk, through=2)

    assert append(room, *drafts("c")).results == [Stored(3, False)]


def test_a_new_epoch_makes_every_reader_start_over(database):
    room = make_room()
    append(room, *drafts("a"))
    epoch = str(room.log.epoch)
    before = log.read("lobby", epoch, 1, limit=10, page=10).reset

    log.start_new_epoch(room.pk)

    part = log.read("lobby", epoch, 1, limit=10, page=10)
    assert (before, part.reset, part.epoch != epoch, part.head) == (None, "epoch", True, 1)


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (lambda: Message.objects.filter(seq=2).delete(), ["the head is 3, but 2 changes are accounted for"]),
        (
            lambda: RoomLog.objects.update(head=2),
            [
                "the head is 2, but 3 changes are accounted for",
                "a message has the revision 3, above the head 2",
            ],
        ),
        (
            lambda: RoomLog.objects.update(head=5),
            ["the head is 5, but 3 changes are accounted for", "the last change is 3, below the head 5"],
        ),
        (
            lambda: Message.objects.filter(seq=2).update(rev=3, changes=1),
            ["the head is 3, but 4 changes are accounted for", "the revision 3 is on 2 messages"],
        ),
        (
            lambda: Message.objects.filter(seq=3).update(rev=5) and RoomLog.objects.update(head=5, pruned_changes=2),
            ["1 messages have a new revision without a change"],
        ),
        (lambda: Message.objects.all().delete(), ["the head is 3, but 0 changes are accounted for", "the last change is 0, below the head 3"]),
        (lambda: None, []),
    ],
)  # fmt: skip
def test_an_audit_says_what_is_wrong_with_the_numbers(database, damage, found):
    room = make_room()
    append(room, *drafts("a", "b", "c"))

    damage()

    assert log.verify(RoomLog.objects.get(pk=room.pk)) == found


# Reading ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def room(database):
    return make_room()


def seqs(part):
    return [event.seq for event in part.events]


def test_a_reader_gets_what_it_missed(room):
    append(room, *drafts("a", "b", "c"))
    epoch = str(room.log.epoch)

    part = log.read("lobby", epoch, 1, limit=10, page=10)

    events = log.tail("lobby", changes=2).events
    assert part == Slice("lobby", "Lobby", epoch, 0, prev=1, head=3, events=events)
    assert seqs(part) == [2, 3]


def test_a_reader_at_the_head_missed_nothing(room):
    append(room, *drafts("a", "b"))
    epoch = str(room.log.epoch)

    assert log.read("lobby", epoch, 2, limit=10, page=10) == Slice("lobby", "Lobby", epoch, 0, 2, 2, [])


def test_a_reader_gets_changes_in_their_order_and_each_message_once(room):
    append(room, *drafts("a", "b", "c"))
    log.change(room.pk, 2, say("new"))
    log.change(room.pk, 1, say("new"))

    part = log.read("lobby", str(room.log.epoch), 2, limit=10, page=10)

    assert [(event.seq, event.rev) for event in part.events] == [(3, 3), (2, 4), (1, 5)]


def test_a_new_reader_gets_the_newest_page_oldest_first(room):
    append(room, *drafts("a", "b", "c"))

    part = log.read("lobby", "", None, limit=10, page=2)

    assert (seqs(part), part.prev, part.head, part.reset, part.more) == ([2, 3], 0, 3, "new", True)


def test_a_page_that_holds_everything_says_that_there_is_no_more(room):
    append(room, *drafts("a", "b"))

    part = log.read("lobby", "", None, limit=10, page=2)

    assert (seqs(part), part.more) == ([1, 2], False)


@pytest.mark.parametrize(
    ("since", "epoch_is_right", "reset"),
    [
        (2, True, None),
        (2, False, "epoch"),
        (0, False, "floor"),
        (5, True, "ahead"),
        (1, True, "floor"),
        (4, True, None),
    ],
)
def test_a_reader_hears_why_it_has_to_start_over(room, since, epoch_is_right, reset):
    append(room, *drafts("a", "b", "c", "d"))
    Message.objects.filter(room=room, seq__lte=2).delete()
    RoomLog.objects.filter(pk=room.pk).update(floor=2)
    epoch = str(room.log.epoch if epoch_is_right else uuid.uuid4())

    part = log.read("lobby", epoch, since, limit=10, page=1)

    assert (part.reset, part.floor, part.head) == (reset, 2, 4)
    assert (part.prev, seqs(part), part.more) == (
        (since, [3, 4][since - 2 :], False) if reset is None else (0, [4], True)
    )


def test_a_reader_at_nothing_needs_no_epoch(room):
    append(room, *drafts("a"))

    part = log.read("lobby", "", 0, limit=10, page=10)

    assert (part.reset, seqs(part)) == (None, [1])


@pytest.mark.parametrize(("limit", "reset"), [(3, None), (2, "gap")])
def test_a_reader_who_missed_too_much_starts_over(room, limit, reset):
    append(room, *drafts("a", "b", "c", "d"))

    part = log.read("lobby", str(room.log.epoch), 1, limit=limit, page=2)

    assert (part.reset, seqs(part), part.prev) == (
        (None, [2, 3, 4], 1) if reset is None else ("gap", [3, 4], 0)
    )


def test_a_room_that_does_not_exist_is_read_as_an_empty_one(database):
    assert log.read("nowhere", "", 0, limit=10, page=10) == Slice("nowhere", "", "", 0, 0, 0, [])
    assert log.read("nowhere", "", None, limit=10, page=10) == Slice("nowhere", "", "", 0, 0, 0, [], "new")
    assert log.tail("nowhere", changes=10) == Slice("nowhere", "", "", 0, 0, 0, [])


def test_what_is_written_during_a_read_comes_with_the_next(room, monkeypatch):
    append(room, *drafts("a"))
    log_of = _log_of

    def log_of_and_be_overtaken(name):
        found = log_of(name)
        append(room, draft(uuid.uuid4().hex))
        return found

    monkeypatch.setattr(reading, "_log_of", log_of_and_be_overtaken)
    since, new, tail = (
        log.read("lobby", str(room.log.epoch), 0, limit=10, page=10),
        log.read("lobby", "", None, limit=10, page=10),
        log.tail("lobby", changes=10),
    )

    # Each finds what was written during the one before it.
    assert [(seqs(part), part.head) for part in (since, new, tail)] == [([1], 1), ([1, 2], 2), ([1, 2, 3], 3)]


@pytest.mark.parametrize("since", [0, 1])
def test_a_reader_whose_messages_are_pruned_during_the_read_starts_over(room, monkeypatch, since):
    append(room, *drafts("a", "b", "c"))
    epoch, log_of = str(room.log.epoch), _log_of

    def log_of_and_be_pruned(name):
        found = log_of(name)
        log.prune(room.pk, through=2)
        return found

    monkeypatch.setattr(reading, "_log_of", log_of_and_be_pruned)
    part = log.read("lobby", epoch, since, limit=10, page=10)

    assert (seqs(part), part.reset, part.prev, part.head) == ([3], "floor", 0, 3)


def test_a_tail_whose_messages_are_pruned_during_the_read_begins_where_they_end(room, monkeypatch):
    append(room, *drafts("a", "b", "c"))
    log_of = _log_of

    def log_of_and_be_pruned(name):
        found = log_of(name)
        log.prune(room.pk, through=2)
        return found

    monkeypatch.setattr(reading, "_log_of", log_of_and_be_pruned)
    part = log.tail("lobby", changes=10)

    assert (seqs(part), part.prev, part.head) == ([3], 2, 3)


def test_the_tail_is_the_last_changes_and_says_from_where(room):
    append(room, *drafts("a", "b", "c"))
    log.change(room.pk, 1, say("new"))

    part = log.tail("lobby", changes=2)

    assert ([(event.seq, event.rev) for event in part.events], part.prev, part.head) == (
        [(3, 3), (1, 4)],
        2,
        4,
    )


def test_the_tail_does_not_reach_below_what_was_pruned(room):
    append(room, *drafts("a", "b", "c"))
    RoomLog.objects.filter(pk=room.pk).update(floor=2)

    part = log.tail("lobby", changes=100)

    assert (seqs(part), part.prev, part.floor) == ([3], 2, 2)


def test_history_is_paged_by_place(room):
    append(room, *drafts(*"abcde"))

    pages = [log.page(room, before, limit=2) for before in (None, 4, 2)]

    assert [([event.seq for event in events], more) for events, more in pages] == [
        ([5, 4], True),
        ([3, 2], True),
        ([1], False),
    ]


def test_a_full_last_page_is_the_last(room):
    append(room, *drafts("a", "b"))

    events, more = log.page(room, None, limit=2)

    assert ([event.seq for event in events], more) == ([2, 1], False)


def test_the_states_of_many_rooms_are_one_question(room, django_assert_num_queries):
    other = make_room("other", access_version=3)
    append(other, *drafts("a", "b"))

    with django_assert_num_queries(1):
        states = log.states(["lobby", "other", "nowhere"])

    assert states == {"lobby": State(str(room.log.epoch), 0, 0), "other": State(str(other.log.epoch), 2, 3)}


def test_messages_are_quoted_by_their_beginnings(room):
    def delete(message):
        message.body, message.deleted_at = "", datetime.now(UTC)
        return True

    append(room, draft("a", body="x" * 200), draft("b", body="gone"))
    log.change(room.pk, 2, delete)

    quotes = log.quotes(room.pk, [1, 2, 3])

    assert quotes == {1: Quote(1, "1", "x" * 140), 2: Quote(2, "1", "", deleted=True)}


def test_times_are_told_in_utc_with_milliseconds(room):
    append(room, *drafts("a"))
    moment = datetime(2026, 11, 21, 19, 0, 0, 123_999, tzinfo=timezone(timedelta(hours=9)))
    Message.objects.update(created_at=moment, edited_at=moment, deleted_at=moment)

    [event] = log.tail("lobby", changes=1).events

    assert (event.at, event.edited_at, event.deleted_at) == ("2026-11-21T10:00:00.123Z",) * 3


def test_times_are_told_where_the_project_uses_no_time_zones(settings, room):
    settings.USE_TZ = False

    [event] = append(room, *drafts("a")).events

    assert datetime.fromisoformat(event.at).utcoffset() == timedelta(0)


def test_a_slow_room_whose_rights_have_changed_is_left_out(room):
    append(room, *drafts("a"))

    assert log.append({room.pk: [draft("b", slow_seconds=5)]}, access_versions={room.pk: 7}) == {}
