"""Files over HTTP: uploaded, taken back and handed out, under WSGI and ASGI, to those who may and to nobody else."""

import json
from io import BytesIO

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test import AsyncClient, Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from django_roomchat.files import http, records, storage
from django_roomchat.identity import of_user
from django_roomchat.messages.attachments import attach_file
from django_roomchat.messages.edit import delete_message
from django_roomchat.messages.post import post_message
from django_roomchat.models import Attachment, HeldMessage, Membership, Message, Room, RoomLog
from django_roomchat.moderation.sanctions import ban
from tests.support.caches import clear_caches
from tests.support.uploads import PDF, SAMPLES, TEXT, picture

pytestmark = pytest.mark.django_db(transaction=True)
UPLOADS = "/chat/lobby/files/"
BOUNDARY = "roomchat-test"


@pytest.fixture(autouse=True)
def _place(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path / "media")


@pytest.fixture
def stored(tmp_path):
    """How many files there are in the storage."""
    return lambda: sum(path.is_file() for path in tmp_path.rglob("*"))


@pytest.fixture
def ana():
    return User.objects.create_user("ana")


@pytest.fixture
def hers(ana):
    signed_in = Client()
    signed_in.force_login(ana)
    return signed_in


def given(content=TEXT, name="notes.txt", kind="application/octet-stream"):
    return SimpleUploadedFile(name, content, kind)


def upload(hers, content=TEXT, name="notes.txt", **options):
    return hers.post(UPLOADS, {"file": given(content, name)}, **options)


def sent(user, content=TEXT, name="notes.txt", room="lobby"):
    """A file that is in a message."""
    file = attach_file(room, content, name, by=user)
    post_message(room, "", author=user, files=[file])
    return file


def url(file, name="notes.txt"):
    return reverse("roomchat:download", args=[file.room.name, file.pk, name])


def body(response):
    return b"".join(response.streaming_content)


def code(response):
    return (response.status_code, response.json()["error"]["code"])


def multipart(*parts):
    """A form as a browser sends it."""
    lines = []
    for name, file_name, content in parts:
        about = f'name="{name}"' + (f'; filename="{file_name}"' if file_name else "")
        lines += [
            f"--{BOUNDARY}\r\nContent-Disposition: form-data; {about}\r\n\r\n".encode(),
            content,
            b"\r\n",
        ]
    return b"".join([*lines, f"--{BOUNDARY}--\r\n".encode()])


# In -----------------------------------------------------------------------------------------------------------------


def test_an_upload_is_answered_with_what_its_message_will_say_of_it(hers):
    response = upload(hers, picture("PNG", (1000, 500)), "field.png")

    told = response.json()
    file = Attachment.objects.get()
    assert (response.status_code, told) == (
        201,
        {
            "id": str(file.pk),
            "name": "field.png",
            "type": "image/png",
            "bytes": file.bytes,
            "width": 1000,
            "height": 500,
            "url": f"{UPLOADS}{file.pk}/field.png",
            "thumb": f"{UPLOADS}{file.pk}/thumb",
        },
    )


def test_what_is_no_image_has_neither_sides_nor_a_small_one(hers):
    assert set(upload(hers).json()) == {"id", "name", "type", "bytes", "url"}


def test_a_guest_uploads_and_posts(client):
    id = upload(client).json()["id"]

    frame = {"type": "post", "id": "a", "body": "", "files": [{"id": id, "alt": "notes"}]}
    answer = client.post("/chat/lobby/frames/", json.dumps(frame), "application/json").json()

    [message] = client.get("/chat/lobby/messages/").json()["messages"]
    assert (answer["type"], answer["seq"], message["files"][0]["alt"]) == ("ack", 1, "notes")


def test_the_json_address_takes_files(hers):
    id = upload(hers).json()["id"]

    said = {"id": "a", "body": "look", "files": [{"id": id}]}
    response = hers.post("/chat/lobby/messages/", json.dumps(said), "application/json")

    assert (response.status_code, Attachment.objects.get().seq) == (201, 1)


@pytest.mark.parametrize(
    ("content", "name", "answer"),
    [
        (b"", "empty.txt", (400, "bad_file")),
        (SAMPLES["application/octet-stream"], "cat.png", (415, "unsupported")),
        (picture("PNG")[:50], "cat.png", (400, "bad_file")),
    ],
)
def test_what_is_not_taken_is_refused_and_not_stored(hers, stored, content, name, answer):
    assert (code(upload(hers, content, name)), stored()) == (answer, 0)


