"""Messages and posts for tests."""

import json

import pytest

from django_roomchat.errors import (
    Forbidden,
)
from django_roomchat.identity import Identity
from django_roomchat.messages.types import NewPost
from django_roomchat.models import Message

ANA, BOB = Identity("g:ana", "Ana", is_guest=True), Identity("g:bob", "Bob", is_guest=True)


def messages(room="lobby"):
    rows = Message.objects.filter(room__name=room).order_by("seq")
    return list(rows.values_list("seq", "body", "author_key", "author_name", "kind"))


def ranges(told):
    return [
        (batch.room, batch.prev, batch.head, [json.loads(event)["body"] for _, event in batch.events])
        for batch in told
    ]


def posts(*several, room="lobby", who=ANA):
    return [NewPost(who, room, body, id_) for id_, body in several]


def refusal(act, *about, **options):
    with pytest.raises(Forbidden) as caught:
        act(*about, **options)
    return caught.value.code, caught.value.detail
