"""Changes of stored messages, pruning and the audit of the numbers."""

import pytest

from django_roomchat import log
from django_roomchat.errors import NotFound
from django_roomchat.log import Appended, Stored
from django_roomchat.models import Message, RoomLog
from tests.support.log import append, drafts, in_threads, make_room, say, stored

pytestmark = pytest.mark.django_db(transaction=True)

# Changing ------------------------------------------------------------------------------------------------------------


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


# Rights --------------------------------------------------------------------------------------------------------------


def test_a_change_in_a_room_whose_rights_have_changed_is_not_made(database):
    room = make_room(access_version=5)
    append(room, *drafts("a"))

    refused = log.change(room.pk, 1, say("other words"), access_version=4)
    made = log.change(room.pk, 1, say("other words"), access_version=5)

    assert (refused, made.head) == (None, 2)


# Pruning and auditing ------------------------------------------------------------------------------------------------


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
