"""Files of messages: uploaded, bound to the post that names them, and gone from the storage when nobody has them any more."""

from datetime import timedelta
from io import BytesIO

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from django_roomchat.consumers import ChatConsumer
from django_roomchat.errors import ChatError
from django_roomchat.files import records, storage
from django_roomchat.filters import Change, Hold, Refuse
from django_roomchat.identity import Identity, of_user
from django_roomchat.messages.attachments import (
    aattach_file,
    aremove_file,
    attach_file,
    file_of,
    remove_file,
    take_back,
)
from django_roomchat.messages.edit import delete_message, edit_message
from django_roomchat.messages.history import prune_history, read_history
from django_roomchat.messages.post import apost_message, post_message, post_messages
from django_roomchat.messages.room_list import unread
from django_roomchat.messages.search import search_messages
from django_roomchat.messages.types import NewPost
from django_roomchat.models import (
    Attachment,
    AuditEntry,
    HeldMessage,
    Membership,
    Message,
    Mute,
    Room,
    RoomLog,
)
from django_roomchat.moderation.held import refuse, release
from django_roomchat.moderation.reports import report_message
from django_roomchat.moderation.sanctions import ban
from django_roomchat.policy import NOT_ALLOWED, OpenPolicy, rate_limits, rights
from django_roomchat.privacy import erase_user, export_user
from django_roomchat.protocol import FileToPost, encode_event
from django_roomchat.rooms import lookup
from django_roomchat.signals import message_posted
from django_roomchat.testing import ChatClient
from tests.support.caches import clear_caches
from tests.support.people import at_once
from tests.support.uploads import PDF, SAMPLES, TEXT, picture

pytestmark = pytest.mark.django_db(transaction=True)
urlpatterns: list = []
"""Of a project that has left the package's addresses out."""
ANA, BO, MOD = (Identity(f"u:{name.lower()}", name) for name in ("Ana", "Bo", "Mod"))


@pytest.fixture(autouse=True)
def _place(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def stored(tmp_path):
    """How many files there are in the storage."""
    return lambda: sum(path.is_file() for path in tmp_path.rglob("*"))


@pytest.fixture
def without_removing(monkeypatch):
    """A storage that removes nothing while it is in use."""

    def fail(name):
        raise OSError("the storage is down")

    with monkeypatch.context() as down:
        down.setattr(storage, "remove", fail)
        yield


def code(act, *about, **options):
    try:
        act(*about, **options)
    except ChatError as error:
        return error.code
    return None


def told(act, *about, **options):
    with pytest.raises(ChatError) as caught:
        act(*about, **options)
    return caught.value.detail


def upload(content=TEXT, name="notes.txt", room="lobby", author=ANA):
    return attach_file(room, content, name, by=author)


def say(*given, body="", room="lobby", author=ANA, **options):
    return post_message(room, body, author=author, files=given, **options)


def event(seq, room="lobby", who=BO):
    return next(one for one in read_history(room, by=who).messages if one.seq == seq)


def content_of(file):
    with storage.open_file(file.stored) as opened:
        return opened.read()


# Uploading --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(set(SAMPLES) - {"application/octet-stream"}))
def test_every_type_is_taken_by_its_content(kind):
    file = upload(SAMPLES[kind], "it")

    assert (file.content_type, file.key, file.room.name, file.seq) == (kind, ANA.key, "lobby", None)


def test_what_is_no_image_is_kept_to_the_byte(stored):
    file = upload(PDF, "paper.pdf")

    assert (content_of(file), file.bytes, file.width, file.thumb, stored()) == (PDF, len(PDF), None, "", 1)


def test_an_image_is_kept_with_its_size_and_a_small_one(stored):
    file = upload(picture("JPEG", (1000, 500)), "field.jpg")

    assert (file.width, file.height, file.bytes, stored()) == (1000, 500, len(content_of(file)), 2)


def test_a_name_in_the_storage_tells_nothing(tmp_path):
    file = upload(b"<script>alert(1)</script>", "evil.html")

    [path] = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert (path.suffix, str(file.pk) in str(path), "evil" in str(path)) == ("", False, False)
    assert path.is_relative_to(tmp_path / "roomchat")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("notes.txt", "notes.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ana\\notes.txt", "notes.txt"),
        ("no\x00tes\r\n.txt", "notes.txt"),
        ("\u202etxt.exe", "txt.exe"),
        ("메모 파일.txt", "메모 파일.txt"),
        ("e\u0301te\u0301.txt", "été.txt"),
        ("  two   spaces .txt", "two spaces .txt"),
        ("a" + "\u0301" * 30 + ".txt", "á.txt"),
        ("..", "file"),
        ("", "file"),
        ("/", "file"),
        (".bashrc", "bashrc"),
        ("x" * 300 + ".txt", "x" * 96 + ".txt"),
        ("x" * 300, "x" * 100),
        ("half\ud800.txt", "half.txt"),
        ("\ufdd0.txt", "txt"),
    ],
)
def test_a_name_is_shown_as_it_may_be_shown(given, shown):
    assert upload(TEXT, given).name == shown


