"""Downloads: headers, ranges, conditional requests and access."""

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone

from django_roomchat.files import images, storage
from django_roomchat.identity import of_user
from django_roomchat.messages.attachments import attach_file
from django_roomchat.messages.edit import delete_message
from django_roomchat.models import Membership, Room, RoomLog
from django_roomchat.moderation.sanctions import ban
from tests.support.caches import clear_caches
from tests.support.http_files import UPLOADS, body, code, given, sent, upload, url
from tests.support.uploads import SAMPLES, TEXT, picture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("media_folder")]


@pytest.mark.parametrize("kind", sorted(SAMPLES))
def test_what_is_handed_out_is_run_by_no_browser(client, ana, kind, settings):
    settings.ROOMCHAT = {"ATTACHMENT_TYPES": list(SAMPLES)}
    file = sent(ana, SAMPLES[kind], "it")

    response = client.get(url(file))

    is_image = kind.startswith("image/")
    assert response["Content-Type"] == (
        "text/plain; charset=utf-8" if kind == "text/plain" else images.stored_type(kind)
    )
    assert response["Content-Disposition"].partition(";")[0] == ("inline" if is_image else "attachment")
    assert (response["X-Content-Type-Options"], response["Content-Security-Policy"]) == (
        "nosniff",
        "default-src 'none'; sandbox",
    )
    assert is_image or body(response) == SAMPLES[kind]
    response.close()


@pytest.mark.parametrize(
    ("text", "encoding", "charset"),
    [
        ("이름,부서\r\n김철수,영업1팀\r\n", "cp949", "euc-kr"),
        ("이름,부서\r\n김철수,영업1팀\r\n", "utf-16", "utf-16le"),
        ("이름,부서\r\n김철수,영업1팀\r\n", "utf-8", "utf-8"),
        ("名前,部署\r\nやまだ,営業\r\n", "cp932", "shift_jis"),
        ("Имя;Отдел\r\nИванов;Продажи\r\n", "cp1251", "windows-1251"),
        ("Name;Größe\r\nMüller;5 €\r\n", "cp1252", "windows-1252"),
    ],
)
def test_a_text_is_handed_out_unchanged_with_its_charset(client, ana, text, encoding, charset):
    content = text.encode(encoding)
    file = sent(ana, content, "table.csv")

    response = client.get(url(file))

    assert (response["Content-Type"], body(response), file.name) == (
        f"text/plain; charset={charset}",
        content,
        "table.csv",
    )
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


def test_a_file_that_the_storage_has_lost_is_not_found(client, ana):
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
    """Browsers of a member, a stranger, a banned user and a guest."""
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