@pytest.mark.parametrize("form", [{}, {"other": "x"}, {"file": "a text"}])
def test_a_form_without_a_file_is_refused(hers, form):
    assert code(hers.post(UPLOADS, form)) == (400, "bad_value")


def test_a_room_that_cannot_be_takes_nothing(hers):
    assert code(hers.post("/chat/%20/files/", {"file": given()})) == (400, "bad_room_name")


def test_an_upload_says_its_size_and_is_refused_before_it_is_read(hers, settings):
    settings.ROOMCHAT = {"ATTACHMENT_MAX_BYTES": 1000}
    form = multipart(("file", "notes.txt", b"x" * 2000))
    request = RequestFactory().post(
        UPLOADS, form, f"multipart/form-data; boundary={BOUNDARY}", CONTENT_LENGTH=str(10**9)
    )

    with pytest.raises(Exception, match="A file can have at most"):
        http.limit_form(request, 1)


def test_a_file_that_is_too_big_is_refused(hers, settings, stored):
    settings.ROOMCHAT = {"ATTACHMENT_MAX_BYTES": 1000}

    assert [code(upload(hers, b"x" * 1001)), code(upload(hers, b"x" * 2_000_000))] == [(413, "too_big")] * 2
    assert (upload(hers, b"x" * 1000).status_code, stored()) == (201, 1)


class Counted(BytesIO):
    """A connection that tells how much was read from it."""

    taken = 0

    def read(self, *size):
        piece = super().read(*size)
        self.taken += len(piece)
        return piece


def request(content, **meta):
    """A request as a WSGI server gives it to Django, with the body that comes in, whatever its head says of it."""
    stream = Counted(content)
    environ = RequestFactory()._base_environ(
        PATH_INFO=UPLOADS,
        REQUEST_METHOD="POST",
        CONTENT_TYPE=f"multipart/form-data; boundary={BOUNDARY}",
        **{"wsgi.input": stream, **meta},
    )
    answer = {}

    def start(status, headers):
        answer["status"] = int(status[:3])

    handler = WSGIHandler()
    response = handler(
        environ | {"HTTP_COOKIE": "csrftoken=" + "a" * 32, "HTTP_X_CSRFTOKEN": "a" * 32}, start
    )
    answer["body"] = b"".join(response)
    response.close()
    return answer["status"], answer["body"], stream.taken


def test_no_more_is_read_of_a_file_than_may_be(settings):
    settings.ROOMCHAT = {"ATTACHMENT_MAX_BYTES": 1_000}
    form = multipart(("file", "notes.txt", b"x" * 250_000))

    status, told, taken = request(form, CONTENT_LENGTH=str(len(form)))

    assert (status, json.loads(told)["error"]["code"]) == (413, "too_big")
    assert 0 < taken < 200_000


def test_nothing_is_read_of_what_says_that_it_is_too_much(settings):
    settings.ROOMCHAT = {"ATTACHMENT_MAX_BYTES": 1_000}
    form = multipart(("file", "notes.txt", b"x" * 300_000))

    status, told, taken = request(form, CONTENT_LENGTH=str(len(form)))

    assert (status, json.loads(told)["error"]["code"], taken) == (413, "too_big", 0)


def test_what_does_not_say_its_size_is_not_read():
    status, told, taken = request(multipart(("file", "notes.txt", TEXT)), CONTENT_LENGTH="")

    assert (status, json.loads(told)["error"]["code"], taken) == (400, "bad_value", 0)


async def test_an_upload_without_a_size_is_cut_off_under_asgi(settings):
    settings.ROOMCHAT = {"ATTACHMENT_MAX_BYTES": 1_000}
    form = multipart(("file", "notes.txt", b"x" * 5_000))
    client = AsyncClient(headers={"content-type": f"multipart/form-data; boundary={BOUNDARY}"})

    response = await client.generic("POST", UPLOADS, form, f"multipart/form-data; boundary={BOUNDARY}")

    assert code(response) == (413, "too_big")


def test_a_form_has_one_file(hers, stored):
    response = hers.post(UPLOADS, {"file": [given(), given()]})

    assert (code(response), stored()) == ((400, "too_many"), 0)


