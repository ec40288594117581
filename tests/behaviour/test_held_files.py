"""Files of messages that the content filter holds."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from django_roomchat.files import records
from django_roomchat.filters import Change, Hold, Refuse
from django_roomchat.messages.attachments import (
    cancel_upload,
    file_of,
)
from django_roomchat.messages.edit import delete_message, edit_message
from django_roomchat.models import (
    Attachment,
    HeldMessage,
    Membership,
    RoomLog,
)
from django_roomchat.moderation.held import refuse, release
from django_roomchat.protocol import FileToPost
from django_roomchat.rooms import lookup
from tests.support.attachments import ANA, BO, MOD, event, hold_all, hold_texts, say, upload
from tests.support.refusals import code
from tests.support.uploads import TEXT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("media_folder")]


@pytest.fixture
def held(settings):
    """A post with a file, which waits for a moderator."""
    settings.ROOMCHAT = {"FILTER": hold_texts}
    file = upload()
    assert code(say, FileToPost(str(file.pk), "notes"), body="see", id="held") == "held"
    return HeldMessage.objects.get(), file


def test_what_is_held_keeps_its_files_and_is_posted_with_them(held):
    waiting, file = held
    Attachment.objects.update(created_at=timezone.now() - timedelta(days=9))
    call_command("roomchat_prune", verbosity=0)

    release(waiting)

    assert [(one.id, one.alt) for one in event(1).files] == [(str(file.pk), "notes")]
    assert (Attachment.objects.get().seq, Attachment.objects.get().held_as) == (1, "")


def test_what_is_refused_goes_with_its_files(held, stored):
    waiting, _file = held
    other = upload()

    refuse(waiting)
    refuse(waiting)

    assert (stored(), list(records.rows())) == (1, [other])


def test_what_is_held_is_in_no_other_message(held):
    waiting, file = held

    assert [code(say, file, body="again"), code(cancel_upload, ANA, "lobby", file.pk)] == [
        "bad_file",
        "no_such_file",
    ]
    release(waiting)
    assert event(1).body == "see"


def test_what_was_held_and_is_thrown_away_goes_after_a_day(held, stored):
    waiting, _file = held
    waiting.delete()
    Attachment.objects.update(created_at=timezone.now() - timedelta(days=9))

    call_command("roomchat_prune", verbosity=0)

    assert stored() == 0


def test_who_moderates_looks_at_what_is_held(held):
    _waiting, file = held
    Membership.objects.create(room=lookup.room_of("lobby"), key=MOD.key, name="Mod", role="moderator")
    RoomLog.objects.update(access_version=1)
    other = upload()

    assert [code(file_of, who, "lobby", file.pk) for who in (ANA, MOD, BO)] == [None, None, "no_such_file"]
    assert code(file_of, MOD, "lobby", other.pk) == "no_such_file"


def test_a_retry_of_what_is_held_is_held_on(held):
    waiting, file = held

    assert code(say, FileToPost(str(file.pk), "notes"), body="see", id="held") == "held"
    assert HeldMessage.objects.get() == waiting


ASKED = []


def ask(room, who, body):
    ASKED.append(body)
    return {"bad.txt": Refuse("Not so."), "odd.txt": Change("even.txt"), "new.txt": Hold("look")}.get(body)


def test_the_filter_is_asked_about_names_and_descriptions(settings):
    settings.ROOMCHAT = {"FILTER": ask}
    ASKED.clear()

    say(FileToPost(str(upload().pk), "A list"), body="hi")
    say(upload())

    assert ASKED == ["notes.txt\nA list", "hi", "notes.txt"]


def test_a_name_that_the_filter_does_not_take_is_refused(settings):
    settings.ROOMCHAT = {"FILTER": ask}

    assert [code(say, upload(TEXT, f"{name}.txt"), body="hi") for name in ("bad", "odd", "new", "good")] == [
        "filtered",
        "filtered",
        "held",
        None,
    ]


def test_a_retry_of_what_was_stored_is_not_asked_about(settings):
    file = upload(TEXT, "bad.txt")
    say(file, id="once")
    settings.ROOMCHAT = {"FILTER": ask}

    assert say(file, id="once").duplicate
    delete_message("lobby", 1)
    assert say(file, id="once").duplicate


def test_a_text_is_taken_from_a_message_with_files_without_asking(settings):
    say(upload(), body="look")
    settings.ROOMCHAT = {"FILTER": hold_all}

    assert code(edit_message, "lobby", 1, "", by=ANA) is None
