"""The forms of the pages: new rooms and messages."""

import uuid
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.test import Client

from django_roomchat.messages.post import post_message
from django_roomchat.models import Message, Room
from django_roomchat.policy import Decision, OpenPolicy
from tests.support.pages import post_json, text_of, url_of

pytestmark = pytest.mark.django_db

# A room made on purpose ----------------------------------------------------------------------------------------------


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


# Saying something with a form ----------------------------------------------------------------------------------------


def test_a_form_says_something_and_leads_back(client):
    response = client.post(url_of("Lobby"), {"body": "hi ", "id": "a"})

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
