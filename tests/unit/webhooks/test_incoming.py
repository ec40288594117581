"""A program posts to a room with nothing but an address."""

import json

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from django_roomchat.conf import Rate
from django_roomchat.errors import BadValue, Forbidden, NotFound
from django_roomchat.files import http
from django_roomchat.identity import Identity
from django_roomchat.messages.post import post_message
from django_roomchat.models import AuditEntry, IncomingHook, Message, Room
from django_roomchat.policy import rate_limits
from django_roomchat.rooms.create import create_room
from django_roomchat.webhooks.incoming import (
    amake_incoming_hook,
    arevoke_incoming_hook,
    hook_of,
    make_incoming_hook,
    post_through,
    revoke_incoming_hook,
)

pytestmark = pytest.mark.django_db(transaction=True)
ANA = Identity("g:ana", "Ana", is_guest=True)


@pytest.fixture
def client():
    # As any program: no cookie, no CSRF token.
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def token():
    return make_incoming_hook("builds", "CI")[1]


def send(client, token, content, **options):
    response = client.post(reverse("roomchat:hook", args=[token]), content, **options)
    return response.status_code, response.json()


def send_json(client, token, **content):
    return send(client, token, json.dumps(content), content_type="application/json")


def said():
    rows = Message.objects.order_by("pk")
    return list(rows.values_list("room__name", "body", "author_name", "kind"))


# Making -----------------------------------------------------------------------------------------------------------


def test_a_hook_is_made_and_its_token_is_not_kept():
    hook, token = make_incoming_hook("Builds", " CI ")

    assert (hook.room.name, hook.name, hook.is_active) == ("builds", "CI", True)
    assert len(token) == 43
    assert token not in json.dumps(list(IncomingHook.objects.values()), default=str)
    assert hook_of(token) == hook
    assert list(AuditEntry.objects.values_list("verb", "room_name", "data")) == [
        ("make_incoming_hook", "builds", {"name": "CI"})
    ]


def test_who_may_not_manage_the_room_makes_and_revokes_none():
    hook, token = make_incoming_hook("builds", "CI")

    with pytest.raises(Forbidden):
        make_incoming_hook("builds", "CI", by=ANA)
    with pytest.raises(Forbidden):
        revoke_incoming_hook(hook, by=ANA)

    assert hook_of(token) == hook


def test_staff_may():
    staff = User.objects.create_user("boss", is_staff=True)
    post_message("builds", "hi")

    hook, _token = make_incoming_hook("builds", "CI", by=staff)
    revoke_incoming_hook(hook, by=staff)

    assert set(AuditEntry.objects.values_list("by_name", flat=True)) == {"boss"}


@pytest.mark.parametrize("name", ["", " ", "x" * 200, "a\x00b"])
def test_a_name_that_cannot_be_shown_is_refused(name):
    with pytest.raises(BadValue):
        make_incoming_hook("builds", name)


def test_a_revoked_hook_is_as_if_there_were_none(client, token):
    hook = hook_of(token)
    assert send_json(client, token, text="hi")[0] == 201

    revoke_incoming_hook(hook)
    revoke_incoming_hook(hook)

    gone = send_json(client, token, text="hi")
    assert gone == send_json(client, "nonsense", text="hi")
    assert gone == (
        404,
        {"error": {"code": "no_such_hook", "detail": "There is no such webhook, or it was revoked."}},
    )
    assert len(said()) == 1
    assert list(AuditEntry.objects.values_list("verb", flat=True)) == [
        "make_incoming_hook",
        "revoke_incoming_hook",
    ]


async def test_asynchronous_code_makes_and_revokes_them():
    hook, token = await amake_incoming_hook("builds", "CI")

    await arevoke_incoming_hook(hook)

    assert await IncomingHook.objects.filter(is_active=False).acount() == 1
    assert token


# Posting ----------------------------------------------------------------------------------------------------------


def test_a_program_posts_json(client, token):
    status, answer = send_json(client, token, text="Build 1 is green", id="build-1")

    assert (status, answer) == (201, {"id": "build-1", "seq": 1, "duplicate": False})
    assert said() == [("builds", "Build 1 is green", "CI", "bot")]


def test_a_program_posts_a_form(client, token):
    assert send(client, token, {"text": "multipart", "id": "a"})[0] == 201
    assert send(client, token, "text=url+encoded", content_type="application/x-www-form-urlencoded")[0] == 201

    assert [body for _, body, *_ in said()] == ["multipart", "url encoded"]


def test_it_may_call_itself_otherwise_for_once(client, token):
    send_json(client, token, text="hi", name="Nightly")
    send_json(client, token, text="hi")

    assert [name for _, _, name, _ in said()] == ["Nightly", "CI"]


