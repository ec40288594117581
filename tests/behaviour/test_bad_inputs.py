"""The 62 bad inputs and abuses of the project's reliability research, and what each of them meets here.

Beside every one of them stands a control socket, which must notice nothing: it hears what was really said, in order, and no other frame.
Nothing may leave a traceback in the log. A socket that could go on is never closed.

Where this design answers otherwise than the research proposed, the entry says so.
"""

import asyncio
import gzip
import json
import logging
import re
import uuid
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser, User
from django.test import AsyncClient
from django.utils import timezone
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Frame as WebSocketFrame
from websockets.frames import Opcode

from django_roomchat.consumers import ChatConsumer
from django_roomchat.identity import Identity
from django_roomchat.messages.post import apost_message, post_message, post_messages
from django_roomchat.messages.types import NewPost
from django_roomchat.models import Message
from django_roomchat.moderation.sanctions import aban
from django_roomchat.policy import Decision, OpenPolicy
from django_roomchat.realtime import hub
from django_roomchat.testing import ChatClient
from tests.services.client import clients

APPLICATION = ChatConsumer.as_asgi()
MEGABYTE = 1_000_000


def frame(type, **fields):
    return json.dumps({"type": type, **fields})


def post(body, id="case", **fields):
    return frame("post", id=id, body=body, **fields)


@dataclass(frozen=True)
class Said:
    """What a client sends, and what it is answered: error codes, types of frames, or `ack` and the stored body."""

    number: int
    what: str
    sent: tuple[str | bytes, ...]
    answers: tuple[str, ...]
    stored: tuple[str, ...] = ()


def said(number, what, *sent, answers, stored=()):
    codes = (answers,) * len(sent) if isinstance(answers, str) else tuple(answers)
    return Said(number, what, sent, codes, tuple(stored))


def refused(number, what, body):
    return said(number, what, post(body), answers="bad_text")


def stored(number, what, body):
    return said(number, what, post(body), answers="ack", stored=[body])


def no_room(number, what, name):
    return said(number, what, frame("join", room=name), post("hi", room=name), answers="bad_room_name")


# One socket sends these, one after the other. ---------------------------------------------------------------------

