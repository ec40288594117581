"""Rooms are found by name and listed."""

from contextlib import nullcontext

import pytest
from django.db import transaction

from django_roomchat import (
    aconfigure_room,
    acreate_room,
    adirect_room,
    awrite_to,
    configure_room,
    create_room,
    direct_room,
    post_message,
)
from django_roomchat.errors import NotFound
from django_roomchat.identity import site
from django_roomchat.messages.room_list import unread
from django_roomchat.models import Room
from tests.support.refusals import code
from tests.support.rooms import ANA, BOB, CYD
from tests.support.unread import counting_queries

pytestmark = pytest.mark.django_db(transaction=True)


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

    queries = 3 + counting_queries(rooms)
    with transaction.atomic() if within else nullcontext(), django_assert_num_queries(queries):
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
