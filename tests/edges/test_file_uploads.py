"""Uploads over HTTP, from a script and from the form of the page."""

import json
from io import BytesIO

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test import AsyncClient, Client, RequestFactory

from django_roomchat.files import http, images
from django_roomchat.models import Attachment, HeldMessage, Message
from tests.support.http_files import UPLOADS, body, code, given, sent, upload, url
from tests.support.uploads import PDF, SAMPLES, TEXT, picture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("media_folder")]
BOUNDARY = "roomchat-test"


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


# In ------------------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    ("escaped", "name"),
    [
        ("5%22 disc & %22x%22.txt", '5" disc & "x".txt'),
        ("a%0D%0Ab.txt", "ab.txt"),
        ("100%25 %41 %2F %22.txt", '100%25 %41 %2F ".txt'),
        ("a&amp;b &quot;c&quot;.txt", "a&amp;b &quot;c&quot;.txt"),
        ("می\u200cخواهم.txt", "می\u200cخواهم.txt"),
        ("👩\u200d💻 क्\u200dष.txt", "👩\u200d💻 क्\u200dष.txt"),
        ("خ\u200c\u200cو report\u200d.txt", "خ\u200cو report.txt"),
        ("資料\u3000最新 2.48\u202fPM.txt", "資料 最新 2.48 PM.txt"),
        ("C:%22x%22\\..\\notes.txt", "notes.txt"),
    ],
)
def test_a_file_keeps_its_name_as_browsers_send_it(hers, escaped, name):
    content = multipart(("file", escaped, TEXT))

    response = hers.post(UPLOADS, content, content_type=f"multipart/form-data; boundary={BOUNDARY}")

    assert (response.status_code, response.json()["name"]) == (201, name)


@pytest.mark.parametrize("name", ["..", "a/..", "\\."])
def test_a_path_is_no_file_name(hers, name):
    content = multipart(("file", name, TEXT))

    response = hers.post(UPLOADS, content, content_type=f"multipart/form-data; boundary={BOUNDARY}")

    assert code(response) == (400, "bad_value")


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
    """A connection that counts the bytes that are read from it."""

    taken = 0

    def read(self, *size):
        piece = super().read(*size)
        self.taken += len(piece)
        return piece


def request(content, **meta):
    """A request as a WSGI server passes it to Django, with a body that may not match its headers."""
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


def test_another_user_cannot_delete_an_upload(hers, client, stored):
    id = upload(hers).json()["id"]

    assert (code(client.delete(f"{UPLOADS}{id}/")), stored()) == ((404, "no_such_file"), 1)


def test_atomic_requests_do_not_hold_an_upload_up(hers, stored, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)

    response = upload(hers)
    file = Attachment.objects.get()

    assert (response.status_code, stored(), body(hers.get(url(file)))) == (201, 1, TEXT)
    assert hers.delete(f"{UPLOADS}{file.pk}/").status_code == 204


# Without a script ----------------------------------------------------------------------------------------------------


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
    settings.ROOMCHAT = {"FILTER": "tests.support.attachments.hold_texts"}

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
    assert on["attachment_words"].startswith("JPEG, PNG, ")
    assert {"image/jpeg", "text/*", ".heic", ".docx"} <= set(on["attachment_accept"].split(","))
    assert off["files_url"] == ""


def test_without_pillow_no_images_are_offered(hers, monkeypatch):
    monkeypatch.setattr("django_roomchat.files.images.is_installed", lambda: False)

    assert hers.get("/chat/lobby/").context["attachment_types"][0] == "application/pdf"
    assert code(upload(hers, picture(), "cat.png")) == (415, "unsupported")


def test_a_message_shows_its_files_in_the_page(hers, ana):
    file = sent(ana)

    [message] = hers.get("/chat/lobby/").context["messages"]

    assert [(one.name, one.url) for one in message.files] == [("notes.txt", url(file))]


def test_a_server_that_is_busy_with_images_says_when_to_try_again(hers, settings, monkeypatch):
    monkeypatch.setattr("django_roomchat.files.images._small", images._Queue(1, 2.0))
    settings.ROOMCHAT = {"ATTACHMENT_IMAGE_QUEUE": 1}
    monkeypatch.setattr(images, "WAIT_SECONDS", 0.01)

    with images._small.turn():
        refused = upload(hers, picture(), "cat.png")

    assert (code(refused), refused["Retry-After"]) == ((503, "busy"), "2")
    assert upload(hers, picture(), "cat.png").status_code == 201