SAID = [
    said(1, "a frame over the limit: not parsed, and the socket goes on", "x" * 65_537, answers="too_big"),
    said(1, "a frame over the limit in bytes, not in characters", "é" * 40_000, answers="too_big"),
    said(2, "binary frames, however many", b"\x00", b"{}", b"\xff" * 9, answers="unsupported"),
    said(3, "an empty text", "", answers="bad_json"),
    said(
        4, "not JSON", "hello", "{'type':'ping'}", '{"type":"ping",}', '{"type":"ping"} x', answers="bad_json"
    ),
    said(4, "cut off", "{", '{"type":"pi', '{"type":"ping"', answers="bad_json"),
    said(4, "a byte order mark", '\ufeff{"type":"ping"}', answers="bad_json"),
    said(5, "no object", "[]", "5", '"ping"', "null", "true", "[[]]", answers="bad_frame"),
    said(5, "an object without a type", "{}", '{"body":"hi"}', answers="bad_frame"),
    said(6, "10,000 levels of objects", '{"a":' * 10_000, answers="bad_json"),
    said(6, "30,000 levels in a field", '{"type":"ping","x":' + "[" * 30_000, answers="bad_json"),
    said(6, "100,000 levels", "[" * 100_000, answers="too_big"),
    said(7, "a megabyte of empty arrays", "[" + "[]," * 340_000 + "[]]", answers="too_big"),
    said(
        8,
        "NaN and the infinities",
        '{"type":"ping","x":NaN}',
        '{"type":"join","room":"x","since":Infinity}',
        '{"type":"join","room":"x","since":-Infinity}',
        answers="bad_json",
    ),
    said(8, "1e400", '{"type":"join","room":"x","since":1e400}', answers="bad_value"),
    said(9, "5,000 digits", '{"type":"join","room":"x","since":%s}' % ("9" * 5_000), answers="bad_value"),
    said(9, "2**53", frame("join", room="x", since=2**53), frame("delete", seq=2**53), answers="bad_value"),
    said(10, "2**63 and more", frame("edit", seq=2**63, body="x"), answers="bad_value"),
    said(10, "2**64 in a reply", post("hi", reply_to=2**64), answers="bad_value"),
    # Otherwise than proposed: refused is nothing, the last value counts. There is one parser, so nobody reads it differently.
    said(
        11,
        "a key twice",
        '{"type":"post","id":"case","body":"first","body":"last"}',
        answers="ack",
        stored=["last"],
    ),
    said(
        12,
        "keys that mean something elsewhere, and unknown ones",
        '{"type":"post","id":"case","body":"hi","__proto__":{"is_staff":true},"constructor":1,"toString":null}',
        answers="ack",
        stored=["hi"],
    ),
    said(
        13,
        "wrong types",
        frame("post", id="a", body={}),
        frame("post", id=["a"], body="hi"),
        frame("post", id="a", body=None),
        frame("post", id="a", body=True),
        frame("post", id="a", body="hi", reply_to=True),
        frame("post", id="a", body="hi", reply_to=1.5),
        frame("join", room=5),
        frame("join", room="x", since="1"),
        frame("seen", heads=[]),
        frame("seen", heads={"lobby": -1}),
        answers="bad_value",
    ),
    said(
        13, "a type that is no text", '{"type":5}', '{"type":null}', '{"type":["ping"]}', answers="bad_frame"
    ),
    said(14, "no id, or a negative one", frame("post", body="hi"), post("hi", id=-1), answers="bad_value"),
    said(14, "an empty id", post("hi", id=""), answers="bad_value"),
    said(
        15, "unknown types", frame("nope"), frame(""), frame("PING"), frame("welcome"), answers="unknown_type"
    ),
    said(
        16,
        "names of our own machinery",
        frame("websocket.disconnect", code=1000),
        frame("websocket.close"),
        frame("roomchat.news", v=1, room="lobby", epoch="", prev=0, head=9, events=[]),
        frame("chat_message", message="hi"),
        answers="unknown_type",
    ),
    # Otherwise than proposed: the handshake says who it is, so there is nothing to wait for, and hello asks for welcome again.
    said(17, "hello again and again", frame("hello"), frame("hello"), answers="welcome"),
    said(22, "500 pings at once", *[frame("ping")] * 500, answers="ping"),
    refused(23, "a NUL", "a\u0000b"),
    said(
        24,
        "half a surrogate pair",
        post("\ud83d"),
        post("\udc00 x"),
        frame("join", room="\ud800"),
        answers="bad_text",
    ),
    said(24, "half a pair in a field that nobody reads", '{"type":"ping","x":"\\ud800"}', answers="bad_text"),
    refused(25, "an ANSI escape", "\x1b[31mred"),
    refused(25, "a C1 control", "a\x9bb"),
    refused(25, "a bell", "\x07"),
    stored(25, "a newline and a tab are welcome", "a\n\tb"),
    refused(26, "only blanks", " \n\t "),
    refused(26, "only invisible characters", "\u200b\u200d\ufeff\u00ad"),
    refused(26, "nothing", ""),
    stored(27, "characters that turn the direction of writing, in a text", "abc\u202edef\u2066x"),
    no_room(27, "the same in a room's name", "abc\u202edef"),
    refused(28, "a tower of marks", "a" + "\u0301" * 9),
    no_room(28, "a tower of marks in a name", "a" + "\u0337" * 30),
    said(
        28,
        "4,001 marks: refused by length, before anything is composed",
        post("\u0301" * 4_001),
        answers="bad_text",
    ),
    # Otherwise than proposed: no limit of its own. It is short, costs nothing, and is one line on the page.
    stored(29, "a family of 1,300", "\u200d".join("👩" for _ in range(1_300))),
    refused(30, "4,001 characters", "x" * 4_001),
    stored(30, "4,000 characters of four bytes", "🎉" * 4_000),
    stored(31, "4,000 of the widest character", "\ufdfd" * 4_000),
    said(
        32,
        "a name of one's own choice",
        post("hi", name="\u0430dmin", author={"key": "u:1", "name": "admin"}),
        answers="ack",
        stored=["hi"],
    ),
    no_room(34, "a private character in a name", "a\ue000"),
    no_room(34, "a noncharacter in a name", "a\ufffe"),
    stored(34, "both in a text", "a\ue000 \ufffe"),
    stored(35, "markup", "<script>alert(1)</script><img src=x onerror=alert(1)> {{ 7*7 }} ${7*7}"),
    stored(35, "links that run", "javascript:alert(1) data:text/html,<b> vbscript:x"),
    stored(36, "what would be Markdown", "*" * 2_000 + "[" * 1_000 + "> " * 400 + "x"),
    said(
        41,
        "one id, two texts",
        post("one", id="i41"),
        post("two", id="i41"),
        answers=("ack", "id_reused"),
        stored=["one"],
    ),
    said(40, "one id, one text", post("one", id="i40"), post("one", id="i40"), answers="ack", stored=["one"]),
    said(43, "an id that is no UUID", post("hi", id="order-17-paid"), answers="ack", stored=["hi"]),
    said(
        43,
        "an id of 10 KB, or of other characters",
        post("hi", id="x" * 10_240),
        post("hi", id="é"),
        answers="bad_value",
    ),
    said(
        44,
        "fields that the server sets",
        post(
            "hi", sender="u:1", at="1970-01-01", seq=1, rev=99, kind="system", edited_at="x", deleted_at="x"
        ),
        answers="ack",
        stored=["hi"],
    ),
    said(45, "since -1", frame("join", room="lobby", since=-1), answers="bad_value"),
    said(
        45,
        "since beyond the head, of another log, or of none",
        frame("join", room="lobby", since=2**53 - 1),
        frame("join", room="lobby", epoch="not a uuid", since=1),
        frame("join", room="lobby", epoch="\u0000", since=0),
        answers=("rights", "joined") * 3,
    ),
    said(47, "a reply to nothing", post("hi", reply_to=999_999), post("hi", reply_to=0), answers="not_found"),
    said(
        48,
        "messages that are not there",
        frame("edit", seq=9**9, body="x"),
        frame("delete", seq=9**9),
        answers="not_found",
    ),
    said(
        48,
        "the same in a room that is not there",
        frame("delete", seq=1, room=f"no {9**9}"),
        answers="not_found",
    ),
    # `seen` stands for the read marks to come: it is not answered, and believed only to one's own cost.
    said(
        54,
        "a position beyond the head, one backwards, one of a room where one is not",
        frame("seen", heads={"lobby": 2**53 - 1}),
        frame("seen", heads={"lobby": 0}),
        frame("seen", heads={"nowhere": 5}),
        answers=(),
    ),
    said(
        56,
        "in and out 50 times",
        *[frame("join", room="flap"), frame("leave", room="flap")] * 50,
        answers=("rights", "joined", "left") * 50,
    ),
    said(56, "leaving where one is not", frame("leave", room="nowhere"), answers="not_found"),
]

