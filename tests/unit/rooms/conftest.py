"""Fixtures of the tests of rooms."""

import pytest

from django_roomchat import (
    add_member,
    create_room,
)
from django_roomchat.models import AuditEntry, Message
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
