"""Mentions and mention candidates: from Python, over HTTP and through a socket."""

import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from django_roomchat.consumers import ChatConsumer
from django_roomchat.errors import ChatError
from django_roomchat.identity import Identity, site
from django_roomchat.messages.edit import delete_message, edit_message
from django_roomchat.messages.history import read_history
from django_roomchat.messages.mentions import amention_candidates, mention_candidates, mentions_in
from django_roomchat.messages.post import apost_message, post_message
from django_roomchat.models import Membership
from django_roomchat.moderation.sanctions import ban
from django_roomchat.rooms import lookup
from django_roomchat.signals import mentioned
from django_roomchat.testing import ChatClient

pytestmark = pytest.mark.django_db(transaction=True)
BO = Identity("g:bo", "Bo", is_guest=True)
MEMBERS = {
    "u:1": "Ana",
    "u:2": "Ana Silva",
    "u:3": "김민수",
    "u:4": "山田 由紀",
    "u:5": "O'Neil",
    "u:6": "<b>Bold</b>",
    "u:7": "Ánna",
}


@pytest.fixture(autouse=True)
def _lobby():
    post_message("lobby", "hello", author=BO)
    room = lookup.room_of("lobby")
    Membership.objects.bulk_create(Membership(room=room, key=key, name=name) for key, name in MEMBERS.items())


def called(body):
    """The people whom a message with this text mentions."""
    seq = post_message("lobby", body).seq
    return called_by(seq)


def called_by(seq):
    [event] = [event for event in read_history("lobby", by=site()).messages if event.seq == seq]
    return [(mention.key, mention.name) for mention in event.mentions or ()]


def queries(act, *about, **options):
    with CaptureQueriesContext(connection) as captured:
        act(*about, **options)
    return [query["sql"].split()[0].upper() for query in captured if "set_config" not in query["sql"]]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("@Ana hi", [("u:1", "Ana")]),
        ("hi @ana!", [("u:1", "ana")]),
        ("@Ana Silva, look", [("u:2", "Ana Silva")]),
        ("@Ana  Silva", [("u:1", "Ana")]),
        ("@Ana\nSilva", [("u:1", "Ana")]),
        ("(@Bo) @BO", [("g:bo", "Bo"), ("g:bo", "BO")]),
        ("@Bo @Bo", [("g:bo", "Bo")]),
        ("@김민수님 안녕하세요", [("u:3", "김민수")]),
        ("@山田 由紀さん", [("u:4", "山田 由紀")]),
        ("@O'Neil's", [("u:5", "O'Neil")]),
        ("@Ánna", [("u:7", "Ánna")]),
        ("안녕 @Ana 그리고 @Bo", [("u:1", "Ana"), ("g:bo", "Bo")]),
        ("@Anabel @Nobody", []),
        ("ana@Ana.example a.b@Ana ana+1@Ana", []),
        ("@ @@ @\u200bAna", []),
        ("@@Ana", [("u:1", "Ana")]),
        ("Ana", []),
        ("@%' OR 1=1 --", []),
    ],
)
def test_a_text_calls_those_whose_names_stand_behind_an_at(body, expected):
    assert called(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        "see https://medium.com/@Ana/story",
        "https://mastodon.example/@Ana",
        "www.example.com/@Ana and ana@example.com/@",
        "@Ana@mastodon.example @Ana＠예시.한국",
        "info＠Ana",
    ],
)
def test_a_name_that_the_page_does_not_mark_is_no_mention(body):
    assert called(f"{body} @Bo") == [("g:bo", "Bo")]


@pytest.mark.parametrize(
    "body",
    [
        "`@Ana`",
        "``@Ana` x``",
        "```\nhi @Ana\n```",
        "> ~~~\n> @Ana\n> ~~~",
        "[@Ana](https://example.com)",
        "[see **@Ana**](https://example.com)",
        "<https://example.com/@Ana>",
    ],
)
def test_a_name_in_code_or_in_a_link_is_no_mention_with_markdown(body, settings):
    settings.ROOMCHAT = {"MARKDOWN": True}

    assert called(f"{body}\n\n**@Bo**") == [("g:bo", "Bo")]


