"""The search page."""

import pytest

from django_roomchat.messages.post import post_message
from tests.support.pages import text_of

pytestmark = pytest.mark.django_db


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
