"""Tickets: sockets for those who cannot bring a cookie."""

import asyncio
import json

import pytest
from channels.db import database_sync_to_async as in_database
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.core import signing
from django.test import Client, RequestFactory
from django.urls import reverse

from django_roomchat import identity
from django_roomchat.consumers import ChatConsumer
from django_roomchat.errors import Forbidden
from django_roomchat.identity import of_user, tickets
from django_roomchat.realtime import hub, threads
from django_roomchat.rooms import lookup
from django_roomchat.testing import ChatClient
from tests.asgi import application
from tests.unit.identity.test_sessions import (
    change_password,
    deactivate,
    delete,
    seconds_until_closed,
    sign_in,
    sign_out,
)

pytestmark = pytest.mark.django_db(transaction=True)
ELSEWHERE = [(b"host", b"testserver"), (b"origin", b"https://evil.example")]
REFUSAL = "Invalid or expired ticket; request a new one for every socket."


@pytest.fixture(autouse=True)
async def _put_away(settings):
    settings.ALLOWED_HOSTS = ["testserver"]
    lookup.remembered.clear()
    yield
    here = hub.current()
    for task in list(here._work):
        task.cancel()
    await asyncio.gather(*here._work, return_exceptions=True)
    for closed in threads.close():
        await asyncio.wrap_future(closed)


def ticket_for(browser):
    response = browser.post(reverse("roomchat:ticket"))
    assert response.status_code == 200, response.content
    return response.json()["ticket"]


def with_ticket(ticket, headers=(), app=application, **options):
    client = ChatClient(app, "lobby", headers=list(headers), **options)
    client.scope["query_string"] = f"a=1&ticket={ticket}".encode()
    return client


async def you(socket):
    return (await socket.receive("welcome"))["you"]


@pytest.mark.parametrize("wiring", ["the whole application", "the consumer alone"])
async def test_a_ticket_opens_a_socket_from_anywhere_in_the_name_of_who_got_it(wiring):
    ana, browser = await in_database(sign_in)()
    ticket = await in_database(ticket_for)(browser)
    app = application if wiring == "the whole application" else ChatConsumer.as_asgi()

    async with with_ticket(ticket, ELSEWHERE, app) as socket:
        assert await you(socket) == {"key": f"u:{ana.pk}", "name": "ana", "guest": False}
        assert (await socket.post("hi", id="a"))["seq"] == 1


async def test_the_view_says_how_long_it_is_good(settings):
    settings.ROOMCHAT = {"TICKET_SECONDS": 7}
    _ana, browser = await in_database(sign_in)()

    answer = (await in_database(browser.post)(reverse("roomchat:ticket"))).json()

    assert (set(answer), answer["seconds"]) == ({"ticket", "seconds"}, 7)


async def test_a_guests_ticket_opens_a_socket_of_the_same_guest():
    browser = Client()
    ticket = await in_database(ticket_for)(browser)

    async with with_ticket(ticket) as one, with_ticket(ticket) as other:
        first, second = await you(one), await you(other)

    assert first == second
    assert first["guest"]


async def test_the_cookies_beside_a_ticket_count_for_nothing():
    """Else any page could open a socket as its visitor, with a ticket of its own."""
    _ana, browser = await in_database(sign_in)()
    stranger = Client()
    ticket = await in_database(ticket_for)(stranger)
    cookie = f"sessionid={browser.cookies['sessionid'].value}".encode()

    async with with_ticket(ticket, [*ELSEWHERE, (b"cookie", cookie)]) as socket:
        assert (await you(socket))["guest"]


async def test_a_hook_sees_no_cookie_beside_a_ticket(settings):
    seen = []

    def who(source):
        if not isinstance(source, dict):
            return identity.identify(source)
        seen.append(([name for name, _ in source["headers"]], source["cookies"]))
        return identity.identify(source)

    settings.ROOMCHAT = {"IDENTITY": who}
    _ana, browser = await in_database(sign_in)()
    ticket = await in_database(ticket_for)(browser)

    async with with_ticket(ticket, [(b"Cookie", b"sessionid=x"), (b"x-app", b"1")]) as socket:
        await you(socket)

    assert seen == [([b"x-app"], {})]


async def test_without_a_ticket_the_origin_counts_as_ever(caplog):
    connected = await with_ticket("", ELSEWHERE).connect()

    assert not connected
    assert "its Origin is" in caplog.text


@pytest.mark.parametrize("tutorial", [False, True])
@pytest.mark.parametrize(
    "ticket",
    ["x", "a:b:c", "🎟", signing.dumps({"user": "1"}, salt="other")],
    ids=["a word", "like one", "no ASCII", "of another salt"],
)
async def test_a_ticket_that_is_none_is_told_and_closed_and_never_the_cookies_owner(ticket, tutorial):
    _ana, browser = await in_database(sign_in)()
    cookie = f"sessionid={browser.cookies['sessionid'].value}".encode()
    socket = with_ticket(ticket, [*ELSEWHERE, (b"cookie", cookie)], tutorial=tutorial)

    async with socket:
        said = await socket.receive()
        if tutorial:
            assert said == {"message": REFUSAL, "type": "error", "code": "bad_ticket"}
        else:
            assert said == {"type": "error", "code": "bad_ticket", "detail": REFUSAL}
            assert (await socket.receive())["code"] == 4001
        with pytest.raises(ConnectionResetError) as closed:
            await socket.receive()

    assert closed.value.args[1] == 4001