def test_an_upload_needs_djangos_token(ana, stored):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ana)
    refused = upload(strict)
    strict.cookies["csrftoken"] = "a" * 32
    allowed = upload(strict, headers={"X-CSRFToken": "a" * 32})
    as_field = strict.post(UPLOADS, {"csrfmiddlewaretoken": "a" * 32, "file": given()})

    assert [refused.status_code, allowed.status_code, as_field.status_code, stored()] == [403, 201, 201, 2]


def test_only_posts_upload(hers):
    assert hers.get(UPLOADS).status_code == 405


def test_an_upload_is_taken_back(hers, stored):
    id = upload(hers).json()["id"]

    responses = [hers.delete(f"{UPLOADS}{id}/") for _ in range(2)]

    assert [response.status_code for response in responses] == [204, 404]
    assert (code(responses[1]), stored()) == ((404, "no_such_file"), 0)


def test_somebody_else_does_not_take_it_back(hers, client, stored):
    id = upload(hers).json()["id"]

    assert (code(client.delete(f"{UPLOADS}{id}/")), stored()) == ((404, "no_such_file"), 1)


def test_atomic_requests_do_not_hold_an_upload_up(hers, stored, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)

    response = upload(hers)
    file = Attachment.objects.get()

    assert (response.status_code, stored(), body(hers.get(url(file)))) == (201, 1, TEXT)
    assert hers.delete(f"{UPLOADS}{file.pk}/").status_code == 204


# Without a script -------------------------------------------------------------------------------------------------


def post_form(hers, *given, body="", **more):
    return hers.post("/chat/lobby/", {"body": body, "id": "form", "files": list(given), **more})


def test_the_form_of_the_page_takes_files(hers):
    response = post_form(hers, given(), given(PDF, "paper.pdf"))

    assert (response.status_code, response["Location"]) == (303, "/chat/lobby/#m-1")
    assert [file.seq for file in Attachment.objects.all()] == [1, 1]


def test_the_form_without_files_is_as_ever(hers):
    assert (post_form(hers, body="hi").status_code, Message.objects.get().data) == (303, {})


def test_a_form_that_is_refused_leaves_no_files(hers, stored, settings):
    settings.ROOMCHAT = {"ATTACHMENT_MAX_BYTES": 1000, "ATTACHMENTS_PER_MESSAGE": 2}
    refused = [
        post_form(hers, given(), given(b"x" * 1001)),
        post_form(hers, given(), given(b"\0\1", "cat.png")),
        post_form(hers, given(), body="x" * 5000),
        post_form(hers, given(), given(), given()),
    ]

    assert [response.status_code for response in refused] == [413, 415, 400, 400]
    assert [response.context["draft"][:1] for response in refused] == ["", "", "x", ""]
    assert (stored(), Attachment.objects.count()) == (0, 0)


def test_a_form_that_says_that_it_is_too_much_is_refused(hers, settings):
    settings.ROOMCHAT = {"ATTACHMENT_MAX_BYTES": 1000, "ATTACHMENTS_PER_MESSAGE": 2}

    response = post_form(hers, given(b"x" * 300_000))

    assert (response.status_code, response.templates[0].name) == (413, "django_roomchat/error.html")


def test_a_form_whose_text_is_held_keeps_its_files(hers, settings, stored):
    settings.ROOMCHAT = {"FILTER": "tests.unit.messages.test_attachments.hold_texts"}

    response = post_form(hers, given(), body="see")

    assert (response.status_code, HeldMessage.objects.get().files, stored()) == (
        202,
        [{"id": str(Attachment.objects.get().pk), "alt": ""}],
        1,
    )


def test_the_form_needs_djangos_token(ana):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ana)
    page = strict.get("/chat/lobby/")
    token = page.context["csrf_token"]

    refused, allowed = (
        post_form(strict, body="hi"),
        post_form(strict, body="hi", csrfmiddlewaretoken=str(token)),
    )

    assert [refused.status_code, allowed.status_code] == [403, 303]


def test_the_page_knows_of_files(hers, settings):
    on = hers.get("/chat/New%20Room/").context
    settings.ROOMCHAT = {"ATTACHMENTS": False}
    off = hers.get("/chat/lobby/").context

    assert (on["files_url"], on["file_max_bytes"], on["files_max"]) == (
        "/chat/New%20Room/files/",
        10_485_760,
        10,
    )
    assert on["attachment_types"][:2] == ["image/jpeg", "image/png"]
    assert off["files_url"] == ""