# Not built yet. ---------------------------------------------------------------------------------------------------

LATER = {
    38: (6, "no link is looked up: 500 addresses are plain text"),
    58: (6, "there are no uploads"),
    59: (6, "there are no uploads, and no images"),
    61: (6, "there are no uploads; a request body is bounded by Django's DATA_UPLOAD_MAX_MEMORY_SIZE"),
    62: (6, "no link is looked up"),
}
"""By number: the issue that brings the feature, and why there is nothing to test before."""

ELSEWHERE = {18, 19, 20, 21, 33, 39, 42, 46, 49, 50, 52, 53, 57, 60}
"""Those with tests of their own, below; each names its number."""

WITH_THEIR_FEATURE = {
    37: "unit/messages/test_mentions.py::test_only_the_first_forty_calls_are_looked_at",
    51: "unit/identity/test_sessions.py",
    55: "unit/policy/test_rate_limits.py::test_sockets_are_limited_and_told_on_the_open_socket",
}
"""Those that are tested where their feature is."""


def test_all_62_are_here():
    here = {case.number for case in SAID} | ELSEWHERE
    assert sorted(here | set(LATER) | set(WITH_THEIR_FEATURE)) == list(range(1, 63))
    assert not ({case.number for case in SAID} | ELSEWHERE) & set(LATER)


def test_those_with_tests_of_their_own_have_them():
    named = {int(number) for name in globals() for number in re.findall(r"^test_number_(\d+)", name)}

    assert named == ELSEWHERE


@pytest.mark.parametrize("place", WITH_THEIR_FEATURE.values())
def test_those_with_their_feature_are_there(place):
    file, _, name = place.partition("::")

    assert f"def {name}" in (Path(__file__).parent.parent / file).read_text()