def test_the_same_id_is_the_same_message_whatever_it_calls_itself(client, token):
    first = send_json(client, token, text="hi", id="a")
    again = send_json(client, token, text="hi", id="a", name="Other")
    another_text = send_json(client, token, text="ho", id="a")

    assert (first[1]["seq"], again[1]) == (1, {"id": "a", "seq": 1, "duplicate": True})
    assert (another_text[0], another_text[1]["error"]["code"]) == (409, "id_reused")


def test_ids_of_two_hooks_are_two(client, token):
    other = make_incoming_hook("builds", "CI")[1]

    answers = [send_json(client, one, text=one, id="a")[1]["duplicate"] for one in (token, other)]

    assert answers == [False, False]


def test_without_an_id_every_request_is_a_message(client, token):
    for _ in range(2):
        send_json(client, token, text="hi")

    assert len(said()) == 2


@pytest.mark.parametrize(
    ("content", "content_type", "status", "code"),
    [
        ("no json", "application/json", 400, "bad_json"),
        ("[]", "application/json", 400, "bad_frame"),
        ("{}", "application/json", 400, "bad_value"),
        ('{"text": 1}', "application/json", 400, "bad_value"),
        ('{"text": " "}', "application/json", 400, "bad_text"),
        ('{"text": "hi", "id": "a b"}', "application/json", 400, "bad_value"),
        ('{"text": "hi", "name": "a\\u0000b"}', "application/json", 400, "bad_name"),
        ("text=", "application/x-www-form-urlencoded", 400, "bad_text"),
        ("hi", "text/plain", 415, "unsupported"),
        (json.dumps({"text": "x" * 70_000}), "application/json", 413, "too_big"),
    ],
)
def test_what_cannot_be_posted_is_told_why(client, token, content, content_type, status, code):
    answer = send(client, token, content, content_type=content_type)

    assert (answer[0], answer[1]["error"]["code"], said()) == (status, code, [])


def test_only_a_post_posts(client, token):
    assert client.get(reverse("roomchat:hook", args=[token])).status_code == 405


def test_private_rooms_and_rooms_for_announcements_take_it(client):
    room = create_room("Secret", visibility="private", is_announcement=True)
    token = make_incoming_hook(room, "CI")[1]

    assert send_json(client, token, text="hi")[0] == 201


def test_an_archived_room_does_not(client, token):
    assert send_json(client, token, text="before")[0] == 201
    Room.objects.update(archived_at=timezone.now())

    status, answer = send_json(client, token, text="after")

    assert (status, answer["error"]["code"], len(said())) == (403, "archived", 1)


def test_the_last_use_is_written_down_about_once_a_minute(token):
    hook = hook_of(token)
    post_through(hook, "one")
    first = hook_of(token).used_at
    post_through(hook, "two")

    assert first is not None
    assert hook_of(token).used_at == first


def test_nothing_is_found_by_the_digest_itself(token):
    with pytest.raises(NotFound):
        hook_of(IncomingHook.objects.get().digest)


def test_a_program_that_says_too_much_is_told_to_wait(client, token, monkeypatch):
    monkeypatch.setattr(rate_limits, "rate", {"POSTS_PER_USER": Rate(2, 60)}.get)
    answers = [send_json(client, token, text=f"{number}") for number in range(3)]
    other = make_incoming_hook("builds", "CI")[1]

    assert [status for status, _ in answers] == [201, 201, 429]
    assert answers[2][1]["error"]["code"] == "rate_limited"
    assert send_json(client, other, text="hi")[0] == 201


# Size ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "text/plain"])
def test_a_body_above_the_limit_of_forms_is_refused_before_it_is_read(client, token, monkeypatch, kind):
    monkeypatch.setattr(http, "FORM_BYTES", 100)
    monkeypatch.setattr(HttpRequest, "read", lambda *about: pytest.fail("the body was read"))

    status, answer = send(client, token, "x" * 101, content_type=kind)

    assert (status, answer["error"]) == (413, {"code": "too_big", "detail": "This form is too big."})


def test_a_form_up_to_the_limit_is_read(client, token, monkeypatch):
    monkeypatch.setattr(http, "FORM_BYTES", 100)
    form = "text=hi&padding=".ljust(100, "x")

    assert send(client, token, form, content_type="application/x-www-form-urlencoded")[0] == 201
    assert said() == [("builds", "hi", "CI", "bot")]


def test_a_form_with_a_file_is_refused(client, token):
    without = send(client, token, {"text": "hi"})

    status, answer = send(client, token, {"text": "hi", "file": SimpleUploadedFile("a.txt", b"text")})

    assert (without[0], status, answer["error"]["code"]) == (201, 400, "too_many")
    assert said() == [("builds", "hi", "CI", "bot")]
