"""Search: messages of every script are found by people who may read them, until they are edited or deleted."""

import json

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Q
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_roomchat.consumers import ChatConsumer
from django_roomchat.errors import BadValue, Busy, Forbidden, NotFound
from django_roomchat.identity import Identity, of_user
from django_roomchat.messages import search
from django_roomchat.messages.edit import delete_message, edit_message
from django_roomchat.messages.history import prune_history
from django_roomchat.messages.post import post_message
from django_roomchat.messages.search import asearch_messages, search_messages, search_steps
from django_roomchat.messages.search_cursor import CursorSigner
from django_roomchat.models import Membership, Message, Room, RoomLog
from django_roomchat.policy import NOT_ALLOWED, OpenPolicy
from django_roomchat.rooms.create import create_room
from django_roomchat.rooms.members import add_member, remove_member
from django_roomchat.testing import ChatClient

pytestmark = pytest.mark.django_db(transaction=True)
ANA, BO = Identity("g:ana", "Ana", is_guest=True), Identity("g:bo", "Bo", is_guest=True)


def said(*bodies, room="lobby"):
    for body in bodies:
        post_message(room, body, name="Bo")


def found(query, room=None, who=ANA, **options):
    return [(hit.room, hit.seq) for hit in search_messages(query, room=room, by=who, **options).hits]


def excerpts(query):
    return [hit.excerpt for hit in search_messages(query, by=ANA).hits]


# Words ------------------------------------------------------------------------------------------------------------


def test_all_words_must_be_there_and_a_quoted_phrase_as_it_stands():
    said("red apples", "green apples", "apples, red ones")

    assert (found("red apples"), found('"red apples"'), found("a.ples")) == (
        [("lobby", 3), ("lobby", 1)],
        [("lobby", 1)],
        [],
    )


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("", "Enter something to search for."),
        (' "" \t', "Enter something to search for."),
        ("a\0b", "A search cannot contain control characters."),
        ("x" * 201, "A search can have at most 200 characters."),
        ("a b c d e f g h i", "A search can have at most 8 words."),
    ],
)
def test_a_search_for_nothing_or_too_much_is_told_so(query, detail):
    with pytest.raises(BadValue) as refused:
        search_messages(query, by=ANA)

    assert refused.value.detail == detail


def test_an_excerpt_shows_the_text_around_with_the_hits_apart():
    said("say hello, and Hello again", "x" * 300 + " needle " + "y" * 300, "aaab")

    assert excerpts("hello") == [["say ", "hello", ", and ", "Hello", " again"]]
    assert excerpts("aa ab") == [["", "aaab", ""]]
    [[before, hit, after]] = excerpts("NEEDLE")
    assert (hit, before, after[:3], after[-1]) == ("needle", f"…{'x' * 39} ", " yy", "…")


def test_a_hit_says_where_it_is_and_who_said_it():
    post_message("Lobby", "hello", author=ANA)
    at = Message.objects.get().created_at

    [hit] = search_messages("hello", by=ANA).hits

    assert (hit.room, hit.title, hit.seq, hit.author.key, hit.author.name, hit.at[:19]) == (
        "lobby",
        "Lobby",
        1,
        "g:ana",
        "Ana",
        at.isoformat()[:19],
    )


# Rights --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def secret():
    """A private room in which Ana is not."""
    room = Room.objects.create(name="~secret", title="Board", visibility="private")
    room.log = RoomLog.objects.create(room=room, access_version=1)
    said("needle in private", room=room)
    said("needle in public")
    return room


def test_a_private_room_is_found_by_its_members_only(secret):
    Membership.objects.create(room=secret, key="g:bo", name="Bo")

    assert found("needle") == [("lobby", 1)]
    assert found("needle", who=Identity("g:bo", "Bo")) == [("lobby", 1), ("~secret", 1)]


def test_a_search_discloses_no_hits_in_hidden_rooms(secret, monkeypatch):
    monkeypatch.setattr(search, "HITS", 1)

    assert search_messages("needle", by=ANA).before == ""


def test_a_private_room_cannot_be_searched_by_name(secret):
    with pytest.raises(NotFound) as hidden:
        search_messages("needle", room=secret, by=ANA)
    with pytest.raises(NotFound) as absent:
        search_messages("needle", room="~none", by=ANA)

    assert (hidden.value.code, hidden.value.detail) == (absent.value.code, absent.value.detail)


class NotTheCellar(OpenPolicy):
    def can_enter(self, who, room):
        return NOT_ALLOWED if room.name == "cellar" else super().can_enter(who, room)


