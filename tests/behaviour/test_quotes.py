"""Answers carry the beginning of what they answer, as it is then; of what was deleted nothing is left in any of them."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_roomchat import log
from django_roomchat.consumers import ChatConsumer
from django_roomchat.errors import NotFound
from django_roomchat.identity import Identity, site
from django_roomchat.messages.edit import adelete_message, aedit_message, delete_message, edit_message
from django_roomchat.messages.history import read_history
from django_roomchat.messages.post import apost_message, post_message, post_messages
from django_roomchat.messages.types import NewPost
from django_roomchat.protocol import Quote
from django_roomchat.rooms import lookup
from django_roomchat.testing import ChatClient

pytestmark = pytest.mark.django_db(transaction=True)
ANA = Identity("g:ana", "Ana", is_guest=True)
APPLICATION = ChatConsumer.as_asgi()


def quotes():
    """Quotes of the replies in the room, by sequence number."""
    messages = read_history("lobby", by=site()).messages
    return {event.seq: event.quote for event in messages if event.reply_to is not None}


def queries(act, *about, **options):
    with CaptureQueriesContext(connection) as captured:
        act(*about, **options)
    return [query["sql"].split()[0].upper() for query in captured if "set_config" not in query["sql"]]


def test_an_answer_quotes_the_beginning_of_what_it_answers():
    post_message("lobby", "x" * 150, author=ANA)
    post_message("lobby", "yes", reply_to=1)

    assert quotes() == {2: Quote(1, "Ana", "x" * 140, guest=True)}


def test_a_quote_is_what_the_message_says_now():
    post_message("lobby", "one", author=ANA)
    post_message("lobby", "yes", reply_to=1)

    edit_message("lobby", 1, "two")

    assert quotes() == {2: Quote(1, "Ana", "two", guest=True)}


def test_a_deleted_message_can_be_answered_and_is_not_quoted():
    post_message("lobby", "secret", author=ANA)
    post_message("lobby", "before", reply_to=1)
    delete_message("lobby", 1)
    post_message("lobby", "after", reply_to=1)

    assert quotes() == {seq: Quote(1, "Ana", "", deleted=True, guest=True) for seq in (2, 4)}


def test_an_answer_to_nothing_is_refused():
    post_message("lobby", "one")

    with pytest.raises(NotFound):
        post_message("lobby", "yes", reply_to=2)


def test_an_answer_to_what_was_pruned_has_no_quote():
    post_message("lobby", "one")
    post_message("lobby", "yes", reply_to=1)

    log.prune(lookup.room_of("lobby").pk, 1)

    assert quotes() == {2: None}


def test_what_is_deleted_while_an_answer_is_on_its_way_is_not_quoted(monkeypatch):
    post_message("lobby", "secret", author=ANA)
    append, appended = log.append, []

    def late(*about, **options):
        delete_message("lobby", 1)
        done = append(*about, **options)
        appended.extend(done.values())
        return done

    monkeypatch.setattr(log, "append", late)
    post_message("lobby", "yes", reply_to=1)

    [event] = appended[0].events
    assert (event.rev, event.quote) == (3, Quote(1, "Ana", "", deleted=True, guest=True))


def test_answers_cost_one_query_for_each_page_and_two_for_each_post():
    post_message("lobby", "one", author=ANA)
    post_message("lobby", "two", author=ANA)
    plain = queries(read_history, "lobby", by=site())
    post = queries(post_message, "lobby", "no answer", author=ANA)
    for seq in (1, 1, 2):
        post_message("lobby", "yes", reply_to=seq)

    answer = queries(post_message, "lobby", "yes", reply_to=1, author=ANA)

    assert queries(read_history, "lobby", by=site()) == [*plain, "SELECT"]
    assert sorted(answer) == sorted([*post, "SELECT", "SELECT"])


def test_many_answers_in_one_batch_cost_no_more_than_one():
    post_message("lobby", "one", author=ANA)
    post_message("lobby", "two", author=ANA)
    posts = [NewPost(ANA, "lobby", "yes", f"id{number}", reply_to=1) for number in range(5)]

    # On MySQL and MariaDB a SELECT reads the numbers.
    assert queries(post_messages, posts).count("SELECT") == (3 if connection.vendor == "mysql" else 2)


# What a process keeps -------------------------------------------------------------------------------------------


async def told(client, last):
    """The text of all frames until the room's last message."""
    frames, bodies = [], []
    while last not in bodies:
        frames.append(await client.receive())
        bodies += [event["body"] for event in frames[-1].get("events", ())]
    return json.dumps(frames)


@pytest.mark.parametrize("since", [None, 0, 1, 2, 3])
async def test_nobody_who_comes_later_is_told_what_a_deleted_message_said(since):
    await apost_message("lobby", "hello")
    async with ChatClient(APPLICATION, "lobby") as member:
        epoch = (await member.receive("joined"))["epoch"]
        await apost_message("lobby", "secret")
        await apost_message("lobby", "an answer", reply_to=2)
        before = await told(member, "an answer")
        async with ChatClient(APPLICATION, "lobby") as other:
            await told(other, "an answer")
        await adelete_message("lobby", 2)
        await apost_message("lobby", "another answer", reply_to=2)
        await apost_message("lobby", "last")
        after = await told(member, "last")

        async with ChatClient(APPLICATION, "lobby", epoch=epoch, since=since) as late:
            later = await told(late, "last")

    assert before.count("secret") == 2
    assert ("secret" in after, "secret" in later) == (False, False)
    assert '"quote": {"seq": 2, "name": "System", "body": "", "deleted": true}' in later


async def test_an_edit_of_an_answer_carries_its_quote():
    await apost_message("lobby", "one")
    await apost_message("lobby", "yes", reply_to=1)
    async with ChatClient(APPLICATION, "lobby") as client:
        joined = await client.receive("joined")
        await aedit_message("lobby", 2, "no")
        [event] = (await client.receive("events"))["events"]

    quote = {"seq": 1, "name": "System", "body": "one"}
    assert (joined["events"][1]["quote"], event["body"], event["quote"]) == (quote, "no", quote)
