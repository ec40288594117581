"""Edits and deletions of messages."""

import pytest
from django.contrib.auth.models import User

from django_roomchat.errors import (
    BadText,
    Forbidden,
    NotFound,
)
from django_roomchat.messages.edit import adelete_message, aedit_message, delete_message, edit_message
from django_roomchat.messages.history import aread_history
from django_roomchat.messages.post import apost_message, post_message
from django_roomchat.models import Message
from django_roomchat.moderation import sanctions
from django_roomchat.moderation.sanctions import aunban
from tests.support.posts import ANA, BOB, messages, ranges

pytestmark = pytest.mark.django_db


def test_an_edit_takes_the_next_number_and_is_told(published, django_capture_on_commit_callbacks):
    post_message("lobby", "hi", author=ANA)

    with django_capture_on_commit_callbacks(execute=True):
        done = edit_message("Lobby", 1, "\nother words ", by=ANA)

    message = Message.objects.get()
    assert (done.room, done.seq, done.duplicate) == ("lobby", 1, False)
    assert (message.rev, message.body, message.edited_at is not None) == (2, "other words", True)
    assert ranges(published) == [("lobby", 1, 2, ["other words"])]


def test_a_deletion_erases_the_words_and_keeps_the_place(published, django_capture_on_commit_callbacks):
    post_message("lobby", "hi", author=ANA)
    Message.objects.update(data={"link": "x"})

    with django_capture_on_commit_callbacks(execute=True):
        done = delete_message("lobby", 1, by=ANA)

    message = Message.objects.get()
    assert (done.seq, message.rev, message.body, message.data) == (1, 2, "", {})
    assert message.deleted_at is not None
    assert ranges(published) == [("lobby", 1, 2, [""])]


@pytest.mark.parametrize(
    "repeat",
    [lambda: edit_message("lobby", 1, "hi", by=ANA), lambda: delete_message("lobby", 1, by=ANA)],
)
def test_a_change_that_was_made_before_is_a_duplicate_and_not_told(
    published, django_capture_on_commit_callbacks, repeat
):
    post_message("lobby", "hi", author=ANA)
    if repeat.__code__.co_names[0] == "delete_message":
        repeat()

    with django_capture_on_commit_callbacks(execute=True):
        done = repeat()

    assert (done.duplicate, published) == (True, [])


def test_what_was_deleted_cannot_be_edited():
    post_message("lobby", "hi", author=ANA)
    delete_message("lobby", 1, by=ANA)

    with pytest.raises(NotFound) as caught:
        edit_message("lobby", 1, "back again", by=ANA)

    assert caught.value.detail == "Message 1 was deleted."
    assert Message.objects.get().body == ""


@pytest.mark.parametrize(
    "change",
    [
        lambda who: edit_message("lobby", 1, "x", by=who),
        lambda who: delete_message("lobby", 1, by=who),
    ],
)
def test_nobody_changes_what_others_said_but_those_who_may(change):
    post_message("lobby", "hi", author=ANA)

    with pytest.raises(Forbidden) as caught:
        change(BOB)

    assert caught.value.detail == "This message is not yours."
    assert messages() == [(1, "hi", "g:ana", "Ana", "user")]
    assert change(None).seq == 1


def test_staff_may_delete_and_not_edit_what_others_said():
    staff = User.objects.create_user("staff", is_staff=True)
    post_message("lobby", "hi", author=ANA)

    with pytest.raises(Forbidden):
        edit_message("lobby", 1, "x", by=staff)

    assert delete_message("lobby", 1, by=staff).seq == 1


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        (lambda: edit_message("nowhere", 1, "x"), "There is no message 1 in this room."),
        (lambda: delete_message("lobby", 9), "There is no message 9 in this room."),
    ],
)
def test_what_is_not_there_cannot_be_changed(change, detail):
    post_message("lobby", "hi")

    with pytest.raises(NotFound) as caught:
        change()

    assert caught.value.detail == detail


def test_an_edit_to_nothing_is_refused():
    post_message("lobby", "hi")

    with pytest.raises(BadText):
        edit_message("lobby", 1, " ")


@pytest.mark.django_db(transaction=True)
async def test_the_twins_do_the_same():
    await apost_message("lobby", "hi", author=ANA)
    await aedit_message("lobby", 1, "other words", by=ANA)
    history = await aread_history("lobby", by=ANA)
    await adelete_message("lobby", 1, by=ANA)
    await sanctions.aban("lobby", BOB)
    await aunban("lobby", BOB)

    assert [event.body for event in history.messages] == ["other words"]
    assert [event.body for event in (await aread_history("lobby", by=BOB)).messages] == [""]