def test_the_name_of_an_open_file_is_its_own():
    file = BytesIO(TEXT)
    file.name = "/srv/ana/notes.txt"

    assert attach_file("lobby", file, by=ANA).name == "notes.txt"


def test_what_a_file_is_its_name_cannot_deny():
    assert [upload(TEXT, "cat.png").name, upload(picture("GIF"), "cat.png").name] == [
        "cat.png.txt",
        "cat.png.gif",
    ]


def test_an_empty_file_is_refused(stored):
    assert (code(upload, b""), stored(), Attachment.objects.count()) == ("bad_file", 0, 0)


def test_a_file_may_be_so_big_and_no_bigger(settings):
    settings.ROOMCHAT = {"ATTACHMENT_MAX_BYTES": 1_500_000}

    assert [code(upload, b"x" * 1_500_000), code(upload, b"x" * 1_500_001)] == [None, "too_big"]
    assert told(upload, b"x" * 1_500_001) == "A file can have at most 1.43 MB."


@pytest.mark.parametrize("content", [SAMPLES["application/octet-stream"], SAMPLES["audio/flac"]])
def test_a_type_that_the_site_does_not_take_is_refused(settings, content):
    settings.ROOMCHAT = {"ATTACHMENT_TYPES": ["image/png", "text/plain"]}

    assert [code(upload, content, "it.png"), code(upload, TEXT)] == ["unsupported", None]


def test_a_site_may_take_anything(settings):
    settings.ROOMCHAT = {"ATTACHMENT_TYPES": ["application/octet-stream"]}

    file = upload(SAMPLES["application/octet-stream"], "tool.exe")

    assert (file.content_type, file.name) == ("application/octet-stream", "tool.exe")


def test_a_broken_image_leaves_nothing(stored):
    assert (code(upload, picture("PNG")[:40], "cat.png"), stored()) == ("bad_file", 0)
    assert not Attachment.objects.exists()


def test_who_may_not_post_uploads_nothing(stored):
    post_message("lobby", "hi")
    ban("lobby", BO.key)
    Room.objects.create(name="old", title="Old", archived_at=timezone.now())
    RoomLog.objects.create(room=Room.objects.get(name="old"))

    assert [code(upload, author=BO), code(upload, room="old"), code(upload, room=".")] == [
        "banned",
        "archived",
        "bad_room_name",
    ]
    assert stored() == 0


class NoFiles(OpenPolicy):
    def can_attach(self, who, room):
        return NOT_ALLOWED


def test_the_policy_may_say_no_to_files(settings):
    file = upload()
    settings.ROOMCHAT = {"POLICY": NoFiles}

    assert [code(upload), code(say, file), code(say, body="hi")] == ["forbidden", "forbidden", None]
    assert code(upload, author=None) is None


def test_without_a_place_there_are_no_files(settings):
    file = upload()
    settings.MEDIA_ROOT = ""

    assert [code(upload), code(say, file), code(say, body="hi")] == ["no_attachments", "no_attachments", None]


def test_they_can_be_switched_off_and_on(settings):
    settings.ROOMCHAT = {"ATTACHMENTS": False}
    off = storage.is_enabled()
    settings.ROOMCHAT = {"ATTACHMENTS": True}

    assert (off, storage.is_enabled()) == (False, True)


def test_a_storage_that_is_not_the_file_system_is_a_place(settings):
    settings.MEDIA_ROOT = ""
    settings.STORAGES = {
        **settings.STORAGES,
        "chat": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    }
    settings.ROOMCHAT = {"ATTACHMENT_STORAGE": "chat"}

    assert (storage.is_enabled(), content_of(upload())) == (True, TEXT)


