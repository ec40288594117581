"""Outgoing webhooks are made and removed."""

import pytest
from django.utils import translation

from django_roomchat.errors import BadValue, Forbidden
from django_roomchat.messages.post import post_message
from django_roomchat.models import AuditEntry, Room, RoomLog, Webhook
from django_roomchat.webhooks.outgoing import (
    amake_webhook,
    aremove_webhook,
    make_webhook,
    remove_webhook,
)
from tests.support.webhooks import ANA

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("private_receivers")]


def test_a_webhook_begins_where_the_room_stands():
    post_message("Lobby", "before")

    webhook = make_webhook("lobby", "https://example.com/hook")

    log_row = RoomLog.objects.get()
    assert (webhook.room.name, webhook.cursor, webhook.epoch) == ("lobby", 1, log_row.epoch)
    assert webhook.secret.startswith("whsec_")
    assert list(AuditEntry.objects.values_list("verb", "by_name", "room_name", "data")) == [
        ("make_webhook", "System", "lobby", {"url": "https://example.com/hook"})
    ]


def test_a_room_that_is_not_there_yet_is_made():
    make_webhook("New Room", "https://example.com/")

    assert list(Room.objects.values_list("name", "title")) == [("new room", "New Room")]


def test_who_may_not_manage_the_room_makes_and_removes_none():
    webhook = make_webhook("lobby", "https://example.com/")

    with pytest.raises(Forbidden):
        make_webhook("lobby", "https://example.com/", by=ANA)
    with pytest.raises(Forbidden):
        remove_webhook(webhook, by=ANA)

    assert Webhook.objects.count() == 1


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "example.com",
        "https:///path",
        "https://user:secret@example.com/",
        "https://example.com:99999/",
        "https://example.com:0/",
        "https://exämple.com/",
        "https://example.com/a b",
        "https://[::1/",
        "https://[v1.a]/",
        "https://%31%32%37.0.0.1/",
        "https://127.0.0.1\\.example.com/",
    ],
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(BadValue, match="use an http or https URL"):
        make_webhook("lobby", url)


def test_a_removed_webhook_is_told_nothing_more(worker, receiver):
    webhook = make_webhook("lobby", receiver.url)
    post_message("lobby", "one")
    assert worker.deliver_due() == 1

    remove_webhook(webhook)
    post_message("lobby", "two")

    assert worker.deliver_due() == 0
    assert list(AuditEntry.objects.values_list("verb", flat=True)) == ["make_webhook", "remove_webhook"]


@pytest.mark.django_db(transaction=True)
async def test_asynchronous_code_makes_and_removes_them():
    webhook = await amake_webhook("lobby", "https://example.com/")
    made = await Webhook.objects.acount()

    await aremove_webhook(webhook)

    assert (made, await Webhook.objects.acount()) == (1, 0)


def test_an_unusual_url_is_logged_without_its_path(caplog):
    make_webhook("lobby", "https://usual.example/secret")
    with translation.override("de"):
        make_webhook("lobby", "http://unusual.example:8080/secret")

    assert [record.getMessage() for record in caplog.records] == [
        "Webhook of the room 'lobby' to 'unusual.example:8080': Deliveries to an http URL are not encrypted; use https.",
        "Webhook of the room 'lobby' to 'unusual.example:8080': Port 8080 is unusual; make sure that a web server listens on it.",
    ]
