"""Entries of the audit trail."""

import pytest
from django.db import transaction

from django_roomchat.identity import Identity, site
from django_roomchat.models import AuditEntry
from django_roomchat.policy import audit_trail

pytestmark = pytest.mark.django_db
MODERATOR, BOB = Identity("u:1", "Mo"), Identity("g:bob", "Bob", is_guest=True)


def entries():
    return list(
        AuditEntry.objects.order_by("pk").values(
            "verb", "by_key", "by_name", "room_name", "target_key", "target_name", "data"
        )
    )


def test_an_entry_records_the_actor_the_room_the_target_and_the_details():
    audit_trail.record("ban", MODERATOR, room="lobby", target=BOB, reason="spam", until=None)

    assert entries() == [
        {
            "verb": "ban",
            "by_key": "u:1",
            "by_name": "Mo",
            "room_name": "lobby",
            "target_key": "g:bob",
            "target_name": "Bob",
            "data": {"reason": "spam", "until": None},
        }
    ]


def test_an_entry_without_room_and_target_has_empty_fields():
    audit_trail.record("export", site())

    [entry] = entries()
    assert (
        entry["by_key"],
        entry["room_name"],
        entry["target_key"],
        entry["target_name"],
        entry["data"],
    ) == (
        site().key,
        "",
        "",
        "",
        {},
    )


def test_names_in_an_entry_are_those_at_the_time_of_the_action():
    audit_trail.record("mute", MODERATOR, room="lobby", target=BOB)
    audit_trail.record("unmute", MODERATOR, room="lobby", target=Identity("g:bob", "Robert", is_guest=True))

    assert [entry["target_name"] for entry in entries()] == ["Bob", "Robert"]


@pytest.mark.django_db(transaction=True)
def test_an_entry_is_rolled_back_with_the_action():
    with transaction.atomic():
        audit_trail.record("ban", MODERATOR, room="lobby", target=BOB)
        transaction.set_rollback(True)

    assert entries() == []