# In one process ---------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _no_traceback(caplog):
    yield
    bad = [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR]
    assert [record.getMessage() for record in bad] == []


@pytest.fixture
async def bad(transactional_db):
    """Who sends the bad inputs."""
    async with ChatClient(APPLICATION, "lobby") as client:
        yield await greeted(client)


@pytest.fixture
async def control(transactional_db):
    """Who must notice nothing."""
    async with ChatClient(APPLICATION, "lobby") as client:
        yield await greeted(client)


async def greeted(client):
    await client.receive("joined")
    return client


async def talk(receive, send, case):
    """Send everything of *case*; what is answered before the pong of a last ping, without what happens in the room."""
    for sent in case.sent:
        await send(sent)
    got = []
    while len(got) < len(case.answers):
        answer = await receive()
        if answer["type"] != "events":
            got.append(answer)
    await send(frame("ping"))
    while True:
        answer = await receive()
        if answer["type"] == "ping":
            break
        if answer["type"] != "events":
            got.append(answer)
    return [answer["code"] if answer["type"] == "error" else answer["type"] for answer in got]


async def bodies_until(receive, last):
    """The bodies that the control socket hears; any frame but `events` is one too many."""
    heard = []
    while last not in heard:
        answer = await receive()
        assert answer["type"] == "events"
        heard += [event["body"] for event in answer["events"]]
    return heard


async def goes_on(control):
    await apost_message("lobby", "on")
    return await bodies_until(control.receive, "on") == ["on"]


def sender(client):
    async def send(content):
        await (client.send_bytes(content) if isinstance(content, bytes) else client.send_text(content))

    return send


@pytest.mark.parametrize("case", SAID, ids=lambda case: f"{case.number}: {case.what}")
async def test_a_bad_input_is_answered_and_nobody_else_notices(bad, control, case):
    answers = await talk(bad.receive, sender(bad), case)
    await bad.post("still here", id="last")

    assert answers == list(case.answers)
    assert await bodies_until(control.receive, "still here") == [*case.stored, "still here"]


async def test_number_18_who_says_nothing_stays(bad, control):
    """Otherwise than proposed: the handshake said who it is, so nothing has to follow it."""
    assert await goes_on(bad)


async def test_number_33_a_name_of_wide_letters_is_a_name_of_its_own(bad, control):
    """Otherwise than proposed for names of people: they cannot be chosen here, and a room hurts nobody with its name."""
    await bad.send({"type": "join", "room": "ｌｏｂｂｙ"})
    joined = await bad.receive("joined")
    await bad.post("over there", id="1", room="ｌｏｂｂｙ")
    await bad.post("here", id="2")

    assert (joined["room"], joined["head"]) == ("ｌｏｂｂｙ", 0)
    assert await bodies_until(control.receive, "here") == ["here"]


async def test_number_39_a_row_that_could_not_have_been_said_does_not_stop_the_page(bad, control):
    """Somebody wrote into the table."""
    await bad.post("before", id="1")
    odd = {"kind": "weird", "author_name": "", "author_key": "?", "body": "\x1b[31m\u202e</template>"}
    await sync_to_async(Message.objects.update)(**odd)
    await bad.post("after", id="2")

    async with ChatClient(APPLICATION, "lobby", user=AnonymousUser()) as late:
        joined = await late.receive("joined")
    page = await AsyncClient().get("/chat/lobby/")
    history = await AsyncClient().get("/chat/lobby/messages/")

    assert [event["body"] for event in joined["events"]] == [odd["body"], "after"]
    assert (page.status_code, history.status_code) == (200, 200)
    assert await bodies_until(control.receive, "after") == ["before", "after"]


async def test_number_42_somebody_elses_id_is_nobodys_business(bad, control):
    mine = await control.post("mine", id="shared")
    yours = await bad.post("yours", id="shared")

    assert (mine["seq"], yours["seq"], yours["duplicate"]) == (1, 2, False)
    assert await bodies_until(control.receive, "yours") == ["yours"]


