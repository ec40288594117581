"""Rows of stored files: release, removal from the storage, and access."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from django_roomchat.files import records, storage
from django_roomchat.messages.attachments import (
    file_of,
)
from django_roomchat.messages.edit import delete_message, edit_message
from django_roomchat.messages.history import prune_history, read_history
from django_roomchat.messages.post import post_message
from django_roomchat.models import (
    Attachment,
    Mute,
    Room,
)
from tests.support.attachments import ANA, BO, event, say, upload
from tests.support.refusals import code
from tests.support.uploads import picture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("media_folder")]


@pytest.fixture
def without_removing(monkeypatch):
    """A storage that removes nothing while it is in use."""

    def fail(name):
        raise OSError("the storage is down")

    with monkeypatch.context() as down:
        down.setattr(storage, "remove", fail)
        yield


# Changing and deleting -----------------------------------------------------------------------------------------------


def test_an_edit_keeps_the_files_and_may_take_the_text_away():
    say(upload(), body="look")

    edit_message("lobby", 1, "", by=ANA)
    edited = event(1)

    assert (edited.body, [file.name for file in edited.files]) == ("", ["notes.txt"])
    assert code(edit_message, "lobby", 1, "look again", by=ANA) is None


def test_a_text_alone_cannot_be_taken_away():
    say(body="hi")

    assert (code(edit_message, "lobby", 1, " ", by=ANA), event(1).body) == ("bad_text", "hi")


def test_a_deleted_message_has_no_files(stored):
    say(upload(picture("PNG", (1000, 500)), "field.png"), upload())
    before = stored()

    delete_message("lobby", 1, by=ANA)

    assert (before, stored(), event(1).files, Attachment.objects.count()) == (3, 0, None, 0)


def test_a_file_goes_when_the_deletion_is_committed_and_not_before(stored):
    file = upload()
    say(file)

    with transaction.atomic():
        delete_message("lobby", 1, by=ANA)
        within = (stored(), code(file_of, BO, "lobby", file.pk))

    assert (within, stored()) == ((1, "no_such_file"), 0)


def test_a_deletion_that_is_rolled_back_keeps_the_file(stored):
    file = upload()
    say(file)

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        delete_message("lobby", 1, by=ANA)
        raise ZeroDivisionError

    assert (stored(), file_of(BO, "lobby", file.pk), len(event(1).files)) == (1, file, 1)


def test_what_the_storage_does_not_remove_is_removed_later(stored, monkeypatch, caplog):
    file = upload()
    say(file)

    def fail(name):
        raise OSError("the storage is down")

    with monkeypatch.context() as down:
        down.setattr(storage, "remove", fail)
        delete_message("lobby", 1, by=ANA)
    left = (stored(), code(file_of, BO, "lobby", file.pk))

    call_command("roomchat_prune", verbosity=0)

    assert (left, stored(), Attachment.objects.count()) == ((1, "no_such_file"), 0, 0)
    assert "could not be removed from its storage" in caplog.text


def test_a_file_that_the_storage_has_lost_already_is_fine(media_folder, stored):
    file = upload()
    say(file)
    (media_folder / file.stored).unlink()

    delete_message("lobby", 1, by=ANA)

    assert (stored(), Attachment.objects.count()) == (0, 0)


def test_what_is_pruned_goes_with_its_files(stored):
    for _ in range(3):
        say(upload())
    kept = upload()

    prune_history(keep=1)

    assert (stored(), Attachment.objects.filter(seq=3).count(), records.rows().get(seq=None)) == (2, 1, kept)


def test_a_dry_run_removes_no_file(stored):
    say(upload())
    old = upload()
    Attachment.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=2))

    call_command("roomchat_prune", keep=1, dry_run=True, verbosity=0)

    assert stored() == 2


def test_a_room_that_is_deleted_goes_with_its_files(stored):
    say(upload())
    upload()
    other = upload(room="kitchen")

    Room.objects.get(name="lobby").delete()

    assert (stored(), list(records.rows())) == (1, [other])


def test_a_room_whose_deletion_is_rolled_back_keeps_its_files(stored):
    say(upload())

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        Room.objects.get(name="lobby").delete()
        raise ZeroDivisionError

    assert (stored(), len(event(1).files)) == (1, 1)


@pytest.mark.parametrize(("hours", "left"), [(23, 1), (25, 0)])
def test_what_is_never_sent_goes_after_a_day(hours, left, stored):
    sent, waiting = upload(), upload()
    say(sent)
    Attachment.objects.update(created_at=timezone.now() - timedelta(hours=hours))

    call_command("roomchat_prune", verbosity=0)

    assert (Attachment.objects.filter(pk=waiting.pk).count(), stored()) == (left, 1 + left)


def test_many_files_go_at_once(monkeypatch, stored):
    monkeypatch.setattr(records, "BATCH", 2)
    say(*(upload() for _ in range(5)))

    delete_message("lobby", 1)

    assert (stored(), Attachment.objects.count()) == (0, 0)


# Handing out ---------------------------------------------------------------------------------------------------------


def test_who_may_enter_the_room_gets_what_was_sent():
    file = upload()
    before = [code(file_of, who, "lobby", file.pk) for who in (ANA, BO)]
    say(file)
    Mute.objects.create(room=file.room, key=BO.key)

    assert before == [None, "no_such_file"]
    assert [code(file_of, who, "lobby", file.pk) for who in (ANA, BO)] == [None, None]


def test_a_file_is_found_in_its_own_room_only():
    file = upload()
    say(file)
    post_message("kitchen", "hi")

    assert [code(file_of, BO, room, file.pk) for room in ("Lobby", "kitchen", "nowhere")] == [
        None,
        "no_such_file",
        "no_such_file",
    ]


def test_a_file_that_was_let_go_is_nobodys(without_removing):
    file = upload()
    say(file)
    delete_message("lobby", 1)

    assert [code(file_of, who, "lobby", file.pk) for who in (ANA, BO)] == ["no_such_file"] * 2
    row = Attachment.objects.get()
    assert (row.key, row.name, row.room, row.seq) == ("", "", None, None)


def test_a_file_is_called_by_its_name():
    assert str(Attachment(name="notes.txt")) == "notes.txt"


def test_messages_without_files_ask_for_none(django_assert_num_queries):
    say(upload(), body="hi")
    say(body="hi")
    with_files = read_history("lobby", by=BO)

    with django_assert_num_queries(2):
        assert read_history("lobby", by=BO).messages == with_files.messages
