"""Open sockets end with the session or the account that they depend on, and access is checked again."""

import asyncio
import time
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from django_roomchat import pubsub
from django_roomchat.errors import BadValue
from django_roomchat.identity import Identity, of_user, sessions
from django_roomchat.models import Room
from django_roomchat.realtime import session_watch, threads
from django_roomchat.rooms import lookup
from django_roomchat.testing import ChatClient
from tests.asgi import application
from tests.support.sessions import (
    OnlyFriends,
    change_password,
    deactivate,
    delete,
    in_database,
    seconds_until_closed,
    sign_in,
    sign_out,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_hub")]


@pytest.fixture(autouse=True)
def _no_friends():
    OnlyFriends.friends = set()


@pytest.fixture
def told(monkeypatch):
    notices = []
    monkeypatch.setattr(pubsub, "publish", notices.append)
    return notices


def socket_of(browser, room="lobby", **options):
    cookie = f"sessionid={browser.cookies['sessionid'].value}".encode()
    return ChatClient(application, room, headers=[(b"cookie", cookie)], **options)


async def is_open(socket):
    await socket.send({"type": "ping"})
    return (await socket.receive("ping"))["type"] == "ping"


@pytest.mark.parametrize("end", [sign_out, change_password, deactivate, delete])
async def test_what_ends_ends_the_open_socket_within_a_second_and_no_other(end):
    ana, browser = await in_database(sign_in)()
    _ben, bens = await in_database(sign_in)("ben")
    async with socket_of(browser) as socket, socket_of(bens) as other:
        await socket.receive("joined")
        await other.receive("joined")

        await in_database(end)(ana, browser)

        assert await seconds_until_closed(socket) < 1
        assert await is_open(other)


async def test_a_socket_without_a_session_ends_with_its_account():
    ana, browser = await in_database(sign_in)()
    async with ChatClient(sessions_consumer(), "lobby", user=ana) as socket:
        await socket.receive("joined")

        await in_database(change_password)(ana, browser)

        assert await seconds_until_closed(socket) < 1


def sessions_consumer():
    from django_roomchat.consumers import ChatConsumer

    return ChatConsumer.as_asgi()


async def test_signing_out_in_one_browser_leaves_the_other_one_in():
    ana, here = await in_database(sign_in)()
    _, there = await in_database(sign_in)()
    async with socket_of(here) as one, socket_of(there) as other:
        await one.receive("joined")
        await other.receive("joined")

        await in_database(sign_out)(ana, here)

        assert await seconds_until_closed(one) < 1
        assert await is_open(other)


async def test_a_session_ends_by_its_time():
    _ana, browser = await in_database(sign_in)()

    def shorten():
        Session.objects.update(expire_date=timezone.now() + timedelta(seconds=1.5))

    await in_database(shorten)()
    async with socket_of(browser) as socket:
        await socket.receive("joined")

        assert await seconds_until_closed(socket) < 1.5 + 1


async def test_a_session_that_is_prolonged_meanwhile_lives_on(monkeypatch):
    _ana, browser = await in_database(sign_in)()
    monkeypatch.setattr(session_watch, "CHECK_SECONDS", 0.05)

    def end_in(seconds):
        Session.objects.update(expire_date=timezone.now() + timedelta(seconds=seconds))

    await in_database(end_in)(0.5)
    async with socket_of(browser) as socket:
        await socket.receive("joined")
        [bond] = await first_ends()
        await in_database(end_in)(600)
        while bond.ends < time.time() + 100:
            await asyncio.sleep(0.02)

        assert await is_open(socket)


async def first_ends():
    """The bonds, as soon as all of them have been compared once."""
    while True:
        bonds = list(session_watch.current()._bindings.values())
        if bonds and all(bond.ends < float("inf") for bond in bonds):
            return bonds
        await asyncio.sleep(0.01)


def forget_sessions():
    Session.objects.all().delete()


def deactivate_silently():
    User.objects.update(is_active=False)


def change_passwords_silently():
    User.objects.update(password="!other")


@pytest.mark.parametrize("end", [forget_sessions, deactivate_silently, change_passwords_silently])
async def test_a_change_without_a_notice_is_found_by_comparing(settings, monkeypatch, end):
    settings.ROOMCHAT = {"SESSION_CHECK_SECONDS": 0.3}
    monkeypatch.setattr(session_watch, "CHECK_SECONDS", 0.05)
    _ana, browser = await in_database(sign_in)()
    async with socket_of(browser) as socket:
        await socket.receive("joined")

        await in_database(end)()

        # Without the setting it would be 20 s.
        assert await seconds_until_closed(socket) < 10


@pytest.mark.parametrize("engine", ["cache", "cached_db", "file", "signed_cookies"])
async def test_a_session_may_be_kept_anywhere(settings, monkeypatch, engine, tmp_path):
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    settings.SESSION_FILE_PATH = str(tmp_path)
    settings.ROOMCHAT = {"SESSION_CHECK_SECONDS": 0.2}
    monkeypatch.setattr(session_watch, "CHECK_SECONDS", 0.05)
    ana, browser = await in_database(sign_in)()
    async with socket_of(browser) as socket:
        await socket.receive("joined")
        bonds = list(session_watch.current()._bindings.values())
        [still] = [await threads.in_thread(sessions.still_valid, bonds)]
        await in_database(sign_out)(ana, browser)

        assert list(still) == bonds
        assert await seconds_until_closed(socket) < 1


async def test_many_sockets_are_compared_by_two_queries():
    people = [await in_database(sign_in)(f"user{number}") for number in range(5)]

    def compare():
        bonds = [bond(user, browser) for user, browser in people for _ in range(3)]
        with CaptureQueriesContext(connection) as captured:
            still = sessions.still_valid(bonds)
        return len(still), len(captured)

    def bond(user, browser):
        session = sessions.open_session(browser.cookies["sessionid"].value)
        return sessions.bind_session(of_user(user), session)

    assert await in_database(compare)() == (15, 2)


async def test_while_the_database_fails_nobody_is_thrown_out_and_the_log_says_so(monkeypatch, caplog):
    ana, browser = await in_database(sign_in)()
    monkeypatch.setattr(session_watch, "CHECK_SECONDS", 0.02)
    real, failures = sessions.still_valid, []

    def fail(bonds):
        if len(failures) < 3:
            failures.append(bonds)
            raise OperationalError("gone")
        return real(bonds)

    monkeypatch.setattr(session_watch, "still_valid", fail)
    async with socket_of(browser) as socket:
        await socket.receive("joined")
        await first_ends()

        assert await is_open(socket)
        assert len(failures) == 3
        assert caplog.messages == ["Could not compare sessions with the database: OperationalError('gone')"]


async def test_an_account_that_was_inactive_all_along_stays(monkeypatch):
    ana, _browser = await in_database(sign_in)()

    def bond():
        ana.is_active = False
        ana.save()
        return sessions.bind_session(of_user(User.objects.get(pk=ana.pk)), None)

    made = await in_database(bond)()

    assert list(await in_database(sessions.still_valid)([made])) == [made]


# Guests --------------------------------------------------------------------------------------------------------------


async def test_a_guests_socket_ends_when_the_session_is_flushed_by_a_logout():
    browser = Client()
    await in_database(browser.get)(reverse("roomchat:room", args=["lobby"]))
    async with socket_of(browser) as socket:
        assert (await socket.receive("welcome"))["you"]["guest"]
        await socket.receive("joined")

        await in_database(sign_out)(None, browser)

        assert await seconds_until_closed(socket) < 1


async def test_a_guests_socket_outlives_the_row_of_its_session(settings, monkeypatch):
    settings.ROOMCHAT = {"SESSION_CHECK_SECONDS": 0.1}
    monkeypatch.setattr(session_watch, "CHECK_SECONDS", 0.02)
    browser = Client()
    await in_database(browser.get)(reverse("roomchat:room", args=["lobby"]))
    _ana, anas = await in_database(sign_in)()
    async with socket_of(browser) as guest, socket_of(anas) as socket:
        await guest.receive("joined")
        await socket.receive("joined")

        await in_database(forget_sessions)()

        assert await seconds_until_closed(socket) < 1
        assert await is_open(guest)


# Notices --------------------------------------------------------------------------------------------------------


async def test_after_the_last_socket_nothing_runs():
    _ana, browser = await in_database(sign_in)()
    async with socket_of(browser) as socket:
        await socket.receive("joined")
        during = session_watch.current()._task

    assert during is not None and session_watch.current()._task is None
    await asyncio.gather(during, return_exceptions=True)
    assert during.done()


# Asked again ---------------------------------------------------------------------------------------------------------


async def test_a_policy_whose_answer_has_changed_is_asked_again_on_demand(settings):
    settings.ROOMCHAT = {"POLICY": OnlyFriends}
    ana, browser = await in_database(sign_in)()
    OnlyFriends.friends = {f"u:{ana.pk}"}
    async with socket_of(browser) as socket:
        await socket.receive("joined")
        OnlyFriends.friends = set()

        await session_watch.arecheck(ana)

        error = await socket.receive("error")
        assert (error["code"], error["room"]) == ("friends_only", "lobby")
        assert (await socket.receive("bye"))["code"] == 4003


@pytest.mark.parametrize("whom", [None, "ana", "ben"])
async def test_access_to_a_room_is_checked_again_for_all_or_for_one_person(settings, whom):
    settings.ROOMCHAT = {"POLICY": OnlyFriends}
    people = {name: await in_database(sign_in)(name) for name in ("ana", "ben")}
    OnlyFriends.friends = {f"u:{user.pk}" for user, _ in people.values()}
    await in_database(lookup.ensure_room)(Room(name="lobby", title="Lobby"))
    async with socket_of(people["ana"][1]) as socket:
        await socket.receive("joined")
        OnlyFriends.friends = set()

        await session_watch.arecheck(whom and of_user(people[whom][0]).key, room="Lobby")

        if whom == "ben":
            assert await is_open(socket)
        else:
            assert (await socket.receive("error"))["code"] == "friends_only"


async def test_a_recheck_in_a_transaction_waits_for_its_end(told):
    from django.db import transaction

    def change():
        lookup.ensure_room(Room(name="lobby", title="Lobby"))
        with transaction.atomic():
            session_watch.recheck(Identity("g:1", "Guest"))
            session_watch.recheck(room=Room.objects.get(name="lobby"))
            return len(told)

    assert await in_database(change)() == 0
    assert [type(news).__name__ for news in told] == ["Notice", "Access"]
    assert (told[0].data, told[1].version, told[1].key) == ({"key": "g:1"}, 1, "")


def test_a_recheck_of_nobody_and_nowhere_says_what_it_needs():
    with pytest.raises(BadValue, match="Give an identity or a room to recheck"):
        session_watch.recheck()


def test_a_room_that_does_not_exist_has_nobody_to_ask(told):
    session_watch.recheck(room="nowhere")

    assert told == []