async def test_number_46_from_the_very_beginning_of_a_long_room_is_one_page(bad, control, settings):
    settings.ROOMCHAT = {"RESUME_MAX_EVENTS": 20, "RING_EVENTS": 10, "PAGE_MESSAGES": 5}
    posts = [NewPost(Identity("u:1", "Ana"), "long", f"{n}", f"{n}") for n in range(50)]
    await sync_to_async(post_messages)(posts)
    await bad.send({"type": "join", "room": "long", "since": 0})

    joined = await bad.receive("joined")
    assert (joined["reset"], joined["more"], len(joined["events"])) == ("gap", True, 5)
    await bad.post("here", id="1")
    assert await bodies_until(control.receive, "here") == ["here"]


async def test_number_49_a_right_that_ends_during_the_replay_ends_it(control):
    async with ChatClient(APPLICATION, "lobby") as client:
        key = (await client.receive("welcome"))["you"]["key"]
        await aban("lobby", key)
        frames = []
        with pytest.raises(ConnectionResetError) as closed:
            while True:
                frames.append(await client.receive())

    assert frames[-1]["type"] == "bye" and closed.value.args[-1] == 4003
    assert [answer["code"] for answer in frames if answer["type"] == "error"] == ["banned"]
    assert await goes_on(control)


async def test_number_50_nothing_can_be_done_after_a_ban(control):
    async with ChatClient(APPLICATION) as client:
        key = (await client.receive("welcome"))["you"]["key"]
        for room in ("lobby", "elsewhere"):
            await client.send({"type": "join", "room": room})
            await client.receive("joined")
        await client.post("before", id="1", room="lobby")
        head = await aban("lobby", key)
        await client.receive("left")
        refusals = [await client.post("after", id="2", room="lobby")]
        for deed in ({"type": "edit", "body": "changed"}, {"type": "delete"}, {"type": "join"}):
            await client.send({"room": "lobby", "seq": 1, "id": "3", **deed})
            refusals.append(await client.receive())
        elsewhere = await client.post("after", id="4", room="elsewhere")

    assert head == 1
    assert [answer["code"] for answer in refusals] == ["banned"] * 4
    assert elsewhere["type"] == "ack"
    await apost_message("lobby", "on")
    assert await bodies_until(control.receive, "on") == ["before", "on"]


class Members(OpenPolicy):
    """Nobody but the staff may enter any room."""

    def can_enter(self, who, room):
        return Decision(bool(getattr(who.user, "is_staff", False)))


async def test_a_room_that_one_may_not_enter_looks_like_one_that_does_not_exist(settings, transactional_db):
    """Number 48, under a policy that keeps rooms private."""
    await sync_to_async(post_message)("there", "hi")
    settings.ROOMCHAT = {"POLICY": Members}
    answers = []
    async with ChatClient(APPLICATION) as client:
        await client.receive("welcome")
        for room in ("there", "not there"):
            for deed in (
                {"type": "join", "room": room},
                {"type": "post", "room": room, "id": "1", "body": "hi"},
                {"type": "edit", "room": room, "id": "1", "seq": 1, "body": "hi"},
                {"type": "post", "room": room, "id": "1", "body": "hi", "reply_to": 1},
            ):
                await client.send(deed)
                answers.append({**await client.receive(), "room": None})

    assert answers[:4] == answers[4:]
    assert {answer["code"] for answer in answers} == {"forbidden"}


@pytest.mark.parametrize(
    "origin",
    [
        b"http://evil.example",
        b"null",
        b"http://testserver:8000",
        b"https://testserver",
        b"http://",
        b"http://[",
        b"\xff",
    ],
)
async def test_number_52_a_page_of_another_site_opens_no_socket(control, origin):
    headers = [(b"host", b"testserver"), (b"origin", origin)]
    client = ChatClient(APPLICATION, "lobby", headers=headers)

    assert not await client.connect()
    await client.disconnect()
    assert await goes_on(control)


