"""Rooms that are created on purpose, and rooms of objects."""

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.fields import GenericRelation
from django.template import RequestContext, Template
from django.urls import reverse

from django_roomchat import (
    add_member,
    create_room,
    post_message,
)
from django_roomchat.errors import BadRoomName, BadValue, Forbidden, NotFound
from django_roomchat.models import AuditEntry, Membership, Message, Room, RoomLog
from django_roomchat.rooms.lookup import enter_room
from tests.support.people import at_once
from tests.support.refusals import code
from tests.support.rooms import ANA, BOB, CYD, members, said

pytestmark = pytest.mark.django_db(transaction=True)


# Making --------------------------------------------------------------------------------------------------------------


def test_an_open_room_is_called_as_it_was_typed_and_owned_by_who_made_it():
    room = create_room("Tea  House", by=ANA, is_listed=False, slow_seconds=5, retention_days=30)

    stored = Room.objects.select_related("log").get()
    assert (stored, stored.name, stored.title, stored.visibility) == (room, "tea house", "Tea House", "open")
    assert (stored.is_listed, stored.slow_seconds, stored.retention_days) == (False, 5, 30)
    assert (members(room), stored.log.access_version) == ([("u:ana", "owner")], 1)


def test_a_private_room_has_a_name_that_nobody_comes_upon():
    room = create_room("Board", by=ANA, visibility="private")

    assert (room.title, room.name[0], len(room.name), room.is_hidden) == ("Board", "~", 21, True)
    assert enter_room(ANA, room.name) == room
    assert code(enter_room, BOB, room.name) == "no_such_room"


def test_two_private_rooms_may_have_one_title():
    rooms = [create_room("Board", by=ANA, visibility="private") for _ in range(2)]

    assert rooms[0].name != rooms[1].name


def test_the_project_makes_rooms_that_nobody_owns():
    assert members(create_room("Support")) == []


def test_an_open_room_whose_name_is_taken_is_not_made_again():
    create_room("Lobby", by=ANA)

    with pytest.raises(BadRoomName) as refused:
        create_room("LOBBY", by=BOB)

    assert (refused.value.code, members(Room.objects.get())) == ("taken", [("u:ana", "owner")])


@pytest.mark.parametrize(
    ("title", "options"),
    [
        ("~board", {}),
        ("~board", {"visibility": "private"}),
        ("", {}),
        ("a/b", {"visibility": "private"}),
        ("Board", {"visibility": "direct"}),
        ("Board", {"slow_seconds": -1}),
        ("Board", {"slow_seconds": 86_401}),
        ("Board", {"retention_days": True}),
    ],
)
def test_what_no_room_can_be_is_refused(title, options):
    with pytest.raises(BadValue):
        create_room(title, by=ANA, **options)

    assert Room.objects.count() == 0


def test_the_policy_says_who_may_make_rooms(no_guests):
    with pytest.raises(Forbidden, match="Guests make no rooms"):
        create_room("Board", by=CYD, visibility="private")

    assert create_room("Board", by=ANA, visibility="private").pk


def test_creating_a_room_is_in_the_audit_trail_and_the_system_messages():
    room = create_room("Board", by=ANA, visibility="private", tells_changes=True)

    assert said(room) == ["Ana created the room."]
    assert list(AuditEntry.objects.values_list("verb", "by_key", "room_name")) == [
        ("create_room", "u:ana", room.name)
    ]


def test_one_of_two_who_make_a_room_at_the_same_time_is_told_that_it_is_taken(on_postgres):
    results = at_once(*[lambda who=who: code(create_room, "Lobby", by=who) for who in (ANA, BOB, CYD)])

    assert sorted(map(str, results)) == ["None", "taken", "taken"]
    assert (Room.objects.count(), RoomLog.objects.count(), Membership.objects.count()) == (1, 1, 1)


# Rooms of objects ----------------------------------------------------------------------------------------------------


def test_an_object_has_one_room():
    order, another = Group.objects.create(name="Order 7"), Group.objects.create(name="Order 8")

    room = Room.objects.for_object(order)

    assert (room.title, room.visibility, room.is_hidden, room.is_listed) == (
        "Order 7",
        "private",
        True,
        False,
    )
    assert (room.object, room.log.head) == (order, 0)
    assert Room.objects.for_object(order) == room
    assert Room.objects.for_object(another) != room
    assert Room.objects.of_object(order).get() == room


def test_the_first_call_decides_what_the_room_is():
    order = Group.objects.create(name="Order 7")
    Room.objects.for_object(order, title="The  order", visibility="open")

    room = Room.objects.for_object(order, title="Another", visibility="private")

    assert (room.title, room.visibility) == ("The order", "open")
    assert post_message(room, "hi", author=ANA).seq == 1


def test_an_object_without_words_names_its_room_after_its_kind():
    assert Room.objects.for_object(Group.objects.create(name=" ")).title == "group"


def test_an_object_that_is_not_saved_has_no_room():
    with pytest.raises(ValueError, match="must be saved"):
        Room.objects.for_object(Group(name="Order 7"))


def test_the_room_of_a_deleted_object_stays():
    order = Group.objects.create(name="Order 7")
    room = Room.objects.for_object(order)
    post_message(room, "hi")

    order.delete()

    stored = Room.objects.get()
    assert (stored, stored.object, said(stored)) == (room, None, ["hi"])


@pytest.fixture
def related(monkeypatch):
    """Groups have the relation that the documentation shows."""
    monkeypatch.setattr(Group._meta, "private_fields", list(Group._meta.private_fields))
    monkeypatch.setattr(Group, "rooms", None, raising=False)
    GenericRelation(Room).contribute_to_class(Group, "rooms")
    yield
    monkeypatch.undo()
    Group._meta._expire_cache()


@pytest.mark.parametrize("database", ["transactional_db", "on_postgres"])
def test_the_room_goes_with_its_object_where_the_project_says_so(request, related, database):
    request.getfixturevalue(database)
    order, another = (Group.objects.create(name=f"Order {number}") for number in (7, 8))
    kept = Room.objects.for_object(another)
    post_message(Room.objects.for_object(order), "hi")

    order.delete()

    assert (list(Room.objects.all()), Message.objects.count()) == ([kept], 0)
    assert list(another.rooms.all()) == [kept]
    Group.objects.all().delete()


def test_the_tag_shows_the_room_of_an_object_to_its_members(rf):
    customer = User.objects.create_user("ana")
    room = Room.objects.for_object(Group.objects.create(name="Order 7"))
    add_member(room, customer)
    post_message(room, "Your parcel is on its way.")
    template = Template("{% load roomchat %}{% roomchat order_room %}")

    def shown(user):
        request = rf.get("/")
        request.user = user
        return template.render(RequestContext(request, {"order_room": room}))

    page = shown(customer)

    assert "Your parcel is on its way." in page
    assert f'"{reverse("roomchat:room", args=[room.name])}"' in page
    with pytest.raises(NotFound):
        shown(User.objects.create_user("bob"))


def test_calls_at_the_same_time_find_the_same_room_of_an_object(on_postgres):
    order = Group.objects.create(name="Order 7")

    rooms = at_once(*[lambda: Room.objects.for_object(order).pk] * 8)

    assert len(set(rooms)) == 1
    assert (Room.objects.count(), RoomLog.objects.count()) == (1, 1)
    Group.objects.all().delete()