def test_a_name_in_backquotes_is_a_mention_without_markdown():
    assert called("`@Ana`") == [("u:1", "Ana")]


def test_an_edit_to_code_ends_a_mention(settings):
    settings.ROOMCHAT = {"MARKDOWN": True}
    seq = post_message("lobby", "*@Ana*", author=BO).seq
    before = called_by(seq)
    edit_message("lobby", seq, "`@Ana`", by=BO)

    assert (before, called_by(seq)) == ([("u:1", "Ana")], [])


@pytest.mark.parametrize("body", ["＠Ana", "안녕 ＠Ana!", "﹫Ana, hi"])
def test_an_at_of_another_width_begins_a_mention(body):
    assert called(body) == [("u:1", "Ana")]


def test_a_mention_of_a_name_prefers_a_member_to_another_author():
    post_message("lobby", "hi", author=Identity("g:other", "Ana", is_guest=True))

    assert called("@Ana") == [("u:1", "Ana")]


def test_of_two_who_write_here_the_last_one_is_meant():
    for key in ("g:1", "g:2"):
        post_message("lobby", "hi", author=Identity(key, "Cy", is_guest=True))

    assert called("@Cy") == [("g:2", "Cy")]


def test_the_site_bots_and_deleted_messages_make_no_mention_candidates():
    post_message("lobby", "built", name="Builder")
    seq = post_message("lobby", "oops", author=Identity("g:gone", "Gone", is_guest=True)).seq
    delete_message("lobby", seq)

    assert called("@Builder @System @Gone @Bo") == [("g:bo", "Bo")]


def test_a_text_calls_at_most_twenty():
    people = [Membership(room=lookup.room_of("lobby"), key=f"u:x{n}", name=f"p{n}") for n in range(30)]
    Membership.objects.bulk_create(people)

    assert called(" ".join(f"@p{n}" for n in range(30))) == [(f"u:x{n}", f"p{n}") for n in range(20)]


def test_only_the_first_forty_calls_are_looked_at():
    assert called("@x " * 40 + "@Ana") == []
    assert called("@x " * 39 + "@Ana") == [("u:1", "Ana")]


def test_only_a_text_with_an_at_costs_queries():
    post_message("lobby", "warm", author=BO)

    plain, calling = (queries(post_message, "lobby", body, author=BO) for body in ("Ana", "@Ana"))
    alone = queries(post_message, "lobby", "me @ 5", author=BO)

    # On MySQL and MariaDB a SELECT reads the number.
    assert plain.count("SELECT") == (connection.vendor == "mysql")
    assert calling == ["SELECT", "SELECT", *plain]
    assert alone == plain


def test_nobody_is_known_in_a_room_that_is_new():
    assert called("x") == []
    assert mentions_in(lookup.room_of("brand new"), "@Ana") == []


def test_a_repeated_post_is_the_same_though_people_have_come():
    post_message("lobby", "@Dee", id="a", author=BO)
    Membership.objects.create(room=lookup.room_of("lobby"), key="u:9", name="Dee")

    again = post_message("lobby", "@Dee", id="a", author=BO)

    assert (again.duplicate, called_by(again.seq)) == (True, [])


def test_an_edited_text_calls_others():
    seq = post_message("lobby", "@Ana", author=BO).seq

    edit_message("lobby", seq, "@Bo", by=BO)
    first = called_by(seq)
    edit_message("lobby", seq, "nobody", by=BO)

    assert (first, called_by(seq)) == ([("g:bo", "Bo")], [])


def test_the_signal_names_each_mentioned_person_once():
    heard = []

    def hear(sender, room, event, mentions, **kwargs):
        heard.append((room, event.body, [mention.key for mention in mentions]))

    mentioned.connect(hear)
    try:
        seq = post_message("lobby", "@Ana and @Bo", author=BO).seq
        post_message("lobby", "nobody", author=BO)
        edit_message("lobby", seq, "@Ana and @Ana Silva", by=BO)
        edit_message("lobby", seq, "@Ana!", by=BO)
    finally:
        mentioned.disconnect(hear)

    assert heard == [
        ("lobby", "@Ana and @Bo", ["u:1", "g:bo"]),
        ("lobby", "@Ana and @Ana Silva", ["u:2"]),
    ]


