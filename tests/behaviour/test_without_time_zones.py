"""A project with `USE_TZ = False`: Django's datetimes are naive, in the time zone of the project."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from django_roomchat import (
    accept_invitation,
    add_member,
    ban,
    configure_room,
    create_room,
    direct_room,
    edit_message,
    erase_user,
    export_user,
    invite,
    mark_read,
    mute,
    notify_unread,
    pin_message,
    post_message,
    prune_history,
    react,
    read_history,
    report_message,
    search_messages,
    unread,
)
from django_roomchat.errors import ChatError
from django_roomchat.identity import Identity
from django_roomchat.models import Message
from django_roomchat.testing import ChatClient
from tests.support.bad_inputs import APPLICATION

pytestmark = pytest.mark.django_db(transaction=True)

BEN = Identity("g:ben", "Ben", is_guest=True)


@pytest.fixture(autouse=True)
def _naive(settings):
    settings.USE_TZ = False
    settings.TIME_ZONE = "Asia/Seoul"


def is_now(text):
    """Return whether a time of the protocol is the present."""
    return abs(datetime.fromisoformat(text) - datetime.now(UTC)) < timedelta(minutes=1)


def test_pages_show_local_time(ana, hers):
    post_message("lobby", "needle", author=ana)
    here = timezone.now()

    pages = [
        hers.get(address).content.decode()
        for address in ("/chat/", "/chat/lobby/", "/chat/~/search/?q=needle")
    ]

    about_now = [f"{(here + timedelta(minutes=late)):%-I:%M}" for late in (-1, 0, 1)]
    assert [any(time in page for time in about_now) for page in pages] == [True] * 3
    assert all("needle" in page for page in pages)


def test_times_of_the_protocol_are_utc(ana, hers):
    post_message("lobby", "hi", author=ana)
    edit_message("lobby", 1, "hello", by=ana)
    pin_message("lobby", 1)

    [event] = read_history("lobby").messages
    [room] = unread(ana)
    [answered] = hers.get("/chat/lobby/messages/").json()["messages"]

    assert [
        is_now(time) for time in (event.at, event.edited_at, event.pinned_at, room.changed_at, answered["at"])
    ] == [True] * 5


def test_a_sanction_ends_at_its_time_aware_or_naive(ana):
    post_message("lobby", "hi", author=ana)
    later = timezone.now() + timedelta(hours=1)

    for until in (later, datetime.now(UTC) + timedelta(hours=1)):
        ban("lobby", ana, by=None, until=until)
        with pytest.raises(ChatError) as banned:
            post_message("lobby", "again", author=ana)
        assert abs(banned.value.until - later) < timedelta(minutes=1)
    with pytest.raises(ChatError, match="future"):
        mute("lobby", BEN, by=None, until=timezone.now() - timedelta(seconds=1))


def test_members_read_and_are_reminded(ana):
    room = create_room("Club", visibility="private", by=ana)
    add_member(room, BEN)
    ben = User.objects.create_user("ben")
    add_member(room, ben)
    post_message(room, "one", author=ana)
    post_message(room, "two", author=ana)
    Message.objects.update(created_at=timezone.now() - timedelta(hours=1))

    before = [listed.unread for listed in unread(BEN)]
    marked = mark_read(room, 2, by=BEN)

    # The messages are older than the memberships, as after an import.
    assert (before, marked.unread, notify_unread(10)) == ([0], 0, 0)
    post_message(room, "three", author=ana)
    assert [listed.unread for listed in unread(BEN)] == [1]
    assert notify_unread(0) == 1


def test_the_other_actions(ana, hers, media_folder):
    link = invite(create_room("Club", visibility="private", by=ana), by=ana, expires_in=timedelta(days=1))
    accept_invitation(link.token, by=BEN)
    post_message("lobby", "hi @Ben", author=ana)
    react("lobby", 1, "👍", by=BEN)
    report_message("lobby", 1, by=BEN, reason="rude")
    configure_room("lobby", by=None, slow_seconds=60, is_archived=True)
    direct_room(ana, User.objects.create_user("ben"))
    ticket = hers.post("/chat/~/ticket/").json()
    exported = json.dumps(export_user(ana))
    pruned = prune_history(older_than=timedelta(days=1))
    call_command("roomchat_prune", days=365, verbosity=0)
    call_command("roomchat_audit", verbosity=0)

    assert (search_messages("hi").hits[0].seq, "hi @Ben" in exported, pruned) == (1, True, {})
    assert ticket["ticket"]
    assert erase_user(ana).messages == 1


async def test_a_socket_receives_utc(settings, clean_hub):
    async with ChatClient(APPLICATION, "lobby") as socket:
        await socket.receive("joined")
        await socket.send({"type": "post", "id": "a", "body": "hi"})
        [event] = (await socket.receive("events"))["events"]

    assert (event["body"], is_now(event["at"])) == ("hi", True)
