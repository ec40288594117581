"""Rooms with members and messages for tests of unread counts."""

from datetime import timedelta

from django.db import connection
from django.db.models import F
from django.utils import timezone

from django_roomchat.identity import Identity, of_user
from django_roomchat.messages.post import post_message
from django_roomchat.models import Membership, Message, Room, RoomLog
from django_roomchat.text.validation import HIDDEN

ANA, BEN = Identity("g:ana", "Ana", is_guest=True), Identity("g:ben", "Ben", is_guest=True)


def say(*bodies, room="lobby", author=BEN):
    return [post_message(room, body, author=author).seq for body in bodies][-1]


def join(who, room="lobby", role="member", ago=timedelta()):
    """Membership as it is made by `django_roomchat.rooms.members`: with a new access version."""
    found = Room.objects.get(name=room)
    identity = who if isinstance(who, Identity) else of_user(who)
    Membership.objects.create(
        room=found, key=identity.key, name=identity.name, user=identity.user, role=role,
        created_at=timezone.now() - ago,
    )  # fmt: skip
    raise_version(found)


def raise_version(room):
    RoomLog.objects.filter(room=room).update(access_version=F("access_version") + 1)


def private(name="secret"):
    room = Room.objects.create(name=f"{HIDDEN}{name}", title=name, visibility="private")
    room.log = RoomLog.objects.create(room=room)
    return room


def mention(seq, key, room="lobby"):
    Message.objects.filter(room__name=room, seq=seq).update(data={"mentions": [{"key": key, "name": "x"}]})


def age(**by):
    Message.objects.update(created_at=F("created_at") - timedelta(**by))


def counting_queries(places):
    """Return the number of additional queries with which the messages after that many markers are counted: one for each hundred
    on MySQL and MariaDB, none elsewhere.
    """
    return -(-places // 100) if connection.vendor == "mysql" else 0
