"""Rows of present people, and the leases of processes."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db.models import F

from django_roomchat.models import Presence, Room, ServerProcess
from django_roomchat.protocol import Person
from django_roomchat.rooms import presence_table

pytestmark = pytest.mark.django_db
ANA, BEN = Person("u:1", "Ana", "/ana.png"), Person("u:2", "Ben")


def store(process, *people, version=1, room="lobby", dropping=(), starts_over=False):
    adding = {uuid4(): (room, person) for person in people}
    presence_table.store(process, version, adding, list(dropping), starts_over)
    return list(adding)


@pytest.fixture
def process():
    process = uuid4()
    store(process, ANA, starts_over=True)
    return process


def age(process, seconds):
    ServerProcess.objects.filter(pk=process).update(alive_at=F("alive_at") - timedelta(seconds=seconds))


def test_people_are_listed_once_by_name_whatever_the_number_of_processes(process):
    store(uuid4(), BEN, ANA, starts_over=True)

    assert presence_table.who_is_here(" LOBBY") == [ANA, BEN]


def test_people_of_a_process_whose_lease_has_ended_are_not_listed(process):
    age(process, 3600)

    assert presence_table.who_is_here(Room(name="lobby")) == []


def test_the_name_of_a_person_who_is_in_the_room_is_found(process):
    room = Room(name="lobby")

    assert (presence_table.name_here(room, "u:1"), presence_table.name_here(room, "u:2")) == ("Ana", "")


def test_changes_add_and_remove_rows_and_set_the_version(process):
    [row] = store(process, BEN, version=2)
    store(process, version=3, dropping=[row])

    assert (presence_table.who_is_here("lobby"), ServerProcess.objects.get(pk=process).version) == ([ANA], 3)


def test_an_avatar_that_is_longer_than_its_column_is_left_out(process):
    longest = Person("u:3", "Cy", "/" + "a" * 499)

    store(process, longest, Person("u:4", "Di", "/" + "a" * 500), version=2)

    assert presence_table.who_is_here("lobby") == [ANA, longest, Person("u:4", "Di")]


def test_a_process_that_starts_over_replaces_its_rows(process):
    store(process, BEN, version=2, starts_over=True)

    assert presence_table.who_is_here("lobby") == [BEN]


def test_a_process_that_others_have_removed_cannot_store_changes(process):
    presence_table.remove([process])

    with pytest.raises(LookupError):
        store(process, BEN)
    assert Presence.objects.count() == 0


def test_a_removed_process_may_start_over(process):
    presence_table.remove([process])
    store(process, BEN, starts_over=True)

    assert presence_table.who_is_here("lobby") == [BEN]


def test_the_rows_of_other_processes_are_read_for_a_room(process):
    mine = uuid4()
    store(mine, BEN, starts_over=True)

    found = presence_table.look(mine, ["lobby"], [], None)

    assert found.of_rooms == [(str(process), "lobby", ANA)]


def test_only_processes_with_a_new_version_are_read(process):
    other, mine = uuid4(), uuid4()
    store(other, BEN, version=4, starts_over=True)
    store(mine, starts_over=True)

    found = presence_table.look(mine, [], ["lobby"], {str(process): 1, str(other): 3})

    assert (found.is_listed, found.versions) == (True, {str(process): 1, str(other): 4})
    assert (found.read, found.of_processes) == ([str(other)], [(str(other), "lobby", BEN)])


def test_a_look_renews_the_lease_and_removes_processes_whose_lease_has_ended(process):
    mine = uuid4()
    store(mine, BEN, starts_over=True)
    age(mine, 20)
    age(process, 3600)

    presence_table.look(mine, [], [], {})

    [left] = ServerProcess.objects.all()
    assert (left.pk, presence_table.who_is_here("lobby")) == (mine, [BEN])


def test_a_process_without_a_lease_is_told_so(process):
    assert not presence_table.look(uuid4(), [], [], {}).is_listed


def test_a_lease_is_shortened_to_the_grace_of_its_clients(process, settings):
    settings.ROOMCHAT = {"PRESENCE_LEASE_SECONDS": 30, "PRESENCE_GRACE_SECONDS": 10}

    presence_table.end_lease_early(process)

    assert 9 < presence_table.look(uuid4(), [], [], {}).next_end <= 10