def test_without_pillow_no_images_are_offered(hers, monkeypatch):
    monkeypatch.setattr("django_roomchat.files.images.is_installed", lambda: False)

    assert hers.get("/chat/lobby/").context["attachment_types"][0] == "application/pdf"
    assert code(upload(hers, picture(), "cat.png")) == (415, "unsupported")


def test_a_message_shows_its_files_in_the_page(hers, ana):
    file = sent(ana)

    [message] = hers.get("/chat/lobby/").context["messages"]

    assert [(one.name, one.url) for one in message.files] == [("notes.txt", url(file))]


# Out ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(set(SAMPLES) - {"application/octet-stream"}))
def test_what_is_handed_out_is_run_by_no_browser(client, ana, kind):
    file = sent(ana, SAMPLES[kind], "it")

    response = client.get(url(file))

    is_image = kind.startswith("image/")
    assert response["Content-Type"] == ("text/plain; charset=utf-8" if kind == "text/plain" else kind)
    assert response["Content-Disposition"].partition(";")[0] == ("inline" if is_image else "attachment")
    assert (response["X-Content-Type-Options"], response["Content-Security-Policy"]) == (
        "nosniff",
        "default-src 'none'; sandbox",
    )
    assert is_image or body(response) == SAMPLES[kind]
    response.close()


def test_a_page_under_a_good_name_is_a_text_to_save(client, ana):
    file = sent(ana, b"<script>alert(1)</script>", "cat.png")

    response = client.get(url(file))

    assert (response["Content-Type"], response["Content-Disposition"]) == (
        "text/plain; charset=utf-8",
        'attachment; filename="cat.png.txt"',
    )
    response.close()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("메모.txt", "attachment; filename*=utf-8''%EB%A9%94%EB%AA%A8.txt"),
        ('a"b\\c.txt', 'attachment; filename="c.txt"'),
        ('a"b.txt', 'attachment; filename="a\\"b.txt"'),
        ("עברית.txt", "attachment; filename*=utf-8''%D7%A2%D7%91%D7%A8%D7%99%D7%AA.txt"),
    ],
)
def test_a_file_is_saved_under_its_name(client, ana, name, told):
    file = sent(ana, TEXT, name)

    response = client.get(url(file, "whatever"))

    assert (response["Content-Disposition"], body(response)) == (told, TEXT)


def test_a_small_image_is_handed_out(client, ana):
    large, small = sent(ana, picture("JPEG", (1000, 500)), "x.jpg"), sent(ana, picture("JPEG"), "y.jpg")

    responses = [client.get(f"{UPLOADS}{file.pk}/thumb") for file in (large, small)]

    assert (responses[0]["Content-Type"], body(responses[0])[8:12]) == ("image/webp", b"WEBP")
    assert code(responses[1]) == (404, "no_such_file")


def test_a_browser_keeps_a_file_for_its_person_and_asks_whether_it_is_the_same(client, ana):
    file = sent(ana)
    first = client.get(url(file))
    first.close()
    tags = [first["ETag"], f'"x", {first["ETag"]}', "*", '"x"']

    answers = [client.get(url(file), headers={"If-None-Match": tag}) for tag in tags]

    assert first["Cache-Control"] == "private, max-age=3600"
    assert "Cookie" in first["Vary"]
    assert [answer.status_code for answer in answers] == [304, 304, 304, 200]
    assert [answer["ETag"] for answer in answers] == [first["ETag"]] * 4
    answers[-1].close()


def test_a_refusal_is_kept_by_nobody(client, ana):
    file = attach_file("lobby", TEXT, "notes.txt", by=ana)

    response = client.get(url(file))

    assert (code(response), "no-store" in response["Cache-Control"]) == ((404, "no_such_file"), True)


CONTENT = bytes(range(256)) * 1000


