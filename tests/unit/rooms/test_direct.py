"""Direct rooms of two people."""

import pytest
from django.contrib.auth.models import User

from django_roomchat import (
    create_room,
    direct_room,
    post_message,
    write_to,
)
from django_roomchat.errors import BadValue
from django_roomchat.identity import of_user, site
from django_roomchat.models import Membership, Room, RoomLog
from django_roomchat.rooms.lookup import enter_room
from tests.support.people import at_once
from tests.support.rooms import ANA, BOB, CYD, code, members

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_people_have_one_direct_room_from_either_side():
    rooms = [direct_room(ANA, BOB), direct_room(BOB, ANA), direct_room(ANA, BOB)]

    assert len({room.pk for room in rooms}) == 1
    assert (rooms[0].visibility, rooms[0].is_hidden) == ("direct", True)
    assert sorted(rooms[0].title.split(", ")) == ["Ana", "Bob"]
    assert members(rooms[0]) == [("u:ana", "member"), ("u:bob", "member")]
    assert direct_room(ANA, CYD) not in rooms


def test_only_the_two_know_of_it():
    room = direct_room(ANA, BOB)

    assert [code(enter_room, who, room.name) for who in (ANA, BOB, CYD)] == [None, None, "no_such_room"]


@pytest.mark.parametrize("other", [ANA, site(), None])
def test_nobody_has_a_direct_room_with_themselves_or_with_the_site(other):
    with pytest.raises(BadValue):
        direct_room(ANA, other)


def test_those_who_ask_for_a_direct_room_at_the_same_time_get_the_same(on_postgres):
    rooms = at_once(*[lambda: direct_room(ANA, BOB).pk, lambda: direct_room(BOB, ANA).pk] * 4)

    assert len(set(rooms)) == 1
    assert (Room.objects.count(), RoomLog.objects.count(), Membership.objects.count()) == (1, 1, 2)


def test_a_common_room_permits_a_direct_room():
    post_message("lobby", "hi", author=BOB)
    created = create_room("Club", by=CYD)

    assert write_to("lobby", "u:bob", by=ANA) == direct_room(BOB, ANA)
    assert write_to(created, "g:cyd", by=ANA) == direct_room(CYD, ANA)


def test_the_other_is_the_user_that_they_are():
    bob = User.objects.create_user("bob")
    post_message("lobby", "hi", author=bob)

    room = write_to("lobby", of_user(bob).key, by=ANA)

    assert Membership.objects.get(room=room, key=of_user(bob).key).user == bob


def test_a_direct_room_requires_a_common_room():
    private = create_room("Board", by=BOB, visibility="private")
    post_message("lobby", "a line of the system")

    refusals = [
        code(write_to, "lobby", "u:bob", by=ANA),
        code(write_to, private, "u:bob", by=ANA),
        code(write_to, "lobby", site().key, by=ANA),
    ]

    assert refusals == ["no_such_person", "no_such_room", "no_such_person"]


def test_the_policy_says_who_may_be_written_to(no_guests):
    post_message("lobby", "welcome")
    post_message("lobby", "hi", author=CYD)

    assert code(write_to, "lobby", "g:cyd", by=ANA) == "no_guests"
