"""The event stream: the frames of a socket over HTTP."""

import asyncio
import json

import pytest
from django.contrib.auth.models import User
from django.core.handlers.asgi import ASGIRequest
from django.db import OperationalError
from django.test import AsyncClient, Client
from django.utils import translation

from django_roomchat import protocol
from django_roomchat.conf import config
from django_roomchat.errors import NotFound, TryAgain
from django_roomchat.identity import Identity, guests, sessions
from django_roomchat.messages.post import apost_message, post_message
from django_roomchat.moderation import sanctions
from django_roomchat.realtime import event_stream, hub, shutdown
from django_roomchat.realtime.threads import in_thread
from django_roomchat.realtime.uvicorn_fast_path import TextFrame

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_hub")]
ANA = Identity("g:ana", "Ana", is_guest=True)
SECONDS = 20


class Listener:
    """Reads a stream as a browser does."""

    def __init__(self, response):
        self.chunks = aiter(response)
        self.coming = []
        self.ids = []
        self.retry = None

    async def frame(self, *types):
        while True:
            if not self.coming:
                async with asyncio.timeout(SECONDS):
                    self._read((await anext(self.chunks)).decode())
                continue
            frame = self.coming.pop(0)
            if not types or frame["type"] in types:
                return frame

    async def rest(self):
        """The types of all frames until the stream ends."""
        types = [frame["type"] for frame in self.coming]
        async with asyncio.timeout(SECONDS):
            async for chunk in self.chunks:
                self._read(chunk.decode())
        return types + [frame["type"] for frame in self.coming[len(types) :]]

    def _read(self, text):
        for event in text.split("\n\n")[:-1]:
            fields = dict(line.split(": ", 1) for line in event.split("\n"))
            self.ids += [fields["id"]] if "id" in fields else []
            self.retry = fields.get("retry", self.retry)
            if "data" in fields:
                self.coming.append(json.loads(fields["data"]))

    async def close(self):
        await self.chunks.aclose()


@pytest.fixture
async def listen():
    """Opens streams, and closes what is open at the end."""
    opened = []

    async def listen(room="lobby", who=ANA, epoch="", since=None):
        stream = await event_stream.open_stream(who, sessions.bind_session(who, None), room, epoch, since, "")
        listener = Listener(stream.events())
        listener.stream = stream
        opened.append(listener)
        return listener

    yield listen
    for listener in opened:
        await listener.close()


def bodies(frame):
    return [event["body"] for event in frame["events"]]


# Server-sent events -----------------------------------------------------------------------------------------------


async def test_a_stream_begins_like_a_socket_and_goes_on_like_one(listen):
    await apost_message("lobby", "one")
    listener = await listen()

    first = [await listener.frame() for _ in range(3)]
    await apost_message("lobby", "two")
    news = await listener.frame("events")

    assert [frame["type"] for frame in first] == ["welcome", "rights", "joined"]
    assert first[0]["you"] == {"key": "g:ana", "name": "Ana", "guest": True}
    assert (bodies(first[2]), bodies(news)) == (["one"], ["two"])
    assert listener.ids == [f"{first[2]['epoch']}:{head}" for head in (1, 2)]
    assert listener.retry == "1000"


async def test_who_comes_back_gets_what_was_missed(listen):
    await apost_message("lobby", "one")
    epoch = (await (await listen()).frame("joined"))["epoch"]
    await apost_message("lobby", "two")

    back = await (await listen(epoch=epoch, since=1)).frame("joined")

    assert (back["prev"], back["head"], bodies(back), "reset" in back) == (1, 2, ["two"], False)


async def test_a_stream_leaves_the_room_when_it_ends(listen):
    listener = await listen()
    await listener.frame("joined")
    assert hub.current().sockets_in("lobby") == [listener.stream]

    await listener.close()

    assert (hub.current().sockets_in("lobby"), hub.current().sockets) == ([], set())


async def test_a_banned_person_receives_nothing_more(listen):
    post = await apost_message("lobby", "one")
    listener = await listen()
    await listener.frame("joined")

    await in_thread(sanctions.ban, post.room, ANA.key)
    frames = [await listener.frame("error", "bye") for _ in range(2)]
    rest = await listener.rest()

    assert [(frame["type"], frame["code"]) for frame in frames] == [("error", "banned"), ("bye", 4003)]
    assert rest == []


async def test_who_may_stay_is_told_new_rights(listen):
    post = await apost_message("lobby", "one")
    listener = await listen()
    await listener.frame("joined")

    await in_thread(sanctions.mute, post.room, ANA.key)

    assert "post" not in (await listener.frame("rights"))["can"]


@pytest.mark.parametrize("error", [TryAgain("not now"), OperationalError("gone")], ids=["busy", "gone"])
async def test_whether_one_may_stay_is_asked_again_where_the_database_did_not_say(listen, monkeypatch, error):
    listener = await listen()
    await listener.frame("joined")

    def fail(*about):
        raise error

    monkeypatch.setattr(event_stream.handlers, "enter_room", fail)

    assert await listener.stream.check_access("lobby") is False


