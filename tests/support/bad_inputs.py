"""Frames that a client must not send, and their answers."""

import json
from dataclasses import dataclass

from django_roomchat.consumers import ChatConsumer

APPLICATION = ChatConsumer.as_asgi()
MEGABYTE = 1_000_000


def frame(type, **fields):
    return json.dumps({"type": type, **fields})


def post(body, id="case", **fields):
    return frame("post", id=id, body=body, **fields)


@dataclass(frozen=True)
class Said:
    """Frames of a client, and their answers: error codes, types of frames, or `ack` and the stored body."""

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


def stored(number, what, body, kept=None):
    return said(number, what, post(body), answers="ack", stored=[body if kept is None else kept])


def no_room(number, what, name):
    return said(number, what, frame("join", room=name), post("hi", room=name), answers="bad_room_name")


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
    # The proposal rejected repeated keys. Here the last value counts; there is one parser, so no other reads it differently.
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
    # The proposal required `hello`. Here the handshake identifies the client, and `hello` requests `welcome` again.
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
    stored(25, "an ANSI escape is removed", "\x1b[31mred", "red"),
    stored(25, "a C1 control is removed", "a\x9bb", "ab"),
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
        answers=("rights", "joined") * 2,
    ),
    said(
        45,
        "a NUL in the epoch, and an epoch that is too long",
        frame("join", room="lobby", epoch="\u0000", since=0),
        frame("join", room="lobby", epoch="x" * 65, since=0),
        answers="bad_value",
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
    """The texts that the control socket receives. It must receive no frame other than `events`."""
    heard = []
    while last not in heard:
        answer = await receive()
        assert answer["type"] == "events"
        heard += [event["body"] for event in answer["events"]]
    return heard
