"""Rooms that are made on purpose: open and private ones, those of two people, those of an object; and their settings."""

from contextlib import nullcontext

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.fields import GenericRelation
from django.db import transaction
from django.template import RequestContext, Template
from django.urls import reverse

from django_roomchat import (
    aconfigure_room,
    acreate_room,
    add_member,
    adirect_room,
    awrite_to,
    configure_room,
    create_room,
    direct_room,
    post_message,
    write_to,
)
from django_roomchat.errors import BadRoomName, BadValue, ChatError, Forbidden, NotFound
from django_roomchat.identity import Identity, of_user, site
from django_roomchat.messages.room_list import unread
from django_roomchat.models import AuditEntry, Membership, Message, Room, RoomLog
from django_roomchat.policy import Decision, OpenPolicy
from django_roomchat.rooms.lookup import enter_room
from tests.support.people import at_once

pytestmark = pytest.mark.django_db(transaction=True)
ANA = Identity("u:ana", "Ana")
BOB = Identity("u:bob", "Bob")
CYD = Identity("g:cyd", "Cyd", is_guest=True)


def members(room):
    return list(Membership.objects.filter(room=room).order_by("key").values_list("key", "role"))


def said(room):
    return list(Message.objects.filter(room=room).order_by("seq").values_list("body", flat=True))


def code(act, *about, **options):
    try:
        act(*about, **options)
    except ChatError as error:
        return error.code
    return None


class NoGuests(OpenPolicy):
    def can_create(self, who, room):
        return Decision(not who.is_guest, "Guests make no rooms.", "no_guests")

    def can_write_to(self, who, other):
        return Decision(not other.is_guest, "Guests are not written to.", "no_guests")


@pytest.fixture
def no_guests(settings):
    settings.ROOMCHAT = {"POLICY": f"{__name__}.NoGuests"}


# Making -----------------------------------------------------------------------------------------------------------


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


def test_making_a_room_is_in_the_audit_trail_and_in_the_room_if_it_tells():
    room = create_room("Board", by=ANA, visibility="private", tells_changes=True)

    assert said(room) == ["Ana created the room."]
    assert list(AuditEntry.objects.values_list("verb", "by_key", "room_name")) == [
        ("create_room", "u:ana", room.name)
    ]


def test_one_of_two_who_make_a_room_at_the_same_time_is_told_that_it_is_taken(on_postgres):
    results = at_once(*[lambda who=who: code(create_room, "Lobby", by=who) for who in (ANA, BOB, CYD)])

    assert sorted(map(str, results)) == ["None", "taken", "taken"]
    assert (Room.objects.count(), RoomLog.objects.count(), Membership.objects.count()) == (1, 1, 1)


# Direct rooms -----------------------------------------------------------------------------------------------------


def test_two_people_have_one_direct_room_whoever_asks():
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


def test_who_has_met_somebody_may_write_to_them():
    post_message("lobby", "hi", author=BOB)
    created = create_room("Club", by=CYD)

    assert write_to("lobby", "u:bob", by=ANA) == direct_room(BOB, ANA)
    assert write_to(created, "g:cyd", by=ANA) == direct_room(CYD, ANA)


def test_the_other_is_the_user_that_they_are():
    bob = User.objects.create_user("bob")
    post_message("lobby", "hi", author=bob)

    room = write_to("lobby", of_user(bob).key, by=ANA)

    assert Membership.objects.get(room=room, key=of_user(bob).key).user == bob


def test_nobody_writes_to_somebody_whom_they_have_not_met():
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


# Rooms of objects -------------------------------------------------------------------------------------------------


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


# Settings ---------------------------------------------------------------------------------------------------------


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


def test_a_room_tells_what_became_of_it_in_the_language_of_the_site(settings):
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
        {"line": {"code": "renamed", "by": "Ana", "value": "Council"}},
    )


def test_settings_that_a_transaction_has_undone_are_not_told():
    room = create_room("Board", tells_changes=True)

    with transaction.atomic():
        configure_room(room, title="Council")
        transaction.set_rollback(True)

    assert (said(room), Room.objects.get().title) == (["The room was created."], "Board")


# The list ---------------------------------------------------------------------------------------------------------


def listed(who):
    return {room.title for room in unread(who)}


def test_the_list_has_open_rooms_that_are_listed_and_ones_own():
    create_room("Board", by=ANA, visibility="private")
    create_room("Back room", by=ANA, is_listed=False)
    create_room("Never used", by=BOB)
    for name in ("Lobby", "Back room"):
        post_message(name, "hi")
    direct_room(BOB, CYD)

    assert listed(ANA) == {"Lobby", "Board", "Back room"}
    assert listed(BOB) == {"Lobby", "Never used", "Cyd"}
    assert listed(site()) == {"Lobby"}


def test_what_one_may_not_see_is_not_even_read():
    create_room("Board", by=ANA, visibility="private")
    post_message("lobby", "hi")

    assert [room.title for room in Room.objects.visible_to("u:bob")] == ["lobby"]


@pytest.mark.parametrize("rooms", [2, 20])
@pytest.mark.parametrize("within", [False, True])
def test_the_list_costs_the_same_whatever_the_number_of_rooms(django_assert_num_queries, rooms, within):
    for number in range(rooms):
        post_message(create_room(f"Room {number}", by=ANA, visibility="private"), "hi")

    with transaction.atomic() if within else nullcontext(), django_assert_num_queries(3):
        unread(ANA)


async def test_everything_has_a_twin():
    room = await acreate_room("Board", by=ANA)
    await aconfigure_room(room, by=ANA, title="Council")
    direct = await adirect_room(ANA, BOB)

    assert await awrite_to(room, "u:ana", by=BOB) == direct


def test_a_room_that_does_not_exist_is_configured_by_the_project_only():
    assert code(configure_room, "lobby", by=ANA, is_announcement=True) == "forbidden"
    assert configure_room("lobby", is_announcement=True).is_announcement


def test_a_private_room_that_does_not_exist_is_not_found():
    with pytest.raises(NotFound):
        configure_room("~nowhere", title="Mine")