async def test_an_old_ticket_is_not_good_any_more(monkeypatch):
    _ana, browser = await in_database(sign_in)()
    monkeypatch.setattr(signing.time, "time", lambda: 1_000_000.0)
    ticket = await in_database(ticket_for)(browser)
    monkeypatch.undo()

    async with with_ticket(ticket) as socket:
        assert (await socket.receive())["code"] == "bad_ticket"


@pytest.mark.parametrize("end", [sign_out, change_password, deactivate, delete])
async def test_what_ends_ends_the_ticket_and_the_socket_that_it_opened(end):
    ana, browser = await in_database(sign_in)()
    ticket = await in_database(ticket_for)(browser)
    async with with_ticket(ticket) as socket:
        await socket.receive("joined")

        await in_database(end)(ana, browser)

        assert await seconds_until_closed(socket) < 1
    async with with_ticket(ticket) as late:
        assert (await late.receive())["code"] == "bad_ticket"


# For those who come with a token ------------------------------------------------------------------------------------


def request_of(user, session=None):
    request = RequestFactory().post("/api/ticket/")
    request.user = user
    if session is not None:
        request.session = session
    return request


@pytest.mark.parametrize("end", [change_password, deactivate, delete])
async def test_a_view_of_ones_own_makes_tickets_for_accounts(end):
    ana, browser = await in_database(sign_in)()
    ticket = tickets.make_ticket(request_of(ana))
    async with with_ticket(ticket, ELSEWHERE) as socket:
        assert (await you(socket))["key"] == f"u:{ana.pk}"
        await socket.receive("joined")

        await in_database(end)(ana, browser)

        assert await seconds_until_closed(socket) < 1
    async with with_ticket(ticket) as late:
        assert (await late.receive())["code"] == "bad_ticket"


def test_a_session_of_somebody_else_beside_the_token_counts_for_nothing():
    ana, browser = sign_in()
    ben, _ = sign_in("ben")
    session = SessionStore(browser.cookies["sessionid"].value)

    scope = tickets.redeem({}, tickets.make_ticket(request_of(ben, session)))

    assert (scope["user"], scope["session"]) == (ben, None)


def test_the_hook_of_the_project_may_know_the_user_better(settings):
    ana, _ = sign_in()
    settings.ROOMCHAT = {"IDENTITY": lambda source: of_user(ana)}

    scope = tickets.redeem({}, ticket_for(Client()))

    assert scope["user"] == ana


def test_without_session_and_account_there_is_nothing_to_make_a_ticket_of():
    with pytest.raises(Forbidden) as refused:
        tickets.make_ticket(request_of(AnonymousUser()))

    assert refused.value.code == "sign_in"


def test_a_view_without_sessions_tells_a_guest_so(settings):
    settings.MIDDLEWARE = [
        name
        for name in settings.MIDDLEWARE
        if "essions" not in name and "auth" not in name and "messages" not in name
    ]

    response = Client().post(reverse("roomchat:ticket"))

    assert (response.status_code, response.json()["error"]["code"]) == (403, "sign_in")


def test_another_sites_page_cannot_get_one():
    ana, browser = sign_in()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = browser.cookies

    assert (
        strict.post(reverse("roomchat:ticket")).status_code,
        browser.get(reverse("roomchat:ticket")).status_code,
    ) == (403, 405)


def test_a_ticket_does_not_show_the_key_of_the_session_and_no_two_are_alike():
    _ana, browser = sign_in()
    key = browser.cookies["sessionid"].value

    one, other = (signing.loads(ticket_for(browser), salt="django_roomchat.ticket") for _ in range(2))

    assert one["session"] != other["session"]
    assert key not in json.dumps(one) and key.encode().hex() not in json.dumps(one)


def test_a_session_key_of_any_length_is_hidden():
    long = "x" * 200

    assert tickets._unsealed(tickets._sealed(long)) == long


# The server's log -----------------------------------------------------------------------------------------------------


def test_the_ticket_is_taken_out_of_what_the_server_writes_into_its_log():
    scope = {"query_string": b"epoch=%C3%A9&ticket=secret&since=4"}

    tickets.take(scope)

    assert scope["query_string"] == b"epoch=%C3%A9&since=4"
    assert tickets.ticket_of(scope) == "secret"


async def test_uvicorns_log_shows_no_ticket(server, sqlite_url):
    from websockets.asyncio.client import connect

    running = server(database_url=sqlite_url)
    async with connect(f"{running.ws_url}/ws/chat/lobby/?ticket=secret-one&since=0") as channel:
        await channel.recv()

    assert "/ws/chat/lobby/" in running.log
    assert "secret-one" not in running.log
