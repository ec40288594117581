"""Guests carry a mark beside their name: a flag in frames, and an element of its own on the page."""

import re

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import Client

from django_roomchat import (
    add_member,
    ban,
    create_room,
    mention_candidates,
    post_message,
    read_history,
    search_messages,
    who_is_here,
)
from django_roomchat.identity import Identity
from django_roomchat.models import Presence, ServerProcess
from django_roomchat.testing import ChatClient
from tests.support.bad_inputs import APPLICATION

ZOE = Identity("g:zoe", "Zoë", is_guest=True)


@pytest.fixture
def ana(transactional_db):
    """The owner of the room; a guest and a user whose name is the mark have posted in it."""
    ana = User.objects.create_user("ana")
    create_room("lobby", by=ana)
    add_member("lobby", ZOE)
    post_message("lobby", "from a guest", author=ZOE)
    post_message("lobby", "from a user", author=User.objects.create_user("guest"), reply_to=1)
    post_message("lobby", "to a user", author=ana, reply_to=2)
    return ana


def test_events_and_quotes_name_guests(ana):
    newest_first = read_history("lobby").messages

    assert [(event.author.name, event.author.guest) for event in newest_first] == [
        ("ana", False),
        ("guest", False),
        ("Zoë", True),
    ]
    assert [(event.quote.name, event.quote.guest) for event in newest_first[:2]] == [
        ("guest", False),
        ("Zoë", True),
    ]


def test_people_and_search_results_name_guests(ana):
    process = ServerProcess.objects.create()
    for key, name in (("u:1", "ana"), ("g:zoe", "Zoë")):
        Presence.objects.create(process=process, room="lobby", key=key, name=name)

    found = [hit.author for hit in search_messages("from").hits]
    assert {(one.name, one.guest) for one in found} == {("guest", False), ("Zoë", True)}
    assert {(one.name, one.guest) for one in who_is_here("lobby")} == {("ana", False), ("Zoë", True)}
    assert {(one.name, one.guest) for one in mention_candidates("lobby")} == {
        ("ana", False),
        ("guest", False),
        ("Zoë", True),
    }


async def test_frames_about_people_name_guests(ana):
    await sync_to_async(ban)("lobby", "g:zoe", by=ana)
    async with ChatClient(APPLICATION, "lobby", user=ana) as socket:
        await socket.receive("joined")
        answers = {}
        for frame in ({"type": "members"}, {"type": "sanctions"}, {"type": "person", "key": "g:zoe"}):
            await socket.send(frame)
            answers[frame["type"]] = await socket.receive(frame["type"])

    assert {one["key"]: one.get("guest", False) for one in answers["members"]["members"]} == {
        "g:zoe": True,
        f"u:{ana.pk}": False,
    }
    assert [one["guest"] for one in answers["sanctions"]["sanctions"]] == [True]
    assert answers["person"]["guest"] is True


def messages_of(page: str) -> list[str]:
    """Return the HTML of each message that the server rendered."""
    return [item for item in re.split(r'(?=<li class="roomchat-message")', page)[1:] if 'data-seq="' in item]


MARK = re.compile(r'</span> .*<span class="roomchat-badge roomchat-guest">(\w+)</span>')


def test_the_page_marks_guests_beside_the_name_and_in_quotes(ana):
    items = messages_of(Client().get("/chat/lobby/").content.decode())

    tags = [item.partition(">")[0] for item in items]
    quotes = [re.search(r'<a class="roomchat-quote"[^>]*>', item)[0] for item in items]
    assert ["data-guest" in tag for tag in tags] == [True, False, False]
    assert ["data-guest" in quote for quote in quotes] == [False, True, False]
    # An element of its own, which style sheets show with data-guest. The text of a name is escaped, so no name contains it.
    assert [MARK.search(item)[1] for item in items] == ["guest"] * 3


def test_the_search_page_marks_guests(ana):
    page = Client().get("/chat/~/search/?q=from").content.decode()
    titles = re.findall(r'<span class="roomchat-room-title">(.*)</span>', page)

    assert [re.sub("<[^>]*>", "", title) for title in titles] == ["guest · lobby", "Zoë guest · lobby"]
    assert ["roomchat-badge" in title for title in titles] == [False, True]


def test_the_mark_is_in_the_language_of_the_reader(ana):
    page = Client().get("/chat/lobby/", headers={"Accept-Language": "de"}).content.decode()

    assert MARK.search(messages_of(page)[0])[1] == "Gast"