def test_it_is_among_the_rights_of_who_may(settings):
    lobby = lookup.room_of("lobby")
    on = rights(ANA, lobby)
    settings.ROOMCHAT = {"POLICY": NoFiles}
    refused = rights(ANA, lobby)
    settings.ROOMCHAT = {"ATTACHMENTS": False}

    assert (on[:2], "attach" in refused, "attach" in rights(ANA, lobby)) == (["post", "attach"], False, False)


def test_uploads_are_limited(monkeypatch):
    monkeypatch.setattr(rate_limits, "rate", {"UPLOADS_PER_USER": rate_limits.Rate(2, 60)}.get)
    with rate_limits.coming_from("192.0.2.7"):
        assert [code(upload) for _ in range(3)] == [None, None, "rate_limited"]

    assert code(upload) is None


def test_the_first_upload_makes_the_room_and_nobody_sees_it_in_the_list():
    file = upload(room="New Room")

    assert (file.room.name, file.room.title, RoomLog.objects.get().head) == ("new room", "New Room", 0)
    assert unread(BO) == []


def test_the_oldest_unsent_uploads_go_when_there_are_many(settings, stored):
    settings.ROOMCHAT = {"ATTACHMENTS_PER_MESSAGE": 1}
    sent, *waiting = (upload() for _ in range(2))
    say(sent)
    waiting += (upload() for _ in range(3))

    assert set(records.rows().values_list("pk", flat=True)) == {sent.pk, *(file.pk for file in waiting[1:])}
    assert stored() == 4


def test_a_storage_that_fails_leaves_nothing(monkeypatch, caplog, stored):
    def fail(name, content):
        raise OSError("disk full")

    monkeypatch.setattr(storage, "save", fail)

    assert (code(upload), stored(), Attachment.objects.count()) == ("unavailable", 0, 0)
    assert "Could not store an uploaded file" in caplog.text


def test_a_storage_that_gives_other_names_is_believed(monkeypatch):
    save = storage.save
    monkeypatch.setattr(storage, "save", lambda name, content: save(f"{name}-2", content))

    file = upload(picture("PNG", (700, 10)), "wide.png")

    row = Attachment.objects.get()
    assert row.stored.endswith("-2") and row.thumb.endswith("-2")
    assert content_of(row) == content_of(file)


def test_what_is_rolled_back_leaves_nothing(stored):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        say(upload())
        raise ZeroDivisionError

    assert (stored(), Attachment.objects.count(), Message.objects.count()) == (0, 0, 0)


def test_within_a_transaction_a_file_is_stored_by_its_commit(stored):
    with transaction.atomic():
        opened = BytesIO(TEXT)
        file = attach_file("lobby", opened, "notes.txt", by=ANA)
        opened.close()
        before = stored()
        say(file)

    assert (before, stored(), content_of(file)) == (0, 1, TEXT)


async def test_files_are_sent_from_asynchronous_code():
    file = await aattach_file("lobby", TEXT, "notes.txt", by=ANA)
    posted = await apost_message("lobby", "", author=ANA, files=[file])

    assert [one.name for one in (await sync_to_async(event)(posted.seq)).files] == ["notes.txt"]


# Posting ----------------------------------------------------------------------------------------------------------


def test_a_message_has_its_files_in_the_order_of_the_post():
    photo, notes = upload(picture("PNG", (1000, 500)), "field.png"), upload()

    posted = say(FileToPost(str(notes.pk)), FileToPost(str(photo.pk), " A green field "), body="see")

    at = "/chat/lobby/files"
    first, second = event(posted.seq).files
    assert (first.id, first.name, first.type, first.bytes, first.url, first.alt) == (
        str(notes.pk),
        "notes.txt",
        "text/plain",
        len(TEXT),
        f"{at}/{notes.pk}/notes.txt",
        "",
    )
    assert (second.width, second.height, second.alt, second.thumb, second.url) == (
        1000,
        500,
        "A green field",
        f"{at}/{photo.pk}/thumb",
        f"{at}/{photo.pk}/field.png",
    )
    assert (first.width, first.thumb, event(posted.seq).body) == (None, None, "see")


def test_an_address_is_made_of_any_name():
    posted = say(*(upload(TEXT, name) for name in ("메모 #1?.txt", "thumb", "100%.txt")))

    urls = [file.url.rpartition("/")[2] for file in event(posted.seq).files]
    assert urls == ["%EB%A9%94%EB%AA%A8%20%231%3F.txt", "thumb.file", "100%25.txt"]