def test_the_policy_is_asked_for_every_room(settings):
    said("needle", room="cellar")
    said("needle", room="attic")
    settings.ROOMCHAT = {"POLICY": NotTheCellar}

    assert found("needle") == [("attic", 1)]
    with pytest.raises(Forbidden):
        search_messages("needle", room="cellar", by=ANA)


def test_what_is_gone_is_not_found():
    said("needle one", "needle two", "needle three", "needle four")
    assert len(found("needle")) == 4

    prune_history(keep=3)
    delete_message("lobby", 2)
    edit_message("lobby", 3, "hay")

    assert found("needle") == [("lobby", 4)]


# How far ----------------------------------------------------------------------------------------------------------


def test_pages_follow_each_other_in_a_room_and_across_rooms(monkeypatch):
    monkeypatch.setattr(search, "HITS", 2)
    for number in range(5):
        said(f"needle {number}", room=("lobby", "attic")[number % 2])

    def pages(room):
        place, told = "", []
        while True:
            page = search_messages("needle", room=room, by=ANA, before=place)
            told.append([hit.excerpt[-1] for hit in page.hits])
            place = page.before
            if not place:
                return told

    assert pages(None) == [[" 4", " 3"], [" 2", " 1"], [" 0"]]
    assert pages("lobby") == [[" 4", " 2"], [" 0"]]


def test_a_search_whose_time_is_up_goes_on_where_it_stopped(monkeypatch, settings):
    monkeypatch.setattr(search, "STEP", 2)
    settings.ROOMCHAT = {"SEARCH_SECONDS": 1e-9}
    said("needle", "hay 1", "hay 2", "hay 3", "hay 4")

    for room in (None, "lobby"):
        pages = [search_messages("needle", room=room, by=ANA)]
        while pages[-1].before:
            pages.append(search_messages("needle", room=room, by=ANA, before=pages[-1].before))
        assert [(len(page.hits), page.before.partition(":")[0]) for page in pages] == [
            (0, "4@lobby"),
            (0, "2@lobby"),
            (1, ""),
        ]


def test_a_search_with_time_looks_through_everything(monkeypatch):
    monkeypatch.setattr(search, "STEP", 2)
    said("needle", "hay 1", "hay 2", "hay 3", "hay 4")

    assert found("needle") == [("lobby", 1)]


def test_a_page_that_ended_at_a_pruned_message_goes_on():
    said("needle 1", "needle 2", room="attic")
    said("hay", "hay", "hay")
    prune_history(rooms=["lobby"], keep=1)

    assert found("needle", before=cursor("1@lobby")) == [("attic", 2), ("attic", 1)]


def cursor(position, who=ANA, room="", query="needle"):
    room_name, seq = position.partition("@")[2], int(position.partition("@")[0])
    return CursorSigner(who, room, query).sign(room_name, seq)


def is_rejected(before, **search):
    try:
        search_messages(**{"query": "needle", "by": ANA} | search, before=before)
    except BadValue as error:
        return error.code == "bad_value" and "earlier page of results" in error.detail
    return False


@pytest.mark.parametrize(
    "change",
    [{"query": "needle "}, {"room": "lobby"}, {"room": "attic"}, {"by": BO}, {"by": None}],
    ids=["query", "room of the cursor", "another room", "person", "site"],
)
def test_a_cursor_of_another_search_is_rejected(monkeypatch, change):
    monkeypatch.setattr(search, "HITS", 1)
    said("needle", "needle", room="attic")
    said("needle", "needle")
    before = search_messages("needle", by=ANA).before

    assert (is_rejected(before), is_rejected(before, **change)) == (False, True)


@pytest.mark.parametrize("before", ["x", "1@lobby", "1@lobby:x", "1@lobby:\ud800", "\0", "9" * 400])
def test_a_cursor_that_no_search_has_returned_is_rejected(before):
    said("needle")

    assert is_rejected(before)
    assert is_rejected(before, room="lobby")


def test_a_cursor_in_a_room_that_one_has_left_or_that_was_deleted_is_rejected():
    club = create_room("Club", visibility="private")
    add_member(club, ANA)
    said("needle", "needle", room=club.name)
    before = cursor(f"2@{club.name}")
    in_time = is_rejected(before)

    remove_member(club, ANA)
    is_removed = is_rejected(before)
    add_member(club, ANA)
    again = is_rejected(before)
    club.delete()

    assert (in_time, is_removed, again, is_rejected(before)) == (False, True, False, True)


def test_a_cursor_is_valid_after_a_rotation_of_the_secret_key(settings):
    said("needle", "needle")
    before = cursor("2@lobby")
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "new"

    assert found("needle", before=before) == [("lobby", 1)]