async def test_who_has_left_meanwhile_is_told_nothing(listen):
    listener = await listen()
    await listener.frame("joined")
    hub.current().leave(listener.stream, "lobby")
    await in_thread(post_message, "lobby", "one")
    await in_thread(sanctions.ban, "lobby", ANA.key)

    assert await listener.stream.check_access("lobby") is True
    assert not listener.stream._is_closing


async def test_a_process_that_ends_says_goodbye_and_lets_nobody_in(listen):
    listener = await listen()
    await listener.frame("joined")

    await shutdown.drain()

    assert (await listener.frame("bye"))["code"] == 4012
    assert await listener.rest() == []
    with pytest.raises(TryAgain):
        await listen()


async def test_a_session_that_ends_ends_its_streams(listen):
    user = await User.objects.acreate(username="ana")
    listener = await listen(who=Identity(f"u:{user.pk}", "ana", user=user))
    await listener.frame("joined")

    account = await User.objects.aget()
    account.is_active = False
    await account.asave()

    assert (await listener.frame("bye"))["code"] == 4001


async def test_a_response_ends_when_it_is_long_and_the_next_goes_on(listen, settings):
    settings.ROOMCHAT = {"UNSEEN_MAX_BYTES": 2000}
    listener = await listen()
    await listener.frame("joined")
    seen = 0
    while seen < 100:
        seen = (await apost_message("lobby", "x" * 200)).seq
        try:
            await listener.frame("events")
        except StopAsyncIteration:
            break

    epoch, head = listener.ids[-1].split(":")
    back = await (await listen(epoch=epoch, since=int(head))).frame("joined")

    assert (int(head), [event["seq"] for event in back["events"]]) == (seen - 1, [seen])


async def test_a_client_that_takes_nothing_keeps_its_place_and_not_what_waits(listen, monkeypatch):
    monkeypatch.setattr(hub, "FRAME_BYTES", 3000)
    listener = await listen()
    await listener.frame("joined")
    for number in range(40):
        await apost_message("lobby", f"{number} " + "x" * 500)
    stream = listener.stream
    assert (stream.is_ready, stream._size < 10_000, stream.blocked_since is not None) == (False, True, True)

    seen = []
    while len(seen) < 40:
        seen += [event["seq"] for event in (await listener.frame("events"))["events"]]

    assert seen == list(range(1, 41))


@pytest.fixture
async def stuck(listen):
    """A stream whose client stops reading, and the task of its response."""
    listener = await listen()

    async def serve():
        try:
            await listener.frame("joined")
            await asyncio.Event().wait()
        finally:
            await listener.close()

    serving = asyncio.create_task(serve())
    while not listener.ids:
        await asyncio.sleep(0.001)
    return listener.stream, serving


async def test_a_client_that_takes_nothing_for_long_is_let_go(stuck):
    stream, serving = stuck
    stream.reply(TextFrame("{}"))

    hub.current()._close_slow(stream.blocked_since + config().SLOW_SECONDS)
    await asyncio.wait([serving])

    assert serving.cancelled()
    assert hub.current().sockets == set()


async def test_answers_that_nobody_takes_end_the_stream(stuck, settings):
    settings.ROOMCHAT = {"REPLIES_MAX_BYTES": 1000}
    stream, serving = stuck

    for _ in range(70):
        stream.reply(TextFrame(json.dumps({"type": "x" * 400})))
    stream.close(protocol.CLOSE_RESTART)
    await asyncio.wait([serving])

    assert serving.cancelled()
    assert stream._size < 2000


async def test_a_database_that_fails_on_the_way_in_ends_the_stream_with_a_word(listen, monkeypatch):
    async def fail(*about, **more):
        raise OperationalError("gone")

    monkeypatch.setattr(hub.current(), "enter", fail)
    listener = await listen()

    bye = await listener.frame("bye")

    assert (bye["code"], bye["retry_after"], await listener.rest()) == (4503, 1.0, [])


async def test_a_guest_who_chooses_a_name_receives_it(listen):
    listener = await listen()
    await listener.frame("joined")

    await in_thread(guests.choose_name, ANA, "Zoë", None, [])

    assert await listener.frame("named") == {"type": "named", "name": "Zoë"}
    assert (listener.stream.who.key, listener.stream.who.name) == ("g:ana", "Zoë")


# The view ---------------------------------------------------------------------------------------------------------


async def test_the_view_streams_to_an_asgi_server_and_keeps_proxies_from_collecting():
    await apost_message("lobby", "one")
    response = await AsyncClient().get("/chat/lobby/events/")
    listener = Listener(response)

    joined = await listener.frame("joined")
    await listener.close()

    assert bodies(joined) == ["one"]
    assert [response[name] for name in ("Content-Type", "Content-Encoding", "X-Accel-Buffering")] == [
        "text/event-stream",
        "identity",
        "no",
    ]
    assert {"no-store", "no-transform"} <= set(response["Cache-Control"].split(", "))