async def test_number_53_another_persons_message_stays_as_it_is(bad, control):
    await control.post("mine", id="1")
    await bad.receive("events")
    await bad.send({"type": "edit", "seq": 1, "body": "yours", "id": "2"})
    await bad.send({"type": "delete", "seq": 1, "id": "3"})
    answers = [await bad.receive() for _ in range(2)]

    assert [(answer["code"], answer["id"]) for answer in answers] == [("forbidden", "2"), ("forbidden", "3")]
    await bad.post("on", id="4")
    assert await bodies_until(control.receive, "on") == ["on"]


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"content_type": "application/json"}, 403),
        ({"content_type": "text/plain", "csrf": True}, 415),
        ({"content_type": "application/x-www-form-urlencoded", "csrf": True}, 415),
        ({"content_type": "application/json", "csrf": True, "method": "PUT"}, 405),
        ({"content_type": "application/json", "csrf": True, "method": "DELETE"}, 405),
    ],
)
async def test_number_57_a_request_that_another_site_could_make_changes_nothing(control, how, status, caplog):
    caplog.set_level(logging.CRITICAL, "django.request")
    caplog.set_level(logging.CRITICAL, "django.security.csrf")
    client = AsyncClient(enforce_csrf_checks=True)
    headers = {}
    if how.get("csrf"):
        await client.get("/chat/lobby/")
        token = client.cookies["csrftoken"].value if "csrftoken" in client.cookies else await _token(client)
        headers = {"X-CSRFToken": token, "X-HTTP-Method-Override": "DELETE"}
    response = await client.generic(
        how.get("method", "POST"),
        "/chat/lobby/messages/",
        json.dumps({"id": "1", "body": "hi"}),
        content_type=how["content_type"],
        headers=headers,
    )

    assert response.status_code == status
    assert await Message.objects.acount() == 0


async def _token(client):
    page = await client.get("/chat/lobby/")
    return re.search(r'csrfmiddlewaretoken" value="(\w+)"', page.content.decode())[1]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (gzip.compress(json.dumps({"id": "1", "body": "hi"}).encode(), mtime=0), "bad_text"),
        (gzip.compress(b" " * MEGABYTE, mtime=0), "bad_text"),
        (b" ", "bad_json"),
        (b"\xff\xfe", "bad_text"),
        (b" " * 70_000, "too_big"),
    ],
)
async def test_number_60_a_request_body_is_never_unpacked(control, content, code):
    response = await AsyncClient().generic(
        "POST",
        "/chat/lobby/messages/",
        content,
        content_type="application/json",
        headers={"Content-Encoding": "gzip"},
    )

    assert response.status_code in (400, 413)
    assert response.json()["error"]["code"] == code
    assert await Message.objects.acount() == 0


async def test_markup_is_shown_as_it_was_typed(transactional_db):
    """Number 35, on the page."""
    await sync_to_async(post_message)(
        "lobby", '<script>alert(1)</script>" onload="x {{ 7*7 }}', name="<blink>"
    )

    page = (await AsyncClient().get("/chat/lobby/")).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page and "{{ 7*7 }}" in page
    assert "&lt;blink&gt;" in page
    assert "<script>alert" not in page and "<blink>" not in page


async def test_a_post_is_stored_once_a_year_later_too(control):
    """Number 40, long after, over HTTP and on another socket."""
    ana = await sync_to_async(User.objects.create_user)("ana")
    async with ChatClient(APPLICATION, "lobby", user=ana) as client:
        first = await client.post("once", id="forever")
    await sync_to_async(Message.objects.update)(created_at=timezone.now().replace(year=2001))
    async with ChatClient(APPLICATION, "lobby", user=ana) as client:
        again = await client.post("once", id="forever")

    assert (again["seq"], again["duplicate"]) == (first["seq"], True)
    assert await bodies_until(control.receive, "once") == ["once"]


async def test_a_socket_address_with_nonsense_in_it_is_entered_from_the_start(control):
    """Number 45, in the address."""
    for query in (
        "since=-1",
        "since=" + "9" * 5_000,
        "since=1e9",
        "since=%00",
        "since=5&epoch=%ff",
        "epoch",
        "=&&=",
    ):
        client = ChatClient(APPLICATION, "lobby")
        client.scope["query_string"] = query.encode()
        async with client:
            joined = await client.receive("joined")
            assert joined["reset"] in ("new", "epoch", "ahead")


async def test_flapping_leaves_the_room_as_it_was(bad, control):
    """Number 56: the hub keeps a room for a while after its last socket left."""
    here = hub.current()
    before = here._rooms["lobby"]
    for _ in range(20):
        await bad.send({"type": "leave"})
        await bad.receive("left")
        await bad.send({"type": "join", "room": "lobby"})
        await bad.receive("joined")

    assert here._rooms["lobby"] is before
    assert len(before.subscriptions) == 2


# Over real servers ------------------------------------------------------------------------------------------------

