"""Tickets: sockets for clients without a cookie."""

from datetime import timedelta

import pytest
from channels.db import database_sync_to_async as in_database
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.db.models.signals import post_delete
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from django_roomchat import amake_ticket, identity, privacy
from django_roomchat.consumers import ChatConsumer
from django_roomchat.errors import Forbidden
from django_roomchat.identity import of_user, tickets
from django_roomchat.models import Ticket
from django_roomchat.testing import ChatClient
from tests.asgi import application
from tests.support.people import at_once
from tests.support.sessions import (
    change_password,
    deactivate,
    delete,
    seconds_until_closed,
    sign_in,
    sign_out,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_hub")]
ELSEWHERE = [(b"host", b"testserver"), (b"origin", b"https://evil.example")]
REFUSAL = "Invalid or expired ticket; request a new one for every socket."


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
    tickets = [await in_database(ticket_for)(browser) for _ in range(2)]

    async with with_ticket(tickets[0]) as one, with_ticket(tickets[1]) as other:
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
    ["x", "A" * 43, "🎟", "%ED%A0%80", "x" * 100_000],
    ids=["a word", "like one", "no ASCII", "no character", "a long one"],
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


async def expire():
    await Ticket.objects.aupdate(expires_at=timezone.now() - timedelta(milliseconds=1))


async def test_an_expired_ticket_is_refused():
    _ana, browser = await in_database(sign_in)()
    ticket = await in_database(ticket_for)(browser)
    await expire()

    async with with_ticket(ticket) as socket:
        assert (await socket.receive())["code"] == "bad_ticket"


async def test_a_ticket_expires_after_ticket_seconds(settings):
    settings.ROOMCHAT = {"TICKET_SECONDS": 7}
    _ana, browser = await in_database(sign_in)()
    before = timezone.now()

    await in_database(ticket_for)(browser)

    expires_at = (await Ticket.objects.aget()).expires_at
    assert timedelta(seconds=7) <= expires_at - before < timedelta(seconds=67)


async def test_a_ticket_opens_one_socket():
    _ana, browser = await in_database(sign_in)()
    ticket = await in_database(ticket_for)(browser)

    async with with_ticket(ticket) as socket, with_ticket(ticket) as second:
        await you(socket)
        assert (await second.receive())["code"] == "bad_ticket"

    assert await Ticket.objects.acount() == 0


async def test_a_socket_of_another_site_does_not_use_up_a_ticket_that_it_does_not_have():
    _ana, browser = await in_database(sign_in)()
    ticket = await in_database(ticket_for)(browser)

    async with with_ticket("x" * 43) as socket:
        assert (await socket.receive())["code"] == "bad_ticket"

    async with with_ticket(ticket) as socket:
        await you(socket)


def outcomes_of(ticket, count=8):
    """Redeem a ticket in several threads at once."""

    def redeem():
        try:
            return tickets.redeem_ticket({}, ticket)["user"].username
        except Forbidden as error:
            return error.code

    return sorted(at_once(*[redeem] * count))


def test_of_concurrent_redemptions_one_succeeds_on_sqlite():
    ana, _ = sign_in()

    assert outcomes_of(tickets.make_ticket(request_of(ana))) == ["ana"] + ["bad_ticket"] * 7


def test_of_concurrent_redemptions_one_succeeds_on_postgresql(on_postgres):
    ana, _ = sign_in()

    assert outcomes_of(tickets.make_ticket(request_of(ana))) == ["ana"] + ["bad_ticket"] * 7


def test_of_concurrent_redemptions_one_succeeds_if_a_project_listens_for_deletions(on_postgres):
    """A receiver makes Django select the rows before it deletes them."""
    ana, _ = sign_in()
    ticket = tickets.make_ticket(request_of(ana))

    def receiver(**kwargs):
        pass

    post_delete.connect(receiver)
    try:
        assert outcomes_of(ticket) == ["ana"] + ["bad_ticket"] * 7
    finally:
        post_delete.disconnect(receiver)


def test_the_next_ticket_deletes_expired_tickets():
    ana, browser = sign_in()
    for _ in range(3):
        ticket_for(browser)
    Ticket.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    ticket = tickets.make_ticket(request_of(ana))

    assert [row.digest for row in Ticket.objects.all()] == [tickets.digest(ticket)]


def test_the_daily_command_deletes_expired_tickets_only():
    _ana, browser = sign_in()
    ticket_for(browser)
    kept = Ticket.objects.get().digest
    ticket_for(browser)
    Ticket.objects.exclude(digest=kept).update(expires_at=timezone.now() - timedelta(seconds=1))

    call_command("roomchat_prune", verbosity=0)

    assert [row.digest for row in Ticket.objects.all()] == [kept]


def test_a_dry_run_deletes_no_ticket():
    _ana, browser = sign_in()
    ticket_for(browser)
    Ticket.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    call_command("roomchat_prune", dry_run=True, verbosity=0)

    assert Ticket.objects.count() == 1


def test_a_deleted_user_has_no_tickets():
    ana, browser = sign_in()
    ticket_for(browser)
    tickets.make_ticket(request_of(ana))

    ana.delete()

    assert Ticket.objects.count() == 0


def test_erasing_a_user_deletes_the_users_tickets_only():
    ana, browser = sign_in()
    ticket_for(browser)
    ticket_for(Client())
    ticket_for(sign_in("ben")[1])

    privacy.erase_user(ana)

    assert not Ticket.objects.filter(user=ana).exists()
    assert Ticket.objects.count() == 2


def test_erasing_a_guest_deletes_no_tickets_of_others():
    ticket_for(Client())

    privacy.erase_user("g:1")

    assert Ticket.objects.count() == 1


def test_an_export_has_when_tickets_expire_and_nothing_to_open_a_socket_with():
    ana, browser = sign_in()
    ticket_for(browser)

    exported = privacy.export_user(ana)["tickets"]

    assert [set(ticket) for ticket in exported] == [{"expires_at"}]


def test_a_ticket_outlives_a_change_of_the_secret_key(settings):
    settings.SECRET_KEY = "old" * 20
    ana, browser = sign_in()
    of_account, of_session = tickets.make_ticket(request_of(ana)), ticket_for(browser)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = ["old" * 20], "new" * 20

    users = [tickets.redeem_ticket({}, ticket)["user"] for ticket in (of_account, of_session)]

    assert users == [ana, ana]
    # The session keeps its key, which is in the browser's cookie.
    assert SessionStore(browser.cookies["sessionid"].value).load()


def test_a_ticket_does_not_outlive_a_secret_key_that_is_not_a_fallback(settings):
    settings.SECRET_KEY = "old" * 20
    ana, browser = sign_in()
    made = [tickets.make_ticket(request_of(ana)), ticket_for(browser)]
    settings.SECRET_KEY = "new" * 20

    for ticket in made:
        with pytest.raises(Forbidden):
            tickets.redeem_ticket({}, ticket)


@pytest.mark.parametrize("end", [sign_out, change_password, deactivate, delete])
async def test_what_ends_ends_the_ticket_and_the_socket_that_it_opened(end):
    ana, browser = await in_database(sign_in)()
    ticket, unused = [await in_database(ticket_for)(browser) for _ in range(2)]
    async with with_ticket(ticket) as socket:
        await socket.receive("joined")

        await in_database(end)(ana, browser)

        assert await seconds_until_closed(socket) < 1
    async with with_ticket(unused) as late:
        assert (await late.receive())["code"] == "bad_ticket"


# Clients with a token ------------------------------------------------------------------------------------


def request_of(user, session=None):
    request = RequestFactory().post("/api/ticket/")
    request.user = user
    if session is not None:
        request.session = session
    return request


@pytest.mark.parametrize("end", [change_password, deactivate, delete])
async def test_a_view_of_ones_own_makes_tickets_for_accounts(end):
    ana, browser = await in_database(sign_in)()
    ticket, unused = [await amake_ticket(request_of(ana)) for _ in range(2)]
    async with with_ticket(ticket, ELSEWHERE) as socket:
        assert (await you(socket))["key"] == f"u:{ana.pk}"
        await socket.receive("joined")

        await in_database(end)(ana, browser)

        assert await seconds_until_closed(socket) < 1
    async with with_ticket(unused) as late:
        assert (await late.receive())["code"] == "bad_ticket"


def test_a_session_of_another_user_beside_a_token_is_ignored():
    ana, browser = sign_in()
    ben, _ = sign_in("ben")
    session = SessionStore(browser.cookies["sessionid"].value)

    scope = tickets.redeem_ticket({}, tickets.make_ticket(request_of(ben, session)))

    assert (scope["user"], scope["session"]) == (ben, None)


def test_the_hook_of_the_project_may_know_the_user_better(settings):
    ana, _ = sign_in()
    settings.ROOMCHAT = {"IDENTITY": lambda source: of_user(ana)}

    scope = tickets.redeem_ticket({}, ticket_for(Client()))

    assert scope["user"] == ana


def test_without_session_and_account_there_is_nothing_to_make_a_ticket_of():
    with pytest.raises(Forbidden) as refused:
        tickets.make_ticket(request_of(AnonymousUser()))

    assert refused.value.code == "sign_in"


def test_a_view_without_sessions_returns_an_error_to_guests(settings):
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


def test_tickets_are_random_and_are_not_in_the_table():
    _ana, browser = sign_in()

    one, other = (ticket_for(browser) for _ in range(2))

    assert one != other
    assert len(one) == len(other) == 43
    assert browser.cookies["sessionid"].value not in one
    stored = [value for row in Ticket.objects.values_list() for value in row]
    assert one not in stored and other not in stored


def test_the_table_has_no_password_hash_of_an_account():
    ana, _ = sign_in()
    tickets.make_ticket(request_of(ana))

    row = Ticket.objects.get()

    assert (row.session_key, row.user) == ("", ana)
    assert row.auth_digest not in (ana.password, ana.get_session_auth_hash())


@pytest.mark.parametrize("engine", ["db", "cached_db", "cache", "file", "signed_cookies"])
def test_sessions_of_every_engine_have_tickets(engine, settings, tmp_path):
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    settings.SESSION_FILE_PATH = str(tmp_path)
    ana, browser = sign_in()

    scope = tickets.redeem_ticket({}, ticket_for(browser))

    assert scope["user"] == ana
    assert scope["session"]["_auth_user_id"] == str(ana.pk)


# The server's log -----------------------------------------------------------------------------------------------------


def test_the_ticket_is_taken_out_of_what_the_server_writes_into_its_log():
    scope = {"query_string": b"epoch=%C3%A9&ticket=secret&since=4"}

    tickets.hide_ticket(scope)

    assert scope["query_string"] == b"epoch=%C3%A9&since=4"
    assert tickets.ticket_of(scope) == "secret"


async def test_uvicorns_log_shows_no_ticket(server, sqlite_url):
    from websockets.asyncio.client import connect

    running = server(database_url=sqlite_url)
    async with connect(f"{running.ws_url}/ws/chat/lobby/?ticket=secret-one&since=0") as channel:
        await channel.recv()

    assert "/ws/chat/lobby/" in running.log
    assert "secret-one" not in running.log