async def test_a_browser_that_comes_back_by_itself_says_where_it_stands():
    for body in ("one", "two", "three"):
        await apost_message("lobby", body)
    first = Listener(await AsyncClient().get("/chat/lobby/events/"))
    epoch = (await first.frame("joined"))["epoch"]
    await first.close()

    again = Listener(
        await AsyncClient().get(
            "/chat/lobby/events/", {"epoch": epoch, "since": 1}, headers={"Last-Event-ID": f"{epoch}:2"}
        )
    )
    by_address = Listener(await AsyncClient().get("/chat/lobby/events/", {"epoch": epoch, "since": 1}))

    assert bodies(await again.frame("joined")) == ["three"]
    assert bodies(await by_address.frame("joined")) == ["two", "three"]
    await again.close()
    await by_address.close()


async def test_who_may_not_enter_gets_no_stream(settings):
    settings.ROOMCHAT = {"POLICY": "django_roomchat.policy.SignedInPolicy"}

    stream = await AsyncClient().get("/chat/lobby/events/")
    poll = await AsyncClient().get("/chat/lobby/events/", {"wait": "1"})
    hidden = await AsyncClient().get("/chat/~none/events/")

    assert [(answer.status_code, answer.json()["error"]["code"]) for answer in (stream, poll, hidden)] == [
        (403, "sign_in"),
        (403, "sign_in"),
        (404, "no_such_room"),
    ]


async def test_a_database_that_does_not_answer_is_said_so(monkeypatch):
    def fail(*about):
        raise OperationalError("gone")

    monkeypatch.setattr("django_roomchat.views.streams._binding", fail)

    response = await AsyncClient().get("/chat/lobby/events/")

    assert (response.status_code, response.json()["error"]["code"], response["Retry-After"]) == (
        503,
        "unavailable",
        "1",
    )


# Long polling -----------------------------------------------------------------------------------------------------


async def test_a_poll_answers_at_once_where_there_is_something():
    await apost_message("lobby", "one")

    told = (await AsyncClient().get("/chat/lobby/events/", {"wait": "25"})).json()["frames"]

    assert [frame["type"] for frame in told] == ["welcome", "rights", "joined"]
    assert bodies(told[-1]) == ["one"]


async def test_a_poll_waits_for_news():
    await apost_message("lobby", "one")
    epoch = (await AsyncClient().get("/chat/lobby/events/", {"wait": "25"})).json()["frames"][-1]["epoch"]

    polling = asyncio.create_task(
        AsyncClient().get("/chat/lobby/events/", {"wait": "25", "epoch": epoch, "since": "1"})
    )
    while not hub.current().sockets_in("lobby"):
        await asyncio.sleep(0.001)
    await apost_message("lobby", "two")
    told = (await polling).json()["frames"]

    assert [frame["type"] for frame in told] == ["welcome", "rights", "joined", "events"]
    assert [bodies(frame) for frame in told[2:]] == [[], ["two"]]
    assert hub.current().sockets == set()


async def test_a_poll_without_news_ends_in_time():
    told = (await AsyncClient().get("/chat/lobby/events/", {"wait": "0", "since": "0"})).json()["frames"]

    assert [frame["type"] for frame in told] == ["welcome", "rights", "joined"]


@pytest.mark.parametrize("wait", ["x", "-1", "99999"])
async def test_a_time_that_is_none_is_told_so(wait):
    response = await AsyncClient().get("/chat/lobby/events/", {"wait": wait})

    assert (response.status_code, response.json()["error"]["code"]) == (400, "bad_value")


# WSGI ---------------------------------------------------------------------------------------------------------------


def test_wsgi_cannot_stream_and_says_how_to_ask():
    response = Client().get("/chat/lobby/events/")

    assert (response.status_code, response.json()["error"]["code"]) == (400, "no_streams")


def test_wsgi_polls_the_log(monkeypatch):
    monkeypatch.setattr(event_stream, "READ_SECONDS", 0.001)
    post_message("lobby", "one")
    first = Client().get("/chat/lobby/events/", {"wait": "25"}).json()["frames"]
    position = {"epoch": first[-1]["epoch"], "since": "1"}

    nothing = Client().get("/chat/lobby/events/", {"wait": "0", **position}).json()["frames"]
    looks = []
    real = event_stream._read_log

    def look(*about):
        if len(looks) == 2:
            post_message("lobby", "two")
        looks.append(about)
        return real(*about)

    monkeypatch.setattr(event_stream, "_read_log", look)
    news = Client().get("/chat/lobby/events/", {"wait": "25", **position}).json()["frames"]

    assert [frame["type"] for frame in first] == ["welcome", "rights", "joined"]
    assert (bodies(first[-1]), bodies(nothing[-1]), bodies(news[-1]), len(looks)) == (["one"], [], ["two"], 3)


async def test_a_look_ends_with_the_right_to_it(monkeypatch):
    with pytest.raises(NotFound):
        await event_stream.poll_log(ANA, "~none", "", None, 1, "")


def test_an_answer_is_in_the_language_of_the_request():
    with translation.override("ko"):
        response = Client().get("/chat/~none/events/", {"wait": "0"}, headers={"Accept-Language": "ko"})

    assert response.status_code == 404
    assert ASGIRequest  # imported, so that a rename in Django shows here
