"""The content of a post and of an edit is filtered before it is stored."""

import pytest

from django_roomchat.messages.edit import edit_message
from django_roomchat.messages.post import post_message, post_messages
from django_roomchat.messages.types import NewPost
from django_roomchat.models import Room
from tests.support.filters import ANA, answer, house_filter, say, texts

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _filter(settings):
    settings.ROOMCHAT = {"FILTER": house_filter}


def test_a_post_passes_is_changed_or_is_refused():
    assert [say("hello"), say("change quietly"), say("refuse this")] == [
        None,
        None,
        ("rude", "Not here.", None),
    ]
    assert texts() == ["hello", "QUIETLY"]


def test_a_refused_post_makes_no_room():
    assert say("refuse this") is not None
    assert not Room.objects.exists()


def test_a_filter_that_fails_harms_only_its_own_post():
    posts = [NewPost(ANA, "lobby", body, body[0]) for body in ("a", "fail", "b")]

    assert [getattr(result, "code", "stored") for result in post_messages(posts)] == [
        "stored",
        "unavailable",
        "stored",
    ]


def test_the_sites_own_words_are_not_filtered():
    post_message("lobby", "refuse this")
    edit_message("lobby", 1, "hold this")

    assert texts() == ["hold this"]


def test_an_edit_is_filtered_too():
    say("hello")

    answers = [
        answer(edit_message, "lobby", 1, body, by=ANA)
        for body in ("change me", "refuse me", "hold me", "fail")
    ]

    assert [given and given[0] for given in answers] == [None, "rude", "filtered", "unavailable"]
    assert texts() == ["ME"]
    assert answer(edit_message, "lobby", 1, "fine", by=ANA) is None
    assert texts() == ["fine"]


def test_a_changed_post_is_stored_once_however_often_it_comes(settings):
    first = post_message("lobby", "change it", author=ANA, id="a")
    second = post_message("lobby", "change it", author=ANA, id="a")
    settings.ROOMCHAT = {}
    third = post_message("lobby", "change it", author=ANA, id="a")

    assert [(posted.seq, posted.duplicate) for posted in (first, second, third)] == [
        (1, False),
        (1, True),
        (1, True),
    ]
    assert say("change that", id="a")[0] == "id_reused"


def test_what_was_stored_is_acknowledged_whatever_the_filter_says_now(settings):
    settings.ROOMCHAT = {}
    post_message("lobby", "refuse this", author=ANA, id="a")
    settings.ROOMCHAT = {"FILTER": house_filter}

    assert post_message("lobby", "refuse this", author=ANA, id="a").duplicate