@pytest.mark.parametrize(
    ("asked", "status", "part", "told"),
    [
        ("bytes=0-99", 206, CONTENT[:100], "bytes 0-99/256004"),
        ("bytes=100000-", 206, CONTENT[99996:], "bytes 100000-256003/256004"),
        ("bytes=-10", 206, CONTENT[-10:], "bytes 255994-256003/256004"),
        ("bytes=256000-999999", 206, CONTENT[-4:], "bytes 256000-256003/256004"),
        ("bytes=0-", 200, None, None),
        ("bytes=-999999", 200, None, None),
        # What makes no sense is answered with all of it.
        ("bytes=256004-", 200, None, None),
        ("bytes=9-3", 200, None, None),
        ("bytes=-", 200, None, None),
        ("bytes=-0", 200, None, None),
        ("bytes=0-1,4-5", 200, None, None),
        ("lines=0-1", 200, None, None),
    ],
)
def test_a_player_asks_for_a_part(client, ana, asked, status, part, told):
    whole = b"fLaC" + CONTENT
    file = sent(ana, whole, "song.flac")

    response = client.get(url(file), headers={"Range": asked})

    said = body(response)
    if asked == "bytes=0-99":
        part = whole[:100]
    assert (response.status_code, said == (whole if part is None else part)) == (status, True)
    assert (response.get("Content-Range"), response["Content-Length"]) == (told, str(len(said)))
    assert response["Accept-Ranges"] == "bytes"


def test_a_part_of_an_older_file_is_all_of_it(client, ana):
    file = sent(ana)
    etag = f'"{file.pk.hex}"'

    answers = [
        client.get(url(file), headers={"Range": "bytes=0-1", "If-Range": tag}) for tag in (etag, '"older"')
    ]

    assert [body(answer) for answer in answers] == [TEXT[:2], TEXT]


def test_head_says_what_get_would(client, ana):
    file = sent(ana)

    response = client.head(url(file))

    assert (response.status_code, response["Content-Length"], body(response)) == (200, str(len(TEXT)), b"")
    response.close()


def test_nothing_else_is_asked_of_a_file(client, ana):
    assert client.post(url(sent(ana))).status_code == 405


def test_a_file_that_the_storage_has_lost_is_not_found(client, ana, tmp_path):
    file = sent(ana)
    storage.remove(file.stored)

    assert code(client.get(url(file))) == (404, "no_such_file")


def test_a_storage_that_does_not_answer_is_no_fault_of_the_file(client, ana, monkeypatch, caplog):
    file = sent(ana)

    def fail(name):
        raise OSError("no route to host")

    monkeypatch.setattr(storage, "open_file", fail)

    response = client.get(url(file))

    assert (code(response), response["Retry-After"]) == ((503, "unavailable"), "1")
    assert "The attachment storage failed" in caplog.text


async def test_it_is_handed_out_under_asgi(ana, client):
    from asgiref.sync import sync_to_async

    file = await sync_to_async(sent)(ana, b"fLaC" + CONTENT, "song.flac")

    response = await AsyncClient().get(url(file), headers={"Range": "bytes=100-250000"})

    pieces = [piece async for piece in response.streaming_content]
    assert (response.status_code, b"".join(pieces), len(pieces) > 1) == (
        206,
        (b"fLaC" + CONTENT)[100:250_001],
        True,
    )
    response.close()


async def test_it_is_uploaded_under_asgi():
    response = await AsyncClient().post(UPLOADS, {"file": given()})

    assert response.status_code == 201


def test_a_deleted_file_is_gone_for_everybody(client, hers, ana):
    file = sent(ana)
    before = client.get(url(file))
    before.close()

    delete_message("lobby", 1)

    assert before.status_code == 200
    assert [code(one.get(url(file))) for one in (client, hers)] == [(404, "no_such_file")] * 2


def people():
    """Clients of a member, somebody else, somebody who is banned, and somebody who has not signed in."""
    clients = {}
    for name in ("member", "other", "banned"):
        clients[name] = Client()
        clients[name].force_login(User.objects.create_user(name))
    return clients | {"guest": Client()}


def test_a_private_file_is_for_members(ana):
    room = Room.objects.create(name="~x", title="Private", visibility="private")
    RoomLog.objects.create(room=room, access_version=1)
    clients = people()
    users = {user.username: user for user in User.objects.all()}
    for name in ("ana", "member", "banned"):
        who = of_user(users[name])
        Membership.objects.create(room=room, key=who.key, name=name, user=users[name])
    ban("~x", of_user(users["banned"]).key)
    file = sent(ana, picture("JPEG", (1000, 500)), "field.jpg", room="~x")

    for address in (url(file), reverse("roomchat:thumb", args=["~x", file.pk])):
        answers = {name: client.get(address) for name, client in clients.items()}

        told = {
            name: answer.status_code if answer.streaming else code(answer) for name, answer in answers.items()
        }
        assert told == {
            "member": 200,
            "other": (404, "no_such_room"),
            "banned": (403, "banned"),
            "guest": (404, "no_such_room"),
        }
        answers["member"].close()