def test_where_the_addresses_are_left_out_there_are_none(settings):
    posted = say(upload(picture("PNG", (1000, 500)), "field.png"))
    settings.ROOT_URLCONF = "tests.unit.messages.test_attachments"

    [file] = event(posted.seq).files

    assert (file.url, file.thumb) == ("", None)


def test_a_post_needs_a_text_or_a_file():
    assert [code(say), code(say, body="  "), code(say, upload()), code(say, upload(), body="hi")] == [
        "bad_text",
        "bad_text",
        None,
        None,
    ]


def test_a_post_has_so_many_files_and_no_more(settings):
    settings.ROOMCHAT = {"ATTACHMENTS_PER_MESSAGE": 2}
    three = [upload() for _ in range(3)]

    assert told(say, *three) == "A message can have at most 2 files."
    assert [code(say, *three), code(say, *three[:2])] == ["too_many", None]


@pytest.mark.parametrize("id", ["", "x", "8d1f2b1e-0000-4000-8000-000000000000", "\u0661" * 32])
def test_a_file_that_is_not_there_is_refused(id):
    assert code(say, FileToPost(id)) == "bad_file"
    assert not Message.objects.exists()


def test_a_file_may_be_named_in_any_spelling():
    posted = say(FileToPost(upload().pk.hex.upper()))

    assert len(event(posted.seq).files) == 1


def test_a_file_of_somebody_else_is_refused():
    assert code(say, upload(author=BO)) == "bad_file"


def test_a_file_of_another_room_is_refused():
    post_message("lobby", "hi")

    assert [code(say, upload(room="kitchen")), code(say, upload(), room="hall")] == ["bad_file"] * 2


def test_a_file_is_in_one_message_only():
    file = upload()
    say(file)

    assert [code(say, file), code(say, upload(), file), code(say, body="x", author=None)] == [
        "bad_file",
        "bad_file",
        None,
    ]
    assert RoomLog.objects.get().head == 2


def test_a_file_is_in_a_message_once():
    file = upload()

    assert (code(say, file, file), code(say, file)) == ("bad_file", None)


def test_what_is_said_of_a_file_has_limits():
    file = str(upload().pk)

    assert [code(say, FileToPost(file, alt)) for alt in ("x" * 501, "a\0b", "x" * 500)] == [
        "bad_text",
        "bad_text",
        None,
    ]


def test_the_project_sends_what_anybody_has_uploaded():
    assert code(say, upload(), author=None) is None
    assert code(say, upload(author=None), author=None) is None


def test_a_retry_is_the_same_message():
    file = upload()

    first, second = (say(file, id="once") for _ in range(2))

    assert (first.seq, first.duplicate, second.seq, second.duplicate) == (1, False, 1, True)


def test_a_retry_after_the_message_was_deleted_is_still_the_same():
    file = upload()
    say(file, id="once")
    delete_message("lobby", 1)

    assert say(file, id="once").duplicate
    assert code(say, file, id="twice") == "bad_file"


def test_other_files_are_another_message():
    one, other = upload(), upload()
    say(one, id="once", body="hi")

    assert [code(say, id="once", body="hi"), code(say, other, id="once", body="hi")] == ["id_reused"] * 2
    assert code(say, FileToPost(str(one.pk), "otherwise"), id="once", body="hi") == "id_reused"
    assert code(say, other) is None


def test_of_two_posts_at_once_one_gets_the_file():
    file = upload()
    post_message("lobby", "hi")

    results = at_once(*(lambda number=number: say(file, id=f"post-{number}") for number in range(4)))

    assert sorted(getattr(one, "code", "posted") for one in results) == ["bad_file"] * 3 + ["posted"]
    assert [Attachment.objects.get().seq, Message.objects.count(), RoomLog.objects.get().head] == [2, 2, 2]


def test_of_two_posts_in_a_batch_the_first_gets_the_file():
    file, other = (FileToPost(str(upload().pk)) for _ in range(2))
    batch = [
        NewPost(ANA, "lobby", "one", "1", files=[file]),
        NewPost(ANA, "lobby", "two", "2", files=[file]),
        NewPost(ANA, "lobby", "three", "3"),
        NewPost(ANA, "lobby", "one", "1", files=[file]),
        NewPost(ANA, "lobby", "four", "4", files=[other]),
    ]

    results = post_messages(batch)

    assert [getattr(one, "seq", None) or one.code for one in results] == [1, "bad_file", 2, 1, 3]


