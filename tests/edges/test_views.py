"""The pages of rooms."""

import re
from urllib.parse import quote

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template import RequestContext, Template

from django_roomchat.messages.post import post_message
from django_roomchat.models import Room
from tests.support.pages import text_of, url_of

pytestmark = pytest.mark.django_db

# The list of rooms ---------------------------------------------------------------------------------------------------


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


# A room --------------------------------------------------------------------------------------------------------------


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


# Searching -----------------------------------------------------------------------------------------------------------


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


def test_the_composer_and_the_newest_messages_come_first(client):
    for number in range(60):
        post_message("lobby", f"message {number}: {'words ' * 12}")
    for number in range(30):
        post_message(f"room {number}", "hi")

    page = client.get("/chat/lobby/").content.decode()

    # A line of 20 KB a second brings 40 KB in the first two seconds.
    assert page.index('data-part="composer"') < 8_000
    newest = [page.index(f"message {number}: ") for number in range(48, 60)]
    assert newest == sorted(newest)
    assert newest[-1] < 40_000
    earlier = [page.index(f"message {number}: ") for number in range(10, 48)]
    assert earlier == sorted(earlier)
    assert newest[-1] < earlier[0] < page.index("<dialog") < page.index("<script") < page.index("<nav")


@pytest.mark.parametrize(
    ("login_url", "is_linked"),
    [("/admin/login/", True), ("https://id.example/login", True), ("/nowhere/", False)],
)
def test_a_guest_is_led_to_the_sign_in_page_if_the_site_has_one(client, settings, login_url, is_linked):
    settings.LOGIN_URL = login_url

    page = client.get("/chat/").content.decode()

    assert (f'href="{login_url}?next=%2Fchat%2F">Sign in</a>' in page) is is_linked
    assert "Sign out" not in page


def test_two_rooms_on_one_page_have_no_id_in_common(client, rf):
    post_message("lobby", "hi")
    post_message("kitchen", "hi")
    request = rf.get("/")
    request.session, request.user = client.session, AnonymousUser()
    template = Template('{% load roomchat %}{% roomchat "lobby" %}{% roomchat "kitchen" %}')

    page = template.render(RequestContext(request))

    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids)) == 2
    assert all(f'href="#{id}"' in page and id.startswith("m-") for id in ids)