def test_who_must_sign_in_to_enter_must_for_files(settings, ana, client, hers):
    settings.ROOMCHAT = {"POLICY": "django_roomchat.policy.SignedInPolicy"}
    file = sent(ana)

    allowed = hers.get(url(file))

    assert (code(client.get(url(file))), code(upload(client)), allowed.status_code) == (
        (403, "sign_in"),
        (403, "sign_in"),
        200,
    )
    allowed.close()


def test_what_was_not_sent_is_its_uploaders(hers, client, ana):
    file = attach_file("lobby", TEXT, "notes.txt", by=ana)

    mine = hers.get(url(file))

    assert (body(mine), code(client.get(url(file)))) == (TEXT, (404, "no_such_file"))


def test_an_archived_room_hands_out_and_takes_nothing(client, ana, hers):
    file = sent(ana)
    Room.objects.update(archived_at=timezone.now())
    clear_caches()

    response = client.get(url(file))

    assert (response.status_code, code(upload(hers))) == (200, (403, "archived"))
    response.close()


def test_a_file_costs_few_queries(hers, ana, django_assert_max_num_queries):
    file = sent(ana)

    with django_assert_max_num_queries(5):
        hers.get(url(file)).close()


# In the admin -----------------------------------------------------------------------------------------------------


@pytest.fixture
def admin(admin_user):
    signed_in = Client()
    signed_in.force_login(admin_user)
    return signed_in


LIST = "/admin/roomchat/attachment/"


def told_by(page):
    return [str(message) for message in page.context["messages"]]


def test_the_admin_lists_files_and_shows_them(admin, ana):
    file = sent(ana)
    hidden = attach_file("lobby", TEXT, "gone.txt", by=ana)
    Attachment.objects.filter(pk=hidden.pk).update(room=None)

    page = admin.get(LIST).content.decode()

    assert ("notes.txt" in page, "gone.txt" in page) == (True, False)
    assert f'href="{LIST}{file.pk}/content/"' in page
    assert body(admin.get(f"{LIST}{file.pk}/content/")) == TEXT


def test_the_admin_shows_no_file_that_is_lost(admin, ana):
    file = sent(ana)
    storage.remove(file.stored)

    assert admin.get(f"{LIST}{file.pk}/content/").status_code == 404


def test_others_than_the_admins_see_no_file_there(hers, ana):
    User.objects.filter(pk=ana.pk).update(is_staff=True)

    assert hers.get(f"{LIST}{sent(ana).pk}/content/").status_code == 403


def test_the_admin_changes_no_file(admin, ana):
    file = sent(ana)

    assert [admin.get(f"{LIST}{path}").status_code for path in ("add/", f"{file.pk}/delete/")] == [403, 403]
    assert admin.get(f"{LIST}{file.pk}/change/").status_code == 200


def test_the_admin_takes_files_down(admin, ana, stored):
    kept, bad = sent(ana), sent(ana, PDF, "bad.pdf")

    page = admin.post(
        LIST, {"action": "remove_from_messages", "_selected_action": [str(bad.pk)]}, follow=True
    )

    assert told_by(page) == ["1 file removed."]
    assert (list(records.rows()), stored(), Message.objects.get(seq=2).deleted_at is None) == (
        [kept],
        1,
        False,
    )


def test_a_file_of_a_direct_room_is_not_the_admins_to_take_down(admin, ana, stored):
    room = Room.objects.create(name="~d", title="Two", visibility="direct")
    RoomLog.objects.create(room=room, access_version=1)
    Membership.objects.create(room=room, key=of_user(ana).key, name="Ana", user=ana)
    file = sent(ana, room="~d")

    page = admin.post(
        LIST, {"action": "remove_from_messages", "_selected_action": [str(file.pk)]}, follow=True
    )

    assert (told_by(page), stored()) == (["notes.txt: You are not allowed to do this."], 1)


def test_the_admin_shows_the_files_of_what_is_held(admin, ana, settings):
    settings.ROOMCHAT = {"FILTER": "tests.unit.messages.test_attachments.hold_all"}
    file = attach_file("lobby", TEXT, "notes.txt", by=ana)
    for given in ([file], []):
        with pytest.raises(Exception, match="moderator"):
            post_message("lobby", "see", author=ana, files=given)

    page = admin.get("/admin/roomchat/heldmessage/").content.decode()

    assert f'notes.txt <a href="{LIST}{file.pk}/content/">' in page