def test_an_empty_site_and_an_empty_room_have_nothing():
    assert (search_messages("x", by=ANA).hits, search_messages("x", room="lobby", by=ANA).hits) == ([], [])


# From outside -----------------------------------------------------------------------------------------------------


def test_a_frame_over_http_finds_the_same():
    said("needle", room="attic")
    said("hay")
    client = Client()
    client.force_login(User.objects.create_user("ana"))

    def ask(address, **more):
        frame = json.dumps({"type": "search", "id": "a", "query": "needle", **more})
        answer = client.post(f"/chat/{address}/frames/", frame, content_type="application/json").json()
        return (
            answer["type"],
            answer["id"],
            [hit["room"] for hit in answer["hits"]],
            answer.get("more", False),
        )

    assert ask("~") == ("found", "a", ["attic"], False)
    assert ask("lobby") == ("found", "a", [], False)
    assert ask("lobby", everywhere=True) == ("found", "a", ["attic"], False)


async def test_a_socket_finds_in_its_room_and_everywhere():
    from django_roomchat.messages.post import apost_message

    await apost_message("lobby", "needle here")
    await apost_message("attic", "needle there")
    async with ChatClient(ChatConsumer.as_asgi(), "lobby") as client:
        await client.send({"type": "search", "id": "a", "query": "NEEDLE"})
        here = await client.receive("found")
        await client.send({"type": "search", "id": "b", "query": "NEEDLE", "everywhere": True})
        everywhere = await client.receive("found")

    assert [(hit["room"], hit["seq"]) for hit in here["hits"]] == [("lobby", 1)]
    assert here["hits"][0]["excerpt"] == ["", "needle", " here"]
    assert [hit["room"] for hit in everywhere["hits"]] == ["attic", "lobby"]


async def test_the_asynchronous_twin_does_the_same():
    assert (await asearch_messages("x", by=ANA)).hits == []


def test_a_user_of_the_project_finds_what_they_belong_to(secret):
    user = User.objects.create_user("cy")
    Membership.objects.create(room=secret, key=of_user(user).key, name="Cy")

    assert found("private", who=of_user(user)) == [("~secret", 1)]


# Steps ----------------------------------------------------------------------------------------------------------------


def test_a_search_gives_its_thread_back_after_every_few_messages(monkeypatch):
    monkeypatch.setattr(search, "STEP", 2)
    monkeypatch.setattr(search, "STEP_MIN", 2)
    monkeypatch.setattr(search, "STEP_MAX", 2)
    said("needle", "hay 1", "hay 2", "hay 3", "hay 4")
    steps = search_steps("needle", room="lobby", by=ANA)
    next(steps)

    with CaptureQueriesContext(connection) as made:
        second = next(steps)
    found = [page for page in steps if page is not None]

    read = [query["sql"] for query in made.captured_queries if "roomchat_message" in query["sql"]]
    assert (second, [[hit.seq for hit in page.hits] for page in found]) == (None, [[1]])
    assert ["LIMIT" in sql for sql in read] == [True, True]


def test_messages_of_hidden_rooms_are_passed_by_in_windows(secret, monkeypatch, settings):
    # Steps of one message, however fast the machine is.
    for name in ("STEP", "STEP_MIN", "STEP_MAX"):
        monkeypatch.setattr(search, name, 1)
    monkeypatch.setattr(search, "WINDOW", 2)
    settings.ROOMCHAT = {"SEARCH_SECONDS": 1e-9}
    said(*(f"needle {number}" for number in range(9)), room=secret)

    page = search_messages("needle", by=ANA)

    # The time is up at once, and the search goes on until it has a message that a cursor may name.
    assert [hit.room for hit in page.hits] == ["lobby"]
    assert search_messages("needle", by=ANA, before=page.before).hits == []


def test_the_statements_of_a_search_have_a_timeout_on_postgresql(on_postgres, monkeypatch):
    monkeypatch.setattr(search, "STATEMENT_SECONDS", 0.001)
    said("needle")
    slow = Message.objects.extra(where=["pg_sleep(1) IS NOT NULL"])

    with pytest.raises(Busy) as refused:
        list(search._scan(slow.order_by("-seq"), "seq", 1, 2, Q()))

    assert (refused.value.code, timeout_of_the_connection()) == ("busy", "0")


def test_the_timeout_of_a_search_ends_with_it_in_a_transaction_of_the_caller(on_postgres):
    said("needle")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 12345")

        assert found("needle") == [("lobby", 1)]

        assert timeout_of_the_connection() == "12345ms"


def timeout_of_the_connection():
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return cursor.fetchone()[0]
