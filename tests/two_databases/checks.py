"""Requirements that a site with two databases meets. Run by `tests/behaviour/test_two_databases.py`, with its own settings."""

import io
import json

import pytest
from channels.db import database_sync_to_async as in_database
from django.contrib.auth.models import User
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connections
from django.test import Client
from django.urls import reverse

from django_roomchat import (
    add_member,
    ban,
    create_room,
    direct_room,
    edit_message,
    erase_user,
    export_user,
    mark_read,
    post_message,
    prune_history,
    react,
    read_history,
    report_message,
    search_messages,
    unread,
)
from django_roomchat.models import Message, Room
from django_roomchat.testing import ChatClient
from tests.asgi import application

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "community", "replica"])


@pytest.fixture
def ana():
    return User.objects.create_user("ana")


@pytest.fixture
def hers(ana):
    browser = Client()
    browser.force_login(ana)
    return browser


def test_the_chat_and_its_users_are_in_one_database(ana):
    post_message("lobby", "hi", author=ana)

    assert {alias: _tables(alias) for alias in ("default", "community")} == {"default": 0, "community": 1}
    assert (Message.objects.using("community").get().author, User.objects.db) == (ana, "community")


def _tables(alias):
    return sum(name == "roomchat_message" for name in connections[alias].introspection.table_names())


def test_pages_and_requests_use_that_database(ana, hers):
    posted = hers.post(
        reverse("roomchat:messages", args=["lobby"]),
        json.dumps({"id": "a", "body": "needle"}),
        content_type="application/json",
    )
    pages = [hers.get(f"/chat/{path}").content.decode() for path in ("", "lobby/", "~/search/?q=needle")]

    assert (posted.status_code, ["needle" in page for page in pages]) == (201, [True] * 3)


def test_the_actions_use_that_database(ana):
    ben = User.objects.create_user("ben")
    room = create_room("Club", visibility="private", by=ana)
    add_member(room, ben)
    post_message(room, "one", author=ana)
    edit_message(room, 1, "two", by=ana)
    react(room, 1, "👍", by=ben)
    report_message(room, 1, by=ben)
    post_message(direct_room(ana, ben), "three", author=ana)
    listed = {one.title: one.unread for one in unread(ben)}

    assert [event.body for event in read_history(room).messages] == ["two"]
    assert (listed, mark_read(room, 1, by=ben).unread) == ({"Club": 1, "ana": 1}, 0)
    assert search_messages("two", by=ben).hits[0].seq == 1
    ban(room, ben)
    assert Room.objects.for_object(ana) == Room.objects.for_object(ana)
    assert (len(export_user(ana)["messages"]), prune_history(keep=0), erase_user(ben).messages) == (
        2,
        {
            room.name: 1,
            **{one.name: 1 for one in Room.objects.using("community").filter(visibility="direct")},
        },
        0,
    )


async def test_a_socket_uses_that_database(ana, hers):
    cookie = f"sessionid={hers.cookies['sessionid'].value}".encode()

    async with ChatClient(application, "lobby", headers=[(b"cookie", cookie)]) as socket:
        you = (await socket.receive("welcome"))["you"]
        ack = await socket.post("hi", id="a")

    message = await in_database(Message.objects.using("community").get)()
    assert (you["name"], ack["seq"], message.author_id) == ("ana", 1, ana.pk)


def test_the_commands_use_that_database(ana):
    post_message("lobby", "hi", author=ana)
    out = io.StringIO()

    for command, *arguments in (
        ["audit"],
        ["prune"],
        ["unread"],
        ["export", "ana"],
        ["erase", "ana", "--noinput"],
    ):
        call_command(f"roomchat_{command}", *arguments, stdout=out)

    assert "1 rooms verified" in out.getvalue()
    assert '"body":"hi"' in out.getvalue()
    assert Message.objects.using("community").get().body == ""


def test_the_check_is_content(settings):
    assert [one.id for one in run_checks() if one.id.startswith("roomchat.W02")] == []
