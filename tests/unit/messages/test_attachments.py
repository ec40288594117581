"""Uploads of files for messages: types, limits, rights and storage."""

from io import BytesIO

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction
from django.utils import timezone, translation

from django_roomchat.conf import FILE_TYPES
from django_roomchat.errors import Unsupported
from django_roomchat.files import images, records, storage
from django_roomchat.messages.attachments import (
    aattach_file,
    attach_file,
    offered_types,
)
from django_roomchat.messages.post import apost_message, post_message
from django_roomchat.messages.room_list import unread
from django_roomchat.models import (
    Attachment,
    Message,
    Room,
    RoomLog,
)
from django_roomchat.moderation.sanctions import ban
from django_roomchat.policy import NOT_ALLOWED, OpenPolicy, rate_limits, rights
from django_roomchat.rooms import lookup
from tests.support.attachments import ANA, BO, event, say, told, upload
from tests.support.refusals import code
from tests.support.uploads import PDF, SAMPLES, TEXT, heic, movie, mp4, picture, webm

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("media_folder")]


def content_of(file):
    with storage.open_file(file.stored) as opened:
        return opened.read()


@pytest.mark.parametrize("kind", FILE_TYPES)
def test_every_type_is_taken_by_its_content(kind):
    file = upload(SAMPLES[kind], "it")

    stored = images.stored_type(kind)
    assert (file.content_type, file.key, file.room.name, file.seq) == (stored, ANA.key, "lobby", None)


def test_what_is_no_image_is_kept_to_the_byte(stored):
    file = upload(PDF, "paper.pdf")

    assert (content_of(file), file.bytes, file.width, file.thumb, stored()) == (PDF, len(PDF), None, "", 1)


def test_an_image_is_kept_with_its_size_and_a_small_one(stored):
    file = upload(picture("JPEG", (1000, 500)), "field.jpg")

    assert (file.width, file.height, file.bytes, stored()) == (1000, 500, len(content_of(file)), 2)


def test_a_storage_name_discloses_nothing(media_folder):
    file = upload(b"<script>alert(1)</script>", "evil.html")

    [path] = [path for path in media_folder.rglob("*") if path.is_file()]
    assert (path.suffix, str(file.pk) in str(path), "evil" in str(path)) == ("", False, False)
    assert path.is_relative_to(media_folder / "roomchat")


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


OLD_FILES = [
    ("memo.hwp", "application/x-ole-storage"),
    ("letter.doc", "application/x-ole-storage"),
    ("table.xls", "application/x-ole-storage"),
    ("data.7z", "application/x-7z-compressed"),
    ("data.rar", "application/vnd.rar"),
    ("data.tar.gz", "application/gzip"),
]


@pytest.mark.parametrize(("name", "kind"), OLD_FILES)
def test_a_site_may_take_old_documents_and_archives_by_one_setting(settings, name, kind):
    assert code(upload, SAMPLES[kind], name) == "unsupported"
    for types in ([kind], ["application/octet-stream"]):
        settings.ROOMCHAT = {"ATTACHMENT_EXTRA_TYPES": types}

        file = upload(SAMPLES[kind], name)

        assert (file.content_type, file.name) == (kind, name)
    assert upload(picture()).content_type == "image/png"


@pytest.mark.parametrize(
    ("types", "extra", "accepted"),
    [
        (["image/png", "text/plain"], [], "PNG, text files"),
        (["application/pdf", "application/zip"], ["application/vnd.rar"], "PDF, ZIP, Office documents, RAR"),
        (["audio/mp4", "video/mp4", "video/quicktime"], [], "M4A, MP4, MOV"),
    ],
)
def test_the_refusal_of_a_file_says_what_is_accepted(settings, types, extra, accepted):
    settings.ROOMCHAT = {"ATTACHMENT_TYPES": types, "ATTACHMENT_EXTRA_TYPES": extra}

    assert told(upload, SAMPLES["application/x-7z-compressed"], "data.7z") == (
        f"Files of this type are not accepted here. Accepted: {accepted}."
    )


def test_the_refusal_is_in_the_language_of_the_reader(settings):
    settings.ROOMCHAT = {"ATTACHMENT_TYPES": ["text/plain"]}
    with pytest.raises(Unsupported) as refusal:
        upload(SAMPLES["application/vnd.rar"])

    with translation.override("de"):
        said = refusal.value.detail

    assert said == "Dateien dieser Art werden hier nicht angenommen. Angenommen werden: Textdateien."


@pytest.mark.parametrize(
    ("content", "name", "about"),
    [
        (mp4(b"isom", b"iso2", tracks=[b"soun"]), "android.m4a", ("audio/mp4", "android.m4a")),
        (mp4(b"mp42", tracks=[b"soun"]), "memo.mp4", ("audio/mp4", "memo.mp4")),
        (mp4(b"3gp4", tracks=[b"soun"]), "voice.3gp", ("audio/mp4", "voice.3gp")),
        (webm(2), "talk.webm", ("audio/webm", "talk.webm")),
        (mp4(b"XAVC", b"mp42"), "camera.mp4", ("video/mp4", "camera.mp4")),
        (movie(b"vide"), "old.mov", ("video/quicktime", "old.mov")),
        (heic(), "IMG_1234.HEIC", ("image/jpeg", "IMG_1234.jpg")),
        (heic(), "IMG_1234.jpg", ("image/jpeg", "IMG_1234.jpg")),
        (picture("AVIF"), "photo.avif", ("image/webp", "photo.webp")),
    ],
)
def test_files_of_phones_keep_their_names_and_are_shown_as_what_they_are(content, name, about):
    file = upload(content, name)

    assert (file.content_type, file.name) == about


def test_the_message_describes_a_text_without_its_charset():
    file = upload("메모\r\n".encode("cp949"), "memo.txt")

    assert (file.content_type, records.describe_unsent(file, "lobby")["type"]) == (
        "text/plain; charset=euc-kr",
        "text/plain",
    )


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("می\u200cخواهم.txt", "می\u200cخواهم.txt"),
        ("क्\u200dष.txt", "क्\u200dष.txt"),
        ("👩\u200d💻.txt", "👩\u200d💻.txt"),
        ("a\u200db\u200c.txt\u200d", "ab.txt"),
        ("می\u200c\u200c\u200cخواهم\u200c.txt", "می\u200cخواهم.txt"),
        ("50%22 is literal.txt", "50%22 is literal.txt"),
    ],
)
def test_the_name_of_a_file_keeps_the_joiners_that_its_script_needs(given, shown):
    assert upload(TEXT, given).name == shown


@pytest.mark.parametrize("kind", ["image/avif", "image/heic"])
def test_images_without_a_decoder_are_not_offered_and_refused(kind, monkeypatch):
    assert kind in offered_types()
    monkeypatch.setattr("django_roomchat.files.images._has_avif", lambda: False)
    monkeypatch.setattr("django_roomchat.files.images.find_spec", lambda name: name == "PIL" or None)

    assert kind not in offered_types()
    assert [code(upload, SAMPLES[one]) for one in (kind, "image/webp")] == ["unsupported", None]


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
