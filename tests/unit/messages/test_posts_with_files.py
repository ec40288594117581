"""Messages with files, from the post to the frames that other members receive."""

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User

from django_roomchat.consumers import ChatConsumer
from django_roomchat.identity import of_user
from django_roomchat.messages.attachments import (
    aattach_file,
    cancel_upload,
)
from django_roomchat.messages.edit import delete_message
from django_roomchat.messages.post import post_message, post_messages
from django_roomchat.messages.types import NewPost
from django_roomchat.models import (
    Attachment,
    Message,
    Room,
    RoomLog,
)
from django_roomchat.protocol import FileToPost, encode_event
from django_roomchat.signals import message_posted
from django_roomchat.testing import ChatClient
from tests.support.attachments import ANA, BO, event, say, told, upload
from tests.support.caches import clear_caches
from tests.support.people import at_once
from tests.support.refusals import code
from tests.support.uploads import TEXT, picture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("media_folder")]
urlpatterns: list = []
"""URL patterns of a project that does not include those of the package."""


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
    settings.ROOT_URLCONF = __name__

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


def test_a_file_of_another_user_is_refused():
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
    cancel_upload(ANA, "lobby", file.pk)

    assert (stored(), Attachment.objects.count(), code(say, file)) == (0, 0, "bad_file")


def test_nobody_takes_back_what_is_not_theirs_or_was_sent(stored):
    sent, waiting = upload(), upload()
    say(sent)

    assert [
        code(cancel_upload, BO, "lobby", waiting.pk),
        code(cancel_upload, ANA, "kitchen", waiting.pk),
        code(cancel_upload, ANA, "lobby", sent.pk),
    ] == ["no_such_file"] * 3
    assert stored() == 2


async def test_a_socket_sends_files_and_receives_their_descriptions():
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


async def test_events_for_other_members_contain_the_files():
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


async def test_the_tutorials_page_receives_the_urls_of_files():
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
