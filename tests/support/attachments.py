"""Uploads and posts for tests of files."""

import pytest

from django_roomchat.errors import ChatError
from django_roomchat.filters import Hold
from django_roomchat.identity import Identity
from django_roomchat.messages.attachments import (
    attach_file,
)
from django_roomchat.messages.history import read_history
from django_roomchat.messages.post import post_message
from tests.support.uploads import TEXT

ANA, BO, MOD = (Identity(f"u:{name.lower()}", name) for name in ("Ana", "Bo", "Mod"))


def told(act, *about, **options):
    with pytest.raises(ChatError) as caught:
        act(*about, **options)
    return caught.value.detail


def upload(content=TEXT, name="notes.txt", room="lobby", author=ANA):
    return attach_file(room, content, name, by=author)


def say(*given, body="", room="lobby", author=ANA, **options):
    return post_message(room, body, author=author, files=given, **options)


def event(seq, room="lobby", who=BO):
    return next(one for one in read_history(room, by=who).messages if one.seq == seq)


def hold_all(room, who, body):
    return Hold("look")


def hold_texts(room, who, body):
    return Hold("look") if body.startswith("see") else None