# Mention candidates ----------------------------------------------------------------------------------------------


def names(prefix, **options):
    return [person.name for person in mention_candidates("lobby", prefix, **options)]


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("an", ["Ana", "Ana Silva"]),
        ("SIL", ["Ana Silva"]),
        ("ana s", ["Ana Silva"]),
        ("김", ["김민수"]),
        ("민수", ["김민수"]),
        ("由", ["山田 由紀"]),
        ("b", ["Bo"]),
        ("x", []),
        ("%", []),
        ("_", []),
        ("  ", ["<b>Bold</b>", "Ana", "Ana Silva", "O'Neil", "Ánna", "山田 由紀", "김민수", "Bo"]),
    ],
)
def test_people_are_found_by_the_beginning_of_a_word_of_their_name(prefix, expected):
    found = names(prefix)

    if connection.vendor == "mysql":
        # There, the collation of the database sorts Á beside A.
        found, expected = sorted(found), sorted(expected)
    assert found == expected


def test_no_more_people_are_found_than_are_asked_for():
    assert names("", limit=3) == ["<b>Bold</b>", "Ana", "Ana Silva"]


def test_people_come_with_the_picture_of_what_they_said_last():
    post_message("lobby", "hi", author=Identity("g:cy", "Cy", avatar="/cy.png"))
    post_message("lobby", "hi", author=Identity("u:1", "Ana", avatar="/ana.png"))

    assert [
        (person.key, person.avatar)
        for prefix in ("cy", "ana")
        for person in mention_candidates("lobby", prefix)
    ] == [
        ("g:cy", "/cy.png"),
        ("u:1", "/ana.png"),
        ("u:2", ""),
    ]


def test_a_guest_with_the_name_of_another_cannot_be_mentioned_or_offered():
    post_message("lobby", "hi", author=Identity("g:other", "ANA", is_guest=True))

    assert [person.key for person in mention_candidates("lobby", "ana")] == ["u:1", "u:2"]


def test_people_cost_three_queries():
    assert queries(mention_candidates, "lobby", "a") == ["SELECT"] * 3


def test_who_may_not_enter_is_told_nobody():
    ban("lobby", BO)

    with pytest.raises(ChatError) as refused:
        mention_candidates("lobby", "a", by=BO)

    assert refused.value.code == "banned"
    assert mention_candidates("no such room", "a", by=BO) == []


async def test_people_are_a_frame_and_a_message_says_whom_it_calls():
    async with ChatClient(ChatConsumer.as_asgi(), "lobby") as client:
        await client.receive("joined")
        await client.send({"type": "people", "prefix": "silva", "id": "p"})
        found = await client.receive("people")
        await client.send({"type": "people", "prefix": "x" * 101})
        refused = await client.receive("error")
        await apost_message("lobby", "@Ana Silva")
        heard = await client.receive("events")

    assert found == {
        "type": "people",
        "id": "p",
        "room": "lobby",
        "people": [{"key": "u:2", "name": "Ana Silva"}],
    }
    assert refused["code"] == "bad_value"
    assert heard["events"][0]["mentions"] == [{"key": "u:2", "name": "Ana Silva"}]


def test_people_are_a_frame_over_http():
    address = reverse("roomchat:room_frames", args=["lobby"])

    response = Client().post(address, json.dumps({"type": "people", "prefix": "bo"}), "application/json")

    assert response.json() == {
        "type": "people",
        "id": "",
        "room": "lobby",
        "people": [{"key": "g:bo", "name": "Bo", "guest": True}],
    }


async def test_people_have_a_twin():
    assert [person.name for person in await amention_candidates("lobby", "bo")] == ["Bo"]
