"""Drafts that are appended to the log of their rooms."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connections, transaction
from django.db.models import F

from django_roomchat import log
from django_roomchat.errors import IdReused
from django_roomchat.log import Draft, Stored, sequence
from django_roomchat.log.sequence import _take_anywhere
from django_roomchat.models import Message, RoomLog
from tests.support.log import Locked, append, draft, drafts, make_room, stored

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def anywhere(monkeypatch):
    """The way for databases without RETURNING, taken on the one that the run has."""
    for vendor in ("mysql", "sqlite", "postgresql"):
        monkeypatch.setattr(sequence, f"_take_on_{vendor}", _take_anywhere)


# Writing -------------------------------------------------------------------------------------------------------------


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


def test_a_room_that_does_not_exist_is_left_out(database):
    room = make_room()

    done = log.append({room.pk + 1: drafts("a"), room.pk: drafts("a")})

    assert list(done) == [room.pk]


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


# Rights --------------------------------------------------------------------------------------------------------------


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


# Reading -------------------------------------------------------------------------------------------------------------


def test_a_slow_room_whose_rights_have_changed_is_left_out(room):
    append(room, *drafts("a"))

    assert log.append({room.pk: [draft("b", slow_seconds=5)]}, access_versions={room.pk: 7}) == {}
