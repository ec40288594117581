import html
import json
import re
import uuid
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from django_roomchat import pubsub
from django_roomchat.errors import Busy
from django_roomchat.messages.edit import delete_message
from django_roomchat.messages.post import post_message
from django_roomchat.models import Message, Room
from django_roomchat.policy import Decision, OpenPolicy
from django_roomchat.realtime import handlers
from django_roomchat.views import rooms

pytestmark = pytest.mark.django_db


def url_of(name, view="room"):
    return reverse(f"roomchat:{view}", args=[name])


def text_of(response):
    return html.unescape(response.content.decode())


def post_json(client, name, content, **options):
    body = content if isinstance(content, (str, bytes)) else json.dumps(content)
    return client.post(url_of(name, "messages"), body, content_type="application/json", **options)


# The list of rooms -----------------------------------------------------------------------------------------------


def test_the_index_shows_rooms_with_recent_activity(client):
    post_message("한국어", "안녕")
    post_message("My Room", "hi")

    response = client.get("/chat/")

    assert [
        (room.name, room.title, room.url, room.last.body) for room in response.context["rooms"].lately
    ] == [
        ("my room", "My Room", "/chat/my%20room/", "hi"),
        ("한국어", "한국어", f"/chat/{quote('한국어')}/", "안녕"),
    ]
    assert "My Room" in text_of(response)


NAMES = [
    ("한국어", "한국어"),
    ("  My  Room ", "my room"),
    ("7b1e7f0e-5a39-4f0e-9a0a-6f9f6c6d1c11",) * 2,
    ("CAFE\u0301", "café"),
    ("🎉", "🎉"),
    ("x" * 100,) * 2,
    ("\U0001f389" * 100,) * 2,
    ("?#%&+;=", "?#%&+;="),
]


@pytest.mark.parametrize(("typed", "name"), NAMES)
def test_a_name_that_is_typed_leads_to_its_room(client, typed, name):
    response = client.get("/chat/", {"room": typed}, follow=True)

    assert [status for _, status in response.redirect_chain] == [302]
    assert (response.status_code, response.context["room_name"]) == (200, name)


BAD_NAMES = [
    ("", "A room needs a name."),
    ("a/b", "A room's name cannot contain “/” or “\\”."),
    ("a\tb", "A room's name cannot contain control characters or line breaks."),
    ("a\u202eb", "A room's name cannot contain characters that change the text direction."),
    ("..", "A room's name cannot be “.”, “..” or “~”; these are reserved in URLs."),
    ("x" * 101, "A room's name can have at most 100 characters; this one has 101."),
]


@pytest.mark.parametrize(("typed", "detail"), BAD_NAMES)
def test_a_name_that_cannot_be_gets_a_sentence_in_the_page(client, typed, detail):
    response = client.get("/chat/", {"room": typed})

    assert (response.status_code, response.context["typed"], response.context["error"]) == (
        400,
        typed,
        detail,
    )
    assert detail in text_of(response)


# A room made on purpose ---------------------------------------------------------------------------------------------


def make(client, **typed):
    return client.post("/chat/~/new/", {"title": "Team A", "visibility": "open", **typed})


def test_a_room_is_made_with_the_form_and_leads_into_it(client):
    response = make(client, listed="on")

    room = Room.objects.get()
    assert (response.status_code, response["Location"]) == (303, "/chat/team%20a/")
    assert (room.title, room.visibility, room.is_listed, room.is_announcement) == (
        "Team A",
        "open",
        True,
        False,
    )
    assert client.get(response["Location"]).context["can"] == [
        "post",
        "react",
        "pin",
        "report",
        "invite",
        "moderate",
        "manage",
    ]


def test_a_room_for_members_that_only_moderators_write_in_is_made_with_the_form(client):
    response = make(client, visibility="private", announcement="on")

    room = Room.objects.get()
    assert response["Location"] == f"/chat/{quote(room.name)}/"
    assert (room.title, room.visibility, room.is_listed, room.is_announcement) == (
        "Team A",
        "private",
        False,
        True,
    )
    assert client.get(response["Location"]).status_code == 200
    assert Client().get(response["Location"]).status_code == 404


@pytest.mark.parametrize(
    ("typed", "detail"),
    [
        ({"title": " "}, "A room needs a name."),
        ({"title": "~team"}, "A room's name cannot begin with “~”."),
        ({"visibility": "direct"}, "The visibility must be “open” or “private”."),
    ],
)
def test_what_makes_no_room_is_said_in_the_form_with_what_was_typed(client, typed, detail):
    response = make(client, announcement="on", **typed)

    form = response.context["new_room"]
    assert response.status_code == 400
    assert (form.error, form.announcement, form.listed) == (detail, True, False)
    assert (form.title, form.visibility) == (
        typed.get("title", "Team A"),
        typed.get("visibility", "open"),
    )
    assert detail in text_of(response)
    assert not Room.objects.exists()


