"""Direct rooms of two people."""

import pytest
from django.contrib.auth.models import User

from django_roomchat import (
    block,
    create_room,
    direct_room,
    leave_room,
    mark_read,
    notify_unread,
    post_message,
    react,
    read_history,
    set_notifications,
    unread,
    write_to,
)
from django_roomchat.errors import BadValue
from django_roomchat.identity import Identity, of_user, site
from django_roomchat.models import Membership, Room, RoomLog
from django_roomchat.rooms.lookup import enter_room
from tests.support.people import at_once
from tests.support.refusals import code
from tests.support.rooms import ANA, BOB, CYD, members

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
    ana = User.objects.create_user("ana")
    post_message("lobby", "hi", author=bob)

    room = write_to("lobby", of_user(bob).key, by=ana)

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


def test_guests_do_not_write_to_users_first():
    user = User.objects.create_user("dan")
    for author in (user, CYD, EVE):
        post_message("lobby", "hi", author=author)
    key = of_user(user).key

    assert code(write_to, "lobby", key, by=CYD) == "sign_in"
    assert code(write_to, "lobby", EVE.key, by=CYD) is None
    room = write_to("lobby", CYD.key, by=user)
    assert write_to("lobby", key, by=CYD) == room
    assert post_message(room, "hello", author=CYD).seq == 1


EVE = Identity("g:eve", "Eve", is_guest=True)


# Leaving -------------------------------------------------------------------------------------------------------------


def listed(who):
    return [(room.title, room.unread) for room in unread(who)]


def test_a_direct_room_that_is_left_comes_back_with_the_next_message():
    room = direct_room(ANA, BOB)
    post_message(room, "hello", author=BOB)
    assert listed(ANA) == [("Bob", 1)]

    assert (leave_room(room, by=ANA), leave_room(room, by=ANA)) == (True, False)

    assert (listed(ANA), listed(BOB)) == ([], [("Ana", 0)])
    react(room, 1, "👍", by=BOB)
    assert listed(ANA) == []
    post_message(room, "hello?", author=BOB)
    assert listed(ANA) == [("Bob", 1)]
    assert leave_room(room, by=ANA)
    assert listed(ANA) == []


def test_a_direct_room_without_messages_can_be_left():
    room = direct_room(ANA, BOB)
    assert listed(ANA) == [("Bob", 0)]

    leave_room(room, by=ANA)

    assert listed(ANA) == []
    post_message(room, "hello", author=ANA)
    assert listed(ANA) == [("Bob", 0)]


def test_a_person_who_has_left_a_direct_room_is_still_its_member():
    room = direct_room(ANA, BOB)
    post_message(room, "hello", author=BOB)

    leave_room(room, by=ANA)

    assert members(room) == [("u:ana", "member"), ("u:bob", "member")]
    assert direct_room(ANA, BOB) == room
    assert [event.body for event in read_history(room, by=ANA).messages] == ["hello"]


def test_a_read_marker_does_not_move_back_when_a_direct_room_is_left():
    room = direct_room(ANA, BOB)
    for body in ("one", "two"):
        post_message(room, body, author=BOB)
    mark_read(room, 2, by=ANA)

    leave_room(room, by=ANA)

    assert mark_read(room, 0, by=ANA).seq == 2


def test_an_unread_message_before_leaving_is_not_notified():
    user = User.objects.create_user("dan")
    room = direct_room(user, BOB)
    post_message(room, "hello", author=BOB)
    assert [listed.unread for listed in unread(user)] == [1]

    leave_room(room, by=user)

    assert notify_unread(minutes=0) == 0
    post_message(room, "hello?", author=BOB)
    assert notify_unread(minutes=0) == 1


def test_notifications_of_a_direct_room_can_be_muted():
    user = User.objects.create_user("dan")
    room = direct_room(user, BOB)
    post_message(room, "hello", author=BOB)

    set_notifications(room, by=user, enabled=False)

    assert [listed.muted for listed in unread(user)] == [True]
    assert notify_unread(minutes=0) == 0
    set_notifications(room, by=user, enabled=True)
    assert notify_unread(minutes=0) == 1


def test_a_direct_room_that_was_left_stays_away_while_the_other_person_is_blocked():
    room = direct_room(ANA, BOB)
    leave_room(room, by=ANA)

    block(BOB, by=ANA)

    assert code(post_message, room, "hello", author=BOB) == "unreachable"
    assert listed(ANA) == []
