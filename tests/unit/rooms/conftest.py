"""Fixtures of the tests of rooms."""

import pytest

from django_roomchat import (
    add_member,
    create_room,
)
from django_roomchat.models import AuditEntry, Message
from django_roomchat.policy import Decision, OpenPolicy
from tests.support.members import ROLES


@pytest.fixture
def make_room():
    def make(visibility="open", **settings):
        room = create_room("Club", visibility=visibility, **settings)
        for who, role in ROLES.items():
            add_member(room, who, role=role)
        Message.objects.all().delete()
        AuditEntry.objects.all().delete()
        return room

    return make


@pytest.fixture
def room(make_room):
    return make_room()


class NoGuests(OpenPolicy):
    def can_create(self, who, room):
        return Decision(not who.is_guest, "Guests make no rooms.", "no_guests")

    def can_write_to(self, who, other):
        return Decision(not other.is_guest, "Guests are not written to.", "no_guests")


@pytest.fixture
def no_guests(settings):
    settings.ROOMCHAT = {"POLICY": f"{__name__}.NoGuests"}
