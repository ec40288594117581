"""The cached role and sanctions of a person in a room."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_roomchat.models import Ban, Membership, Mute, Room, RoomLog
from django_roomchat.policy import roles
from django_roomchat.policy.roles import NOBODY, RoleState, Sanction
from django_roomchat.rooms import lookup

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def room():
    return lookup.ensure_room(Room(name="lobby", title="Lobby"))


def change(room):
    """Increment the access version, as every change of rights does."""
    RoomLog.objects.filter(pk=room.pk).update(access_version=room.log.access_version + 1)
    room.log.refresh_from_db()


def queries_of(key, room):
    with CaptureQueriesContext(connection) as captured:
        roles.of(key, room)
    return len(captured)


def test_in_a_room_that_does_not_exist_nobody_has_a_standing():
    assert roles.of("u:1", Room(name="new", title="New")) == NOBODY


def test_a_room_in_which_nobody_ever_had_one_costs_no_query(room):
    assert (queries_of("u:1", room), roles.of("u:1", room)) == (0, NOBODY)


def test_a_standing_is_a_role_a_ban_and_a_mute(room):
    until = timezone.now() + timedelta(hours=1)
    Membership.objects.create(room=room, key="u:1", name="Ana", role="moderator")
    Ban.objects.create(room=room, key="u:1", reason="rude")
    Mute.objects.create(room=room, key="u:1", until=until)
    change(room)

    found = roles.of("u:1", room)

    assert found == RoleState("moderator", Sanction("rude", None), Sanction("", until))
    assert (found.is_member, found.ban, found.mute) == (True, Sanction("rude", None), Sanction("", until))


def test_it_is_looked_up_once_for_each_access_version(room):
    change(room)
    first, second = queries_of("u:1", room), queries_of("u:1", room)
    change(room)

    assert (first, second, queries_of("u:1", room)) == (3, 0, 3)


def test_one_persons_standing_is_not_anothers(room):
    Membership.objects.create(room=room, key="u:1", name="Ana")
    change(room)

    assert [roles.of(key, room).role for key in ("u:1", "u:2", "u:1")] == ["member", "", "member"]


def test_a_sanction_ends_by_itself(room):
    Ban.objects.create(room=room, key="u:1", until=timezone.now() - timedelta(seconds=1))
    Mute.objects.create(room=room, key="u:1", until=timezone.now() - timedelta(seconds=1))
    change(room)

    found = roles.of("u:1", room)

    assert (found.ban, found.mute) == (None, None)
    assert (found.banned.seconds_left, Sanction("", None).seconds_left) == (0.0, None)


def test_what_a_transaction_has_undone_is_not_remembered(room):
    with transaction.atomic():
        Ban.objects.create(room=room, key="u:1")
        change(room)
        within = roles.of("u:1", room)
        transaction.set_rollback(True)
    change(room)

    assert within.ban is not None
    assert roles.of("u:1", room) == NOBODY


def test_a_process_remembers_only_so_many(room, monkeypatch):
    monkeypatch.setattr(roles, "KNOWN_MAX", 2)
    change(room)

    for key in ("u:1", "u:2", "u:3"):
        roles.of(key, room)

    assert [key for *_, key in roles._known] == ["u:3"]
