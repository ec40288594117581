"""Requirements that any user model meets. Run by `tests/behaviour/test_user_models.py`, with its own settings."""

import json
import time

import pytest
from channels.db import database_sync_to_async as in_database
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from django_roomchat import ban, post_message
from django_roomchat.identity import of_user
from django_roomchat.models import Ban, Message
from django_roomchat.testing import ChatClient
from tests.asgi import application

pytestmark = pytest.mark.django_db(transaction=True)


def sign_in(email="ana@example.com"):
    person = get_user_model().objects.create_user(email, "old")
    browser = Client()
    browser.force_login(person)
    return person, browser


def socket_of(browser):
    cookie = f"sessionid={browser.cookies['sessionid'].value}".encode()
    return ChatClient(application, "lobby", headers=[(b"cookie", cookie)])


async def test_a_person_speaks_on_a_socket_under_the_part_of_the_address_before_the_at():
    person, browser = await in_database(sign_in)()

    async with socket_of(browser) as socket:
        you = (await socket.receive("welcome"))["you"]
        ack = await socket.post("hi", id="a")

    message = await in_database(Message.objects.get)()
    assert you == {"key": f"u:{person.pk}", "name": "ana", "guest": False}
    assert (ack["seq"], message.author_id, message.author_key) == (1, person.pk, f"u:{person.pk}")


def test_a_person_speaks_over_http_and_from_python():
    person, browser = sign_in()

    answer = browser.post(
        reverse("roomchat:messages", args=["lobby"]),
        json.dumps({"id": "a", "body": "hi"}),
        content_type="application/json",
    )
    post_message("lobby", "hello", author=person)

    assert answer.status_code == 201
    assert list(Message.objects.values_list("author", flat=True)) == [person.pk] * 2


def test_a_person_bans_and_is_banned():
    ana, _ = sign_in()
    ben, browser = sign_in("ben@example.com")
    post_message("lobby", "hello")

    ban("lobby", ben)

    assert Ban.objects.get().key == of_user(ben).key
    assert browser.get(reverse("roomchat:room", args=["lobby"])).status_code == 403


@pytest.mark.parametrize("how", ["logout", "password", "inactive"])
async def test_a_persons_socket_ends_with_what_let_it_in(how):
    person, browser = await in_database(sign_in)()

    def end():
        if how == "logout":
            browser.post(reverse("logout"))
        elif how == "password":
            person.set_password("new")
            person.save()
        else:
            person.is_active = False
            person.save()

    async with socket_of(browser) as socket:
        await socket.receive("joined")
        await in_database(end)()
        began = time.monotonic()
        with pytest.raises(ConnectionResetError) as closed:
            while True:
                await socket.receive()

    assert (closed.value.args[1], time.monotonic() - began < 1) == (4001, True)


async def test_a_person_gets_a_ticket():
    person, browser = await in_database(sign_in)()
    ticket = (await in_database(browser.post)(reverse("roomchat:ticket"))).json()["ticket"]
    client = ChatClient(application, "lobby")
    client.scope["query_string"] = f"ticket={ticket}".encode()

    async with client as socket:
        assert (await socket.receive("welcome"))["you"]["key"] == f"u:{person.pk}"
