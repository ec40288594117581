"""Files in reports, removal by moderators, exports, quotes, room lists and search."""

import pytest

from django_roomchat.files import records
from django_roomchat.messages.attachments import (
    aattach_file,
    aremove_file,
    remove_file,
)
from django_roomchat.messages.post import post_message
from django_roomchat.messages.room_list import unread
from django_roomchat.messages.search import search_messages
from django_roomchat.models import (
    Attachment,
    AuditEntry,
    Membership,
    Message,
    Room,
    RoomLog,
)
from django_roomchat.moderation.reports import report_message
from django_roomchat.privacy import erase_user, export_user
from django_roomchat.rooms import lookup
from tests.support.attachments import ANA, BO, MOD, event, hold_texts, say, upload
from tests.support.refusals import code
from tests.support.uploads import PDF, TEXT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("media_folder")]

# Shown elsewhere -----------------------------------------------------------------------------------------------------


def test_a_quote_of_files_is_their_names():
    say(upload(), upload(PDF, "paper.pdf"))
    say(upload(), body="look")

    answers = [post_message("lobby", "yes", reply_to=seq).seq for seq in (1, 2)]

    assert [event(seq).quote.body for seq in answers] == ["notes.txt, paper.pdf", "look"]


def test_the_list_of_rooms_shows_the_names_of_files():
    say(upload())

    assert [room.last.body for room in unread(BO)] == ["notes.txt"]


def test_the_name_of_a_file_is_found(django_assert_num_queries):
    say(upload(TEXT, "Rechnung 2026.txt"))
    say(upload(TEXT, "other.txt"), body="rechnung folgt")
    say(upload(TEXT, "other.txt"), body="no")

    found = search_messages("RECHNUNG", room="lobby", by=BO).hits

    assert [(hit.seq, hit.excerpt) for hit in found] == [
        (2, ["", "rechnung", " folgt\nother.txt"]),
        (1, ["", "Rechnung", " 2026.txt"]),
    ]
    assert [hit.seq for hit in search_messages("folgt other", by=BO).hits] == [2]


def test_a_file_that_was_not_sent_is_not_found():
    say(body="hi")
    upload(TEXT, "secret.txt")

    assert search_messages("secret", by=BO).hits == []


def test_what_is_said_of_a_private_file_is_not_found_by_others():
    room = Room.objects.create(name="~x", title="Private", visibility="private")
    RoomLog.objects.create(room=room, access_version=1)
    Membership.objects.create(room=room, key=ANA.key, name="Ana")
    say(upload(TEXT, "secret.txt", room="~x"), room="~x")

    assert [len(search_messages("secret", by=who).hits) for who in (ANA, BO)] == [1, 0]


# Moderation and privacy ----------------------------------------------------------------------------------------------


def test_a_report_says_what_files_there_were():
    say(upload())

    assert report_message("lobby", 1, by=BO).body == "notes.txt"


def test_a_moderator_takes_a_file_down(stored):
    keep, bad = upload(), upload(PDF, "bad.pdf")
    say(keep, bad, body="look")
    Membership.objects.create(room=lookup.room_of("lobby"), key=MOD.key, name="Mod", role="moderator")
    RoomLog.objects.update(access_version=1)

    remove_file(records.rows().get(pk=bad.pk), by=MOD)

    left = event(1)
    assert (left.body, [file.id for file in left.files], left.rev, stored()) == ("look", [str(keep.pk)], 2, 1)
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.by_key, entry.target_key, entry.data) == (
        "remove_file",
        MOD.key,
        ANA.key,
        {"seq": 1, "name": "bad.pdf"},
    )


def test_others_take_no_file_down(stored):
    file = upload()
    say(file)

    assert (code(remove_file, records.rows().get(), by=BO), stored()) == ("forbidden", 1)


def test_a_message_that_was_only_the_file_is_deleted(stored):
    say(upload())

    remove_file(records.rows().get())

    assert (event(1).deleted_at is None, stored()) == (False, 0)


def test_the_last_file_leaves_a_message_with_its_text():
    say(upload(), body="look")

    remove_file(records.rows().get())

    assert (event(1).body, event(1).files, Message.objects.get().data) == ("look", None, {})


def test_an_upload_that_was_not_sent_is_taken_down(stored):
    file = upload()

    remove_file(file)
    remove_file(Attachment(room=None))

    assert (stored(), Attachment.objects.count()) == (0, 0)


async def test_a_file_is_taken_down_from_asynchronous_code(stored):
    file = await aattach_file("lobby", TEXT, "notes.txt", by=ANA)

    await aremove_file(file)

    assert stored() == 0


def test_files_of_a_person_are_handed_out():
    say(upload())
    upload(PDF, "paper.pdf")

    handed = export_user(ANA)["files"]

    assert [(one["room"], one["seq"], one["name"], one["content_type"]) for one in handed] == [
        ("lobby", 1, "notes.txt", "text/plain"),
        ("lobby", None, "paper.pdf", "application/pdf"),
    ]
    assert export_user(BO)["files"] == []


def test_a_person_is_erased_with_their_files(stored, settings):
    settings.ROOMCHAT = {"FILTER": hold_texts}
    say(upload())
    code(say, upload(), body="see")
    upload()
    say(upload(author=BO), author=BO)
    assert stored() == 4

    erase_user(ANA)

    assert (stored(), [row.key for row in records.rows()], event(1).files) == (1, [BO.key], None)
    assert len(event(2).files) == 1
