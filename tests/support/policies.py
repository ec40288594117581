"""Policies for tests."""

from django_roomchat.errors import Forbidden
from django_roomchat.identity import new_guest
from django_roomchat.models import Room
from django_roomchat.policy import (
    Decision,
    OpenPolicy,
)

GUEST = new_guest()
ROOM = Room(pk=1, name="lobby", title="Lobby")
NEW_ROOM = Room(name="lobby", title="Lobby")


class Nobody(OpenPolicy):
    """A policy that denies one action."""

    def __init__(self, question):
        setattr(self, question, lambda who, room: Decision(False, f"No: {question}.", code=question))


def refused(who, room, ask):
    try:
        ask(who, room)
    except Forbidden as error:
        return error.code
    return None


def raising(error):
    """A function that raises an exception whatever its arguments are."""

    def function(*args, **kwargs):
        raise error

    return function