def test_a_name_that_is_taken_leads_to_the_room_that_has_it(client):
    post_message("team a", "hi")

    response = make(client)

    assert response.status_code == 400
    assert "A room with this name already exists." in text_of(response)
    assert 'href="/chat/?room=Team%20A"' in text_of(response)


def test_who_may_make_no_rooms_is_not_offered_to_and_told_why(client, settings):
    assert "/chat/~/new/" in text_of(client.get("/chat/"))
    settings.ROOMCHAT = {"POLICY": "django_roomchat.policy.SignedInPolicy"}

    for response in (client.get("/chat/~/new/"), make(client)):
        assert response.status_code == 403
        assert "Sign in to use the chat." in text_of(response)
    assert "/chat/~/new/" not in text_of(client.get("/chat/"))
    assert not Room.objects.exists()


def test_a_room_is_made_by_a_page_of_ours_only():
    response = Client(enforce_csrf_checks=True).post("/chat/~/new/", {"title": "Team A"})

    assert response.status_code == 403
    assert not Room.objects.exists()


# A room ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("typed", "name"), NAMES)
def test_a_room_is_the_same_however_its_address_is_typed(client, typed, name):
    post_message(name, "hi")

    response = client.get(f"/chat/{quote(typed)}/")

    assert (response.status_code, response.context["room_name"]) == (200, name)
    assert [message.body for message in response.context["messages"]] == ["hi"]


@pytest.mark.parametrize(
    ("typed", "detail"), [case for case in BAD_NAMES if case[0] not in ("", "a/b", "..")]
)
@pytest.mark.parametrize("view", ["room", "messages"])
def test_a_room_that_cannot_be_is_said_so(client, view, typed, detail):
    response = client.get(f"/chat/{quote(typed)}/{'messages/' if view == 'messages' else ''}")

    assert response.status_code == 400
    if view == "messages":
        assert response.json() == {"error": {"code": "bad_room_name", "detail": detail}}
    else:
        assert detail in text_of(response)


def test_a_visit_makes_no_room(client):
    assert client.get(url_of("lobby")).status_code == 200
    assert Room.objects.count() == 0


def test_a_room_shows_its_last_messages_oldest_first_and_where_the_older_ones_are(client, settings):
    settings.ROOMCHAT = {"PAGE_MESSAGES": 2}
    for body in ("one", "two", "three"):
        post_message("lobby", body)

    newest = client.get(url_of("lobby"))
    older = client.get(url_of("lobby"), {"before": newest.context["older_before"]})

    pages = [
        ([message.body for message in page.context["messages"]], page.context["older_before"])
        for page in (newest, older)
    ]
    assert pages == [(["two", "three"], 2), (["one"], None)]
    assert "three" in text_of(newest)


@pytest.mark.parametrize("typed", ["x", "-1", "1.5", "٣", "9" * 17])
@pytest.mark.parametrize("view", ["room", "messages"])
def test_a_place_that_is_none_is_said_so(client, view, typed):
    response = client.get(url_of("lobby", view), {"before": typed})

    assert response.status_code == 400
    assert f"“before” must be the sequence number of a message, a whole number, not {typed!r}." in (
        response.json()["error"]["detail"] if view == "messages" else text_of(response)
    )


def seqs(messages):
    return [message["seq"] for message in messages]


def test_a_permalink_shows_the_page_around_a_message_and_marks_it(client, settings):
    settings.ROOMCHAT = {"PAGE_MESSAGES": 4}
    for number in range(1, 11):
        post_message("lobby", f"message {number}")

    page = client.get(url_of("lobby"), {"at": 5})

    context = page.context
    assert [message.seq for message in context["messages"]] == [4, 5, 6, 7]
    assert (context["older_before"], context["newer_after"], context["is_newest"], context["at"]) == (
        4,
        7,
        False,
        5,
    )
    assert re.findall(r'id="m-(\d+)"[^>]* data-marked', page.content.decode()) == ["5"]
    assert '?before=4"' in page.content.decode()
    assert '?after=7"' in page.content.decode()