SERVERS = ["uvicorn", "daphne"]


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_real_server_answers_them_all_on_one_socket(server, kind):
    site = server(kind=kind, roomchat={"PRESENCE": False})
    expected = []
    async with clients((site.ws_url, "lobby"), (site.ws_url, "lobby")) as (bad, control):

        async def receive():
            return json.loads(await asyncio.wait_for(bad.socket.recv(), 30))

        async def send(content):
            await bad.socket.send(content)

        for number, case in enumerate(case for case in SAID if _can_travel(case)):
            answers = await talk(receive, send, _renamed(case, number))
            assert answers == list(case.answers), case
            expected += case.stored
        await bad.socket.send(post("still here", id="last"))

        async def heard():
            return json.loads(await asyncio.wait_for(control.socket.recv(), 30))

        assert await bodies_until(_without_pings(heard), "still here") == [*expected, "still here"]
    assert "Traceback" not in site.log


def _can_travel(case):
    """A real connection carries text as UTF-8, in which half a pair cannot be written; written as an escape it can."""
    return all(isinstance(sent, bytes) or sent.isascii() or "\ud800" not in sent for sent in case.sent)


def _renamed(case, number):
    """On one socket every case needs ids of its own."""
    sent = tuple(
        re.sub(r'"id": ?"case"', f'"id":"case-{number}"', text) if isinstance(text, str) else text
        for text in case.sent
    )
    return Said(case.number, case.what, sent, case.answers, case.stored)


def _without_pings(receive):
    async def next_frame():
        while (answer := await receive())["type"] == "ping":
            pass
        return answer

    return next_frame


@pytest.mark.parametrize("kind", SERVERS)
async def test_number_19_what_is_no_utf_8_is_refused_by_the_server(server, kind):
    site = server(kind=kind)
    async with clients((site.ws_url, "lobby"), (site.ws_url, "lobby")) as (bad, control):
        bad.socket.transport.write(
            WebSocketFrame(Opcode.TEXT, b'{"type":"ping","x":"\xff\xfe"}').serialize(mask=True, extensions=[])
        )
        with pytest.raises(ConnectionClosedError) as closed:
            while True:
                await asyncio.wait_for(bad.socket.recv(), 30)
        await control.post("on")

        # daphne ends the connection without a word.
        assert closed.value.rcvd is None or closed.value.rcvd.code == 1007
        assert control.bodies == ["on"]
    # uvicorn logs a traceback of its own; none of ours may be in it.
    assert "django_roomchat" not in site.log


@pytest.mark.parametrize("kind", SERVERS)
async def test_number_20_a_frame_in_pieces_of_one_byte_is_one_frame(server, kind):
    site = server(kind=kind)
    async with clients((site.ws_url, "lobby"), (site.ws_url, "lobby")) as (bad, control):
        await bad.socket.send(iter(post("in pieces")))
        await control.until("in pieces")
        # And one that never ends holds up nobody.
        endless = bad.socket.transport
        endless.write(WebSocketFrame(Opcode.TEXT, b"{", fin=False).serialize(mask=True, extensions=[]))
        for _ in range(500):
            endless.write(WebSocketFrame(Opcode.CONT, b" ", fin=False).serialize(mask=True, extensions=[]))
        await control.post("on")

        assert control.bodies == ["in pieces", "on"]
    assert "Traceback" not in site.log


@pytest.mark.parametrize("kind", SERVERS)
async def test_number_21_a_bomb_is_too_big_after_unpacking(server, kind):
    site = server(kind=kind)
    async with (
        clients((site.ws_url, "lobby")) as (control,),
        connect(
            f"{site.ws_url}/ws/chat/{quote('lobby')}/", subprotocols=["roomchat.v1"], compression="deflate"
        ) as bad,
    ):
        await bad.send(" " * MEGABYTE)
        while (answer := json.loads(await asyncio.wait_for(bad.recv(), 30)))["type"] != "error":
            pass
        assert answer["code"] == "too_big"
        await bad.send(post("still here", id=uuid.uuid4().hex))
        await control.until("still here")
    assert "Traceback" not in site.log


async def test_a_client_that_the_server_closed_is_put_away_at_once(transactional_db):
    async with ChatClient(APPLICATION, "..", timeout=60) as client:
        with pytest.raises(ConnectionResetError):
            await client.receive("joined")
        await asyncio.wait_for(client.disconnect(), 10)

        assert hub.current().sockets == set()
