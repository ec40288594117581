"""Users who sign in, sign out and are changed."""

import time

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from django_roomchat.policy import ALLOWED, Decision, OpenPolicy

in_database = database_sync_to_async


class OnlyFriends(OpenPolicy):
    friends = set()

    def can_enter(self, who, room):
        return ALLOWED if who.key in self.friends else Decision(False, "Friends only.", code="friends_only")


def sign_in(name="ana"):
    user = User.objects.filter(username=name).first() or User.objects.create_user(name, password="old")
    browser = Client()
    browser.force_login(user)
    return user, browser


async def seconds_until_closed(socket):
    """Return the time until the server sends ``bye`` and closes the socket, in seconds."""
    began, frames = time.monotonic(), []
    with pytest.raises(ConnectionResetError) as closed:
        while True:
            frames.append(await socket.receive())
    assert closed.value.args[1] == 4001
    assert frames[-1] == {"type": "bye", "code": 4001, "reason": "session ended; sign in again"}
    return time.monotonic() - began


def sign_out(user, browser):
    browser.post(reverse("logout"))


def change_password(user, browser):
    user.set_password("new")
    user.save()


def deactivate(user, browser):
    user.is_active = False
    user.save(update_fields=["is_active"])


def delete(user, browser):
    user.delete()