def test_the_links_of_a_permalink_lead_on_to_the_newest_page(client, settings):
    settings.ROOMCHAT = {"PAGE_MESSAGES": 4}
    for number in range(1, 11):
        post_message("lobby", f"message {number}")

    pages = [
        ([message.seq for message in context["messages"]], context["older_before"], context["newer_after"])
        for context in (
            client.get(url_of("lobby"), query).context
            for query in ({"after": 4}, {"after": 8}, {"after": 10}, {"before": 4}, {"at": 9}, {"at": 99})
        )
    ]

    assert pages == [
        ([5, 6, 7, 8], 5, 8),
        ([9, 10], 9, None),
        ([], None, None),
        ([1, 2, 3], None, 3),
        ([8, 9, 10], 8, None),
        ([9, 10], 9, None),
    ]
    assert client.get(url_of("lobby"), {"at": 9}).context["is_newest"]


def test_a_permalink_of_a_room_without_messages_is_an_empty_page(client):
    assert list(client.get(url_of("lobby"), {"at": 9}).context["messages"]) == []


@pytest.mark.parametrize("name", ["after", "at"])
def test_a_place_after_or_at_which_there_can_be_nothing_is_said_so(client, name):
    page = client.get(url_of("lobby"), {name: "x"})

    assert (page.status_code, f"“{name}” must be the sequence number of a message" in text_of(page)) == (
        400,
        True,
    )


def test_history_is_read_around_and_after_a_place_as_json(client, settings):
    settings.ROOMCHAT = {"PAGE_MESSAGES": 4}
    for number in range(1, 11):
        post_message("lobby", f"message {number}")

    def read(**query):
        page = client.get(url_of("lobby", "messages"), query).json()
        return seqs(page["messages"]), page["before"], page["after"]

    assert read(around=5) == ([7, 6, 5, 4], 4, 7)
    assert read(after=7) == ([10, 9, 8], 8, None)
    assert read(after=2) == ([6, 5, 4, 3], 3, 6)
    assert read(around=1) == ([3, 2, 1], None, 3)


# Searching -------------------------------------------------------------------------------------------------------


def test_the_search_shows_what_it_found_and_leads_to_it(client):
    post_message("Lobby", "a <b>needle</b> & more", name="Bo")

    page = client.get("/chat/~/search/", {"q": "NEEDLE"})

    [hit] = page.context["hits"]
    assert (hit["url"], hit["room_title"], hit["author_name"]) == ("/chat/lobby/?at=1#m-1", "Lobby", "Bo")
    assert "a &lt;b&gt;<mark>needle</mark>&lt;/b&gt; &amp; more" in page.content.decode()
    assert client.get(hit["url"]).context["at"] == 1


def test_the_search_stays_in_a_room_and_leads_out_of_it(client):
    post_message("attic", "needle")
    post_message("Lobby", "hay")

    here = client.get("/chat/~/search/", {"q": "needle", "room": "lobby"})
    everywhere = client.get(here.context["everywhere_url"])

    assert (here.context["room"].title, here.context["hits"]) == ("Lobby", [])
    assert "Nothing found." in text_of(here)
    assert [hit["room_name"] for hit in everywhere.context["hits"]] == ["attic"]


def test_the_search_has_pages(client, monkeypatch):
    monkeypatch.setattr("django_roomchat.messages.search.HITS", 1)
    for number in range(2):
        post_message("lobby", f"needle {number}")

    first = client.get("/chat/~/search/", {"q": "needle", "room": "lobby"})
    second = client.get(first.context["more_url"])

    assert [page.context["hits"][0]["seq"] for page in (first, second)] == [2, 1]
    assert second.context["more_url"] is None


def test_a_search_whose_time_was_up_says_that_it_can_go_on(client, monkeypatch, settings):
    settings.ROOMCHAT = {"SEARCH_SECONDS": 1e-9}
    monkeypatch.setattr("django_roomchat.messages.search.STEP", 1)
    for body in ("needle", "hay"):
        post_message("lobby", body)

    page = client.get("/chat/~/search/", {"q": "needle"})

    assert "Nothing found so far." in text_of(page)
    assert "Search older messages" in text_of(page)


def test_a_search_that_has_not_begun_is_a_form(client):
    page = client.get("/chat/~/search/")

    assert (page.status_code, page.context["hits"], page.context["error"]) == (200, [], None)
    assert "Nothing found" not in text_of(page)


def test_words_that_cannot_be_searched_for_get_a_sentence_in_the_page(client):
    page = client.get("/chat/~/search/", {"q": "x" * 201})

    assert (page.status_code, page.context["error"]) == (400, "A search can have at most 200 characters.")
    assert 'aria-invalid="true"' in page.content.decode()


def test_a_room_that_cannot_be_searched_is_as_one_that_is_not_there(client):
    page = client.get("/chat/~/search/", {"q": "x", "room": "~none"})

    assert (page.status_code, "There is no such room." in text_of(page)) == (404, True)


