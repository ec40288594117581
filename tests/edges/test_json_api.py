"""The JSON API."""

import pytest

from django_roomchat import pubsub
from django_roomchat.errors import Busy
from django_roomchat.messages.edit import delete_message
from django_roomchat.messages.post import post_message
from django_roomchat.models import Message, Room
from django_roomchat.realtime import handlers
from django_roomchat.views import rooms
from tests.support.pages import post_json, text_of, url_of

pytestmark = pytest.mark.django_db


def test_history_is_paged_as_json(client, settings):
    settings.ROOMCHAT = {"PAGE_MESSAGES": 2}
    for number in range(3):
        post_message("Lobby", f"message {number}", id=f"id{number}", name="Ana")
    log = Room.objects.get().log

    newest = client.get(url_of("lobby", "messages")).json()
    older = client.get(url_of("lobby", "messages"), {"before": newest["before"]}).json()

    events = newest.pop("messages")
    assert newest == {
        "room": "lobby",
        "title": "Lobby",
        "epoch": str(log.epoch),
        "floor": 0,
        "head": 3,
        "before": 2,
        "after": None,
    }
    assert [(event["seq"], event["rev"], event["id"], event["body"], event["kind"]) for event in events] == [
        (3, 3, "id2", "message 2", "bot"),
        (2, 2, "id1", "message 1", "bot"),
    ]
    assert events[0]["author"]["name"] == "Ana"
    assert ([event["seq"] for event in older["messages"]], older["before"]) == ([1], None)


def test_a_deleted_message_keeps_its_place_and_no_words(client):
    post_message("lobby", "secret")
    delete_message("lobby", 1)

    data, page = client.get(url_of("lobby", "messages")).json(), client.get(url_of("lobby"))

    assert [(event["seq"], event["rev"], event["body"]) for event in data["messages"]] == [(1, 2, "")]
    assert "deleted_at" in data["messages"][0]
    assert "secret" not in text_of(page)


def test_a_post_of_json_is_stored_once(client):
    answers = [post_json(client, "Lobby", {"id": "a", "body": "hi"}) for _ in range(2)]

    assert [(answer.status_code, answer.json()) for answer in answers] == [
        (201, {"id": "a", "seq": 1, "duplicate": False}),
        (201, {"id": "a", "seq": 1, "duplicate": True}),
    ]


def test_a_post_of_json_may_answer_a_message(client):
    post_message("lobby", "hi")

    post_json(client, "lobby", {"id": "a", "body": "hello", "reply_to": 1})

    assert Message.objects.get(seq=2).reply_to == 1


@pytest.mark.parametrize(
    ("content", "status", "code", "detail"),
    [
        ("{", 400, "bad_json", "The frame is not JSON: Input data was truncated."),
        ("[]", 400, "bad_frame", "A frame must be an object: expected `object`, got `array`."),
        ({}, 400, "bad_value", "Object missing required field `id`."),
        ({"id": "a", "body": 5}, 400, "bad_value", "body: expected `str`, got `int`."),
        ({"id": "a", "body": ""}, 400, "bad_text", "A message must contain text."),
        ({"id": "a b", "body": "x"}, 400, "bad_value", "A message's id must have 1 to 64 visible ASCII characters, preferably a UUID."),
        ({"id": "a", "body": "x", "reply_to": 5}, 404, "not_found", "There is no message 5 in this room to reply to."),
        ({"id": "a", "body": "x" * 70_000}, 413, "too_big", "A frame can have at most 65536 bytes."),
        (b'{"id": "a", "body": "\xff"}', 400, "bad_text", "The frame contains an unpaired surrogate, which is not a character."),
        ("[" * 10_000 + "]" * 10_000, 400, "bad_frame", "A frame must be an object: expected `object`, got `array`."),
    ],
)  # fmt: skip
def test_a_bad_post_of_json_is_answered_with_what_was_wrong(client, content, status, code, detail):
    response = post_json(client, "lobby", content)

    assert (response.status_code, response.json()) == (status, {"error": {"code": code, "detail": detail}})
    assert Message.objects.count() == 0


def test_an_id_reused_is_a_conflict(client):
    post_json(client, "lobby", {"id": "a", "body": "hi"})

    response = post_json(client, "lobby", {"id": "a", "body": "other words"})

    assert (response.status_code, response.json()["error"]["code"]) == (409, "id_reused")


def test_what_is_no_json_is_refused(client):
    response = client.post(url_of("lobby", "messages"), "{}", content_type="text/plain")

    assert (response.status_code, response.json()["error"]) == (
        415,
        {"code": "unsupported", "detail": "Send JSON, with Content-Type: application/json."},
    )


def test_what_may_succeed_later_says_when(client, monkeypatch):
    def busy(*args, **options):
        raise Busy("Later.", retry_after=0.2)

    monkeypatch.setattr(handlers, "post_message", busy)

    response = post_json(client, "lobby", {"id": "a", "body": "hi"})

    assert (response.status_code, response["Retry-After"]) == (503, "1")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("view", ["room", "messages"])
def test_an_answer_promises_only_what_is_committed(client, settings, monkeypatch, view):
    told = []
    monkeypatch.setattr(pubsub, "publish", told.append)
    monkeypatch.setitem(settings.DATABASES["default"], "ATOMIC_REQUESTS", True)
    post_message_ = post_message

    def post_message_and_look(*args, **options):
        posted = post_message_(*args, **options)
        told.append("answered")
        return posted

    for module in (handlers, rooms):
        monkeypatch.setattr(module, "post_message", post_message_and_look)

    if view == "room":
        client.post(url_of("lobby"), {"body": "hi"})
    else:
        post_json(client, "lobby", {"id": "a", "body": "hi"})

    # The batch is published after the commit and before the response is made.
    assert [one == "answered" for one in told] == [False, True]
