"""Maximum number of sockets and streams that are open at once, for a person and for an IP address."""

import pytest
from django.test import AsyncClient, Client
from django.urls import reverse

from django_roomchat.consumers import ChatConsumer
from django_roomchat.errors import RateLimited
from django_roomchat.identity import Identity, of_user, sessions
from django_roomchat.realtime import event_stream, open_sockets
from django_roomchat.testing import ChatClient

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_hub")]
APPLICATION = ChatConsumer.as_asgi()
ANA, BEN = Identity("u:ana", "Ana"), Identity("g:ben", "Ben", is_guest=True)
TABS = "The chat is open too often; close other tabs or devices."
NETWORK = "Too many chats are open in your network; try again later."


@pytest.fixture(autouse=True)
def _counts(monkeypatch):
    """The counts of this process; every test leaves none behind."""
    monkeypatch.setattr(open_sockets, "_open", {})
    yield
    assert open_sockets._open == {}


def sentence(who, address):
    """Why one more is refused; empty if it is not."""
    try:
        open_sockets.require_free(who, address)
    except RateLimited as error:
        return error.detail
    return ""


def tab(who, address="8.8.8.8", **options):
    client = ChatClient(APPLICATION, "lobby", user=who, **options)
    client.scope["client"] = (address, 1)
    return client


async def stream(who):
    return await event_stream.open_stream(who, sessions.bind_session(who, None), "lobby", "", None, "8.8.8.8")


async def opened(who):
    """The events of a stream that has joined its room."""
    events = (await stream(who)).events()
    while b'"joined"' not in await anext(events):
        pass
    return events


def test_each_person_and_each_address_has_a_maximum(settings):
    settings.ROOMCHAT = {"USER_MAX_SOCKETS": 2, "ADDRESS_MAX_SOCKETS": 3}
    opened = [(ANA, "8.8.8.8"), (ANA, "8.8.4.4"), (BEN, "8.8.8.8"), (BEN, "8.8.8.8")]

    refusals = []
    for who, address in opened:
        open_sockets.take(who, address)
        refusals.append([sentence(who, "8.8.8.8") for who in (ANA, BEN)])
    for who, address in opened:
        open_sockets.release(who, address)

    assert refusals == [["", ""], [TABS, ""], [TABS, ""], [TABS, TABS]]
    assert sentence(ANA, "8.8.8.8") == ""


def test_an_address_has_a_maximum_for_all_its_people(settings):
    settings.ROOMCHAT = {"ADDRESS_MAX_SOCKETS": 1}
    open_sockets.take(ANA, "8.8.8.8")

    refusals = [sentence(BEN, address) for address in ("8.8.8.8", "8.8.4.4", "")]
    open_sockets.release(ANA, "8.8.8.8")

    assert refusals == [NETWORK, "", ""]


def test_without_limits_none_is_refused(settings):
    settings.ROOMCHAT = {"USER_MAX_SOCKETS": None, "ADDRESS_MAX_SOCKETS": None}
    for _ in range(3000):
        open_sockets.take(ANA, "8.8.8.8")

    refusal = sentence(ANA, "8.8.8.8")
    for _ in range(3000):
        open_sockets.release(ANA, "8.8.8.8")

    assert refusal == ""


async def test_a_person_with_30_tabs_is_within_the_defaults(ana):
    tabs = [tab(ana) for _ in range(30)]
    for one in tabs:
        assert await one.connect()
        await one.receive("joined")

    for one in tabs:
        await one.disconnect()


async def test_a_socket_above_the_maximum_is_refused_with_the_reason_and_the_time_to_wait(settings, ana):
    settings.ROOMCHAT = {"USER_MAX_SOCKETS": 1}
    async with tab(ana) as first:
        await first.receive("joined")
        async with tab(ana) as second:
            frames = [await second.receive(), await second.receive()]
            with pytest.raises(ConnectionResetError) as closed:
                await second.receive()
        await first.send({"type": "ping"})
        await first.receive("ping")
    async with tab(ana) as third:
        await third.receive("joined")

    assert frames == [
        {"type": "error", "code": "rate_limited", "detail": TABS, "retry_after": 30.0},
        {"type": "bye", "code": 4029, "reason": TABS, "retry_after": 30.0},
    ]
    assert closed.value.args[-1] == 4029


async def test_sockets_of_several_people_share_the_maximum_of_their_address(settings, ana):
    settings.ROOMCHAT = {"ADDRESS_MAX_SOCKETS": 1}
    async with tab(ana) as first:
        await first.receive("joined")
        async with tab(None) as second:
            refused = await second.receive("error")
        async with tab(None, address="8.8.4.4") as elsewhere:
            await elsewhere.receive("joined")

    assert refused["detail"] == NETWORK


async def test_a_stream_above_the_maximum_is_answered_with_429(settings, ana):
    settings.ROOMCHAT = {"USER_MAX_SOCKETS": 1}
    client = AsyncClient()
    await client.aforce_login(ana)
    events = reverse("roomchat:events", args=["lobby"])
    first = await opened(of_user(ana))

    answers = [await client.get(events), await client.get(events, {"wait": "0"})]
    await first.aclose()
    after = await client.get(events, {"wait": "0"})

    assert [(answer.status_code, answer.headers["Retry-After"]) for answer in answers] == [(429, "30")] * 2
    assert answers[0].json() == {"error": {"code": "rate_limited", "detail": TABS}}
    assert after.status_code == 200


async def test_of_streams_that_are_opened_at_the_same_moment_only_the_maximum_stays_open(settings):
    settings.ROOMCHAT = {"USER_MAX_SOCKETS": 1}
    waiting = await stream(ANA)
    first = await opened(ANA)

    ended = b"".join([chunk async for chunk in waiting.events()]).decode()
    polled = await (await stream(BEN)).poll(0)
    await first.aclose()

    assert (TABS in ended, '"type":"bye","code":4029' in ended) == (True, True)
    assert len(polled) == 3


def test_a_long_poll_under_wsgi_counts_while_it_waits(settings, monkeypatch):
    settings.ROOMCHAT = {"USER_MAX_SOCKETS": 1}
    client, during = Client(), []
    events = reverse("roomchat:events", args=["lobby"])

    def read(*about, original=event_stream._read_log):
        during.append(client.get(events, {"wait": "0"}).status_code if not during else None)
        return original(*about)

    monkeypatch.setattr(event_stream, "_read_log", read)
    # The cookie of the guest.
    client.get(reverse("roomchat:room", args=["lobby"]))
    answer = client.get(events, {"wait": "0"})

    assert (during, answer.status_code) == ([429], 200)
