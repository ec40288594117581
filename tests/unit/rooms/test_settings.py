"""Settings of a room."""

import pytest
from django.db import transaction

from django_roomchat import (
    configure_room,
    create_room,
    direct_room,
    post_message,
)
from django_roomchat.errors import BadValue
from django_roomchat.models import AuditEntry, Message, Room
from tests.support.refusals import code
from tests.support.rooms import ANA, BOB, said

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_owner_changes_what_they_name_and_nothing_else():
    room = create_room("Board", by=ANA, slow_seconds=5)

    now = configure_room(
        room, by=ANA, title="Council", is_announcement=True, retention_days=7, is_listed=False
    )

    stored = Room.objects.get()
    assert (stored.name, stored.title, stored.is_announcement, stored.slow_seconds) == (
        "board",
        "Council",
        True,
        5,
    )
    assert (stored.retention_days, stored.is_listed, now.title) == (7, False, "Council")


def test_what_is_changed_is_in_the_audit_trail_once():
    room = create_room("Board")

    for _ in range(2):
        configure_room(room, title="Council", slow_seconds=3, is_archived=False)

    changes = AuditEntry.objects.filter(verb="configure").values_list("data", flat=True)
    assert list(changes) == [{"title": "Council", "slow_seconds": 3}]


def test_an_archived_room_takes_no_posts_until_it_is_opened_again():
    room = create_room("Board", by=ANA)
    post_message(room, "hi", author=ANA)

    configure_room(room, by=ANA, is_archived=True)
    refusal = code(post_message, room, "hi", author=ANA)
    configure_room(room, by=ANA, is_archived=False)

    assert (refusal, post_message(room, "hi", author=ANA).seq) == ("archived", 2)


def test_zero_days_keep_messages_for_ever():
    room = create_room("Board", retention_days=7)

    assert configure_room(room, retention_days=0).retention_days is None


@pytest.mark.parametrize(
    "options", [{"title": ""}, {"title": "a/b"}, {"slow_seconds": 1.5}, {"retention_days": 36_501}]
)
def test_settings_that_no_room_has_are_refused_and_change_nothing(options):
    room = create_room("Board", by=ANA)

    with pytest.raises(BadValue):
        configure_room(room, by=ANA, is_listed=False, **options)

    assert Room.objects.get().is_listed


def test_only_who_may_manage_a_room_changes_it():
    room = create_room("Board", by=ANA)
    private = create_room("Club", by=ANA, visibility="private")

    refusals = [
        code(configure_room, room, by=BOB, title="Mine"),
        code(configure_room, private, by=BOB, title="Mine"),
        code(configure_room, direct_room(ANA, BOB), by=BOB, title="Ours"),
    ]

    assert refusals == ["forbidden", "no_such_room", "forbidden"]


def test_changed_settings_make_system_messages_in_the_language_of_the_site(settings):
    room = create_room("Board", by=ANA)

    configure_room(room, by=ANA, title="Council", tells_changes=True)
    configure_room(room, by=ANA, is_archived=True)
    configure_room(room, is_archived=False)
    configure_room(room, title="Senate")

    assert said(room) == [
        "Ana renamed the room to “Council”.",
        "Ana archived the room.",
        "The room was unarchived.",
        "The room was renamed to “Senate”.",
    ]
    line = Message.objects.get(seq=1)
    assert (line.kind, line.data) == (
        "system",
        {"line": {"code": "renamed", "by": "Ana", "value": "Council", "by_key": "u:ana"}},
    )


def test_settings_that_a_transaction_has_undone_are_not_told():
    room = create_room("Board", tells_changes=True)

    with transaction.atomic():
        configure_room(room, title="Council")
        transaction.set_rollback(True)

    assert (said(room), Room.objects.get().title) == (["The room was created."], "Board")