def test_a_post_that_comes_too_soon_keeps_its_files():
    file = upload()
    Room.objects.update(slow_seconds=60)
    clear_caches()
    say(body="hi")

    assert (code(say, file), Attachment.objects.get().seq) == ("rate_limited", None)


def test_a_message_without_files_says_nothing_of_them():
    posted = say(body="hi")

    assert (b"files" in encode_event(event(posted.seq)), Message.objects.get().data) == (False, {})


def test_a_file_that_is_taken_back_is_in_no_message(stored):
    file = upload()
    take_back(ANA, "lobby", file.pk)

    assert (stored(), Attachment.objects.count(), code(say, file)) == (0, 0, "bad_file")


def test_nobody_takes_back_what_is_not_theirs_or_was_sent(stored):
    sent, waiting = upload(), upload()
    say(sent)

    assert [
        code(take_back, BO, "lobby", waiting.pk),
        code(take_back, ANA, "kitchen", waiting.pk),
        code(take_back, ANA, "lobby", sent.pk),
    ] == ["no_such_file"] * 3
    assert stored() == 2


async def test_a_socket_sends_files_and_hears_of_them():
    user = await User.objects.acreate(username="cem")
    mine, foreign = [
        await aattach_file("lobby", TEXT, "notes.txt", by=author) for author in (of_user(user), ANA)
    ]
    async with ChatClient(ChatConsumer.as_asgi(), "lobby", user=user) as client:
        await client.receive("joined")
        for number, file in enumerate((mine, foreign)):
            files = [{"id": str(file.pk), "alt": "notes"}]
            await client.send({"type": "post", "id": f"post-{number}", "body": "", "files": files})

        heard, refused = await client.receive("events"), await client.receive("error")

    assert [file["name"] for file in heard["events"][0]["files"]] == ["notes.txt"]
    assert (refused["code"], refused["id"]) == ("bad_file", "post-1")


async def test_what_others_hear_has_the_files():
    file = await sync_to_async(upload)()
    async with ChatClient(ChatConsumer.as_asgi(), "lobby") as client:
        await client.receive("joined")
        await sync_to_async(say)(FileToPost(str(file.pk), "notes"))

        [heard] = (await client.receive("events"))["events"]

    assert heard["files"] == [
        {
            "id": str(file.pk),
            "name": "notes.txt",
            "type": "text/plain",
            "bytes": len(TEXT),
            "url": f"/chat/lobby/files/{file.pk}/notes.txt",
            "alt": "notes",
        }
    ]


async def test_the_tutorial_hears_the_addresses_of_files():
    async with ChatClient(ChatConsumer.as_asgi(), "lobby", tutorial=True) as client:
        first, second = [await sync_to_async(upload)() for _ in range(2)]
        await sync_to_async(say)(first)
        await sync_to_async(say)(second, body="see")

        heard = [(await client.receive())["message"] for _ in range(2)]

    urls = [f"/chat/lobby/files/{file.pk}/notes.txt" for file in (first, second)]
    assert heard == [urls[0], f"see\n{urls[1]}"]


def test_the_signal_has_the_files():
    heard = []
    message_posted.connect(lambda event, **_: heard.append(event.files), weak=False, dispatch_uid="test")
    try:
        say(upload())
    finally:
        message_posted.disconnect(dispatch_uid="test")

    assert [[file.name for file in one] for one in heard] == [["notes.txt"]]


# Shown elsewhere --------------------------------------------------------------------------------------------------


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


# Changing and deleting --------------------------------------------------------------------------------------------


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


def test_a_file_that_the_storage_has_lost_already_is_fine(tmp_path, stored):
    file = upload()
    say(file)
    (tmp_path / file.stored).unlink()

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


# Held by the content filter ---------------------------------------------------------------------------------------


def hold_all(room, who, body):
    return Hold("look")


def hold_texts(room, who, body):
    return Hold("look") if body.startswith("see") else None


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

    assert [code(say, file, body="again"), code(take_back, ANA, "lobby", file.pk)] == [
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


# Moderation and privacy -------------------------------------------------------------------------------------------


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


# Handing out ------------------------------------------------------------------------------------------------------


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