def test_what_people_say_is_shown_literally(client):
    post_message("<b>room", "<script>alert(1)</script> {{ 7 }}", name="<i>")

    page = client.get(url_of("<b>room")).content.decode()

    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7 }}" in page
    assert not re.search(r"<script>alert|<b>room|<i>", page)


@pytest.mark.parametrize("view", ["room", "messages"])
def test_a_page_is_nobody_elses(client, view):
    response = client.get(url_of("lobby", view))

    assert "Cookie" in response["Vary"]
    assert "no-store" in response["Cache-Control"]


# Saying something with a form ------------------------------------------------------------------------------------


def test_a_form_says_something_and_leads_back(client):
    response = client.post(url_of("Lobby"), {"body": " hi ", "id": "a"})

    assert (response.status_code, response["Location"]) == (303, "/chat/lobby/#m-1")
    assert [message.body for message in client.get(url_of("lobby")).context["messages"]] == ["hi"]


def test_a_form_sent_twice_says_it_once(client):
    first = client.get(url_of("lobby")).context
    for _ in range(2):
        client.post(url_of("lobby"), {"body": "hi", "id": first["post_id"]})

    assert uuid.UUID(first["post_id"])
    assert Message.objects.count() == 1


def test_a_form_without_an_id_says_it_each_time(client):
    for _ in range(2):
        client.post(url_of("lobby"), {"body": "hi"})

    assert Message.objects.count() == 2


def test_what_cannot_be_said_is_kept_in_the_form(client):
    response = client.post(url_of("lobby"), {"body": "a\x00b", "id": "a"})

    assert (response.status_code, response.context["draft"]) == (400, "a\x00b")
    assert response.context["error"] == "A message cannot contain control characters."
    assert response.context["error"] in text_of(response)


def test_a_form_for_a_room_that_cannot_be_is_said_so(client):
    response = client.post("/chat/a%09b/", {"body": "hi"})

    assert response.status_code == 400
    assert "control characters" in text_of(response)


def test_the_guest_of_a_session_is_the_same_person(client):
    for body in ("one", "two"):
        client.post(url_of("lobby"), {"body": body})
    Client().post(url_of("lobby"), {"body": "three"})

    page = client.get(url_of("lobby"))
    assert [message.mine for message in page.context["messages"]] == [True, True, False]
    assert page.context["me"].is_guest


def test_a_form_of_another_site_is_refused():
    client = Client(enforce_csrf_checks=True)

    answers = [
        client.post(url_of("lobby"), {"body": "hi"}).status_code,
        post_json(client, "lobby", {"id": "a", "body": "hi"}).status_code,
    ]

    assert (answers, Message.objects.count()) == ([403, 403], 0)


@pytest.mark.parametrize("view", ["room", "messages"])
def test_other_methods_are_not_allowed(client, view):
    assert client.put(url_of("lobby", view)).status_code == 405
    assert client.head(url_of("lobby", view)).status_code == 200


class NoGuests(OpenPolicy):
    def can_post(self, who, room):
        return Decision(who.user is not None, "Sign in to speak.", code="sign_in")


def test_who_may_only_read_sees_why(client, settings):
    settings.ROOMCHAT = {"POLICY": NoGuests}

    page = client.get(url_of("lobby"))
    posted = client.post(url_of("lobby"), {"body": "hi"})

    assert (page.context["may_post"], page.context["may_post_detail"]) == (False, "Sign in to speak.")
    assert "Sign in to speak." in text_of(page)
    assert (posted.status_code, posted.context["error"]) == (403, "Sign in to speak.")


def test_who_may_not_enter_sees_why(client, settings):
    settings.ROOMCHAT = {"POLICY": "django_roomchat.policy.SignedInPolicy"}
    post_message("lobby", "hi")
    user = User.objects.create_user("ana")

    page, data = client.get(url_of("lobby")), client.get(url_of("lobby", "messages"))
    client.force_login(user)

    assert (page.status_code, "Sign in to use the chat." in text_of(page)) == (403, True)
    assert (data.status_code, data.json()) == (
        403,
        {"error": {"code": "sign_in", "detail": "Sign in to use the chat."}},
    )
    assert client.get(url_of("lobby")).status_code == 200


# JSON ------------------------------------------------------------------------------------------------------------


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
def test_a_bad_post_of_json_hears_what_was_wrong(client, content, status, code, detail):
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

    # Told everybody, which happens after the commit, before the answer was made.
    assert [one == "answered" for one in told] == [False, True]
