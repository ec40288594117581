import json

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from django_roomchat import protocol
from django_roomchat.errors import (
    BadFrame,
    BadJSON,
    BadText,
    BadValue,
    ChatError,
    TooBig,
    UnknownType,
    Unsupported,
)
from django_roomchat.protocol import (
    Ack,
    Author,
    Bye,
    Error,
    Event,
    Heads,
    Hello,
    Join,
    Leave,
    Left,
    Ping,
    Post,
    Seen,
    TutorialError,
    TutorialMessage,
    TutorialPost,
    decode,
    decode_body,
    decode_event,
    decode_tutorial,
    encode,
    encode_event,
)

EVENT = Event(
    seq=57,
    rev=57,
    id="a",
    kind="user",
    author=Author("u:12", "Ana"),
    body="hi",
    at="2026-11-21T10:00:00.123Z",
)
SURROGATE = "The frame contains an unpaired surrogate, which is not a character."


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ('{"type":"hello"}', Hello()),
        ('{"type":"join","room":"x"}', Join(room="x")),
        ('{"type":"join","room":"x","epoch":"e","since":41}', Join(room="x", epoch="e", since=41)),
        ('{"type":"join","room":"x","since":null}', Join(room="x")),
        ('{"type":"leave"}', Leave()),
        ('{"type":"leave","room":"x"}', Leave(room="x")),
        ('{"type":"post","id":"1","body":"hi"}', Post(id="1", body="hi")),
        (
            '{"type":"post","id":"1","body":"hi","room":"x","reply_to":9007199254740991}',
            Post(id="1", body="hi", room="x", reply_to=9007199254740991),
        ),
        ('{"type":"seen","heads":{"x":57}}', Seen({"x": 57})),
        ('{"type":"ping"}', Ping()),
        ('{"type":"ping","a key of tomorrow":[1]}', Ping()),
        ('{"type":"post","id":"1","body":"\\ud83c\\udf89"}', Post(id="1", body="🎉")),
        (' {"type" : "ping"}\n', Ping()),
    ],
)
def test_a_frame_of_the_client_is_read(text, frame):
    assert decode(text, 1000) == frame


BAD_FRAMES = [
    (None, Unsupported, "Binary frames are not supported; send JSON as text."),
    ("", BadJSON, "The frame is not JSON: Input data was truncated."),
    ("{", BadJSON, "The frame is not JSON: Input data was truncated."),
    ("hello", BadJSON, "The frame is not JSON: JSON is malformed: invalid character (byte 0)."),
    ("\ufeff{}", BadJSON, "The frame is not JSON: JSON is malformed: invalid character (byte 0)."),
    ("NaN", BadJSON, "The frame is not JSON: JSON is malformed: invalid character (byte 0)."),
    (
        '{"type":"ping"} x',
        BadJSON,
        "The frame is not JSON: JSON is malformed: trailing characters (byte 17).",
    ),
    ("[", BadFrame, "A frame must be an object: expected `object`, got `array`."),
    ("{}", BadFrame, 'A frame needs a "type", which is a string.'),
    ('{"message":5}', BadFrame, 'A frame needs a "type", which is a string.'),
    ('{"type":5}', BadFrame, 'A frame needs a "type", which is a string.'),
    ('{"type":null}', BadFrame, 'A frame needs a "type", which is a string.'),
    ("[]", BadFrame, "A frame must be an object: expected `object`, got `array`."),
    ("null", BadFrame, "A frame must be an object: expected `object`, got `null`."),
    ('"hi"', BadFrame, "A frame must be an object: expected `object`, got `str`."),
    ("5", BadFrame, "A frame must be an object: expected `object`, got `int`."),
    ('{"type":"nonsense"}', UnknownType, "Unknown frame type 'nonsense'."),
    ('{"type":"websocket.disconnect"}', UnknownType, "Unknown frame type 'websocket.disconnect'."),
    ('{"type":"roomchat.batch"}', UnknownType, "Unknown frame type 'roomchat.batch'."),
    ('{"type":"post"}', BadValue, "Object missing required field `id`."),
    ('{"type":"post","id":5,"body":"hi"}', BadValue, "id: expected `str`, got `int`."),
    ('{"type":"post","id":"1","body":["hi"]}', BadValue, "body: expected `str`, got `array`."),
    (
        '{"type":"post","id":"1","body":"hi","reply_to":true}',
        BadValue,
        "reply_to: expected `int | null`, got `bool`.",
    ),
    ('{"type":"join","room":"x","since":-1}', BadValue, "since: expected `int` >= 0."),
    (
        '{"type":"join","room":"x","since":9007199254740992}',
        BadValue,
        "since: expected `int` <= 9007199254740991.",
    ),
    (
        '{"type":"join","room":"x","since":1' + "0" * 40 + "}",
        BadValue,
        "since: expected `int` <= 9007199254740991.",
    ),
    ('{"type":"join","room":"x","since":1e400}', BadValue, "since: number out of range."),
    ('{"type":"join","room":"x","since":1.5}', BadValue, "since: expected `int | null`, got `float`."),
    ('{"type":"seen","heads":{"x":"1"}}', BadValue, "heads[...]: expected `int`, got `str`."),
    (
        '{"type":"post","id":"1","body":NaN}',
        BadJSON,
        "The frame is not JSON: JSON is malformed: invalid character (byte 31).",
    ),
    ('{"type":"post","id":"1","body":"\\ud800"}', BadText, SURROGATE),
    ('{"type":"post","id":"1","body":"\\udc00"}', BadText, SURROGATE),
    ('{"type":"post","id":"1","body":"\ud800"}', BadText, SURROGATE),
    (
        '{"type":"post","id":"1","body":' + "[" * 10_000 + "]" * 10_000 + "}",
        BadValue,
        "body: expected `str`, got `array`.",
    ),
    ("[" * 10_000 + "]" * 10_000, BadFrame, "A frame must be an object: expected `object`, got `array`."),
    ('{"type":"ping","x":' + "[" * 10_000 + "]" * 10_000 + "}", BadJSON, "The frame is nested too deeply."),
    ('"' + "x" * 1_000_000 + '"', TooBig, "A frame can have at most 65536 bytes."),
    ("é" * 32_769, TooBig, "A frame can have at most 65536 bytes."),
]


@pytest.mark.parametrize(
    ("text", "kind", "detail"), BAD_FRAMES, ids=[repr(case[0])[:40] for case in BAD_FRAMES]
)
def test_a_bad_frame_hears_what_was_wrong(text, kind, detail):
    with pytest.raises(ChatError) as caught:
        decode(text, 65_536)

    assert (type(caught.value), caught.value.detail) == (kind, detail)


@pytest.mark.parametrize("text", ['{"type":"ping"}', '{"type":"ping","x":"é"}'])
def test_a_frame_may_be_exactly_as_long_as_allowed(text):
    bytes_ = len(text.encode())

    with pytest.raises(TooBig):
        decode(text, bytes_ - 1)
    assert decode(text, bytes_) == Ping()


@given(
    st.one_of(
        st.text(st.characters(), max_size=60),
        st.text('{}[]":,\\ud8c019tfn ', max_size=40),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["type", "room", "id", "body", "since", "message", "heads"]), inner
                )
            ),
        ).map(json.dumps),
        st.fixed_dictionaries(
            {"type": st.sampled_from(["hello", "join", "leave", "post", "seen", "ping", "x"])},
            optional={
                key: st.one_of(
                    st.none(),
                    st.integers(),
                    st.text(max_size=5),
                    st.floats(),
                    st.dictionaries(st.text(max_size=3), st.integers()),
                )
                for key in ("room", "id", "body", "since", "reply_to", "epoch", "heads")
            },
        ).map(json.dumps),
    )
)
@example('{"type":"post","body":"\\ud800')
@example("\x00")
def test_whatever_a_client_sends_is_a_frame_or_an_error_of_ours(text):
    for read in (decode, decode_tutorial):
        try:
            read(text, 65_536)
        except ChatError as error:
            assert error.detail.encode().endswith(b".")


@given(st.text(max_size=60))
@example("\udcff")
@example('{"message":"\udcc3"}')
def test_whatever_a_request_brings_is_a_body_or_an_error_of_ours(content):
    try:
        decode_body(content, TutorialPost, 1000)
    except ChatError as error:
        assert error.detail.encode().endswith(b".")


def test_a_body_that_is_no_utf_8_is_a_bad_text():
    with pytest.raises(BadText) as caught:
        decode_body(b'{"message":"\xff"}'.decode(errors="surrogateescape"), TutorialPost, 1000)

    assert caught.value.detail == SURROGATE


def test_the_tutorials_frame_is_read():
    assert decode_tutorial('{"message":"hi"}', 100) == TutorialPost("hi")


def test_the_tutorials_frame_may_have_an_id():
    assert decode_tutorial('{"message":"hi","id":"1"}', 100) == TutorialPost("hi", "1")


@pytest.mark.parametrize(
    ("text", "kind", "detail"),
    [
        ("{}", BadValue, "Object missing required field `message`."),
        ('{"message":5}', BadValue, "message: expected `str`, got `int`."),
        ('{"message":{"type":"x"}}', BadValue, "message: expected `str`, got `object`."),
        ("[]", BadFrame, "A frame must be an object: expected `object`, got `array`."),
        (None, Unsupported, "Binary frames are not supported; send JSON as text."),
    ],
)
def test_a_bad_frame_of_the_tutorials_page_hears_what_was_wrong(text, kind, detail):
    with pytest.raises(ChatError) as caught:
        decode_tutorial(text, 100)

    assert (type(caught.value), caught.value.detail) == (kind, detail)


@pytest.mark.parametrize(
    ("frame", "sent"),
    [
        (Ack("1", "x", 58, False), {"type": "ack", "id": "1", "room": "x", "seq": 58, "duplicate": False}),
        (Left("x"), {"type": "left", "room": "x"}),
        (Heads({"x": 59}), {"type": "ping", "heads": {"x": 59}}),
        (Bye(4000, "closed"), {"type": "bye", "code": 4000, "reason": "closed"}),
        (
            Bye(4012, "the server restarts", 1.7),
            {"type": "bye", "code": 4012, "reason": "the server restarts", "retry_after": 1.7},
        ),
        (Error("bad_json", "No."), {"type": "error", "code": "bad_json", "detail": "No."}),
        (
            Error("busy", "No.", "post", "1", "x", 2.0),
            {"type": "error", "code": "busy", "detail": "No.", "frame": "post", "id": "1", "room": "x", "retry_after": 2.0},
        ),
        (
            protocol.Events("x", "e", 0, 57, [msgspec.Raw(encode_event(EVENT))]),
            {"type": "events", "room": "x", "epoch": "e", "prev": 0, "head": 57, "events": [json.loads(encode_event(EVENT))]},
        ),
        (
            protocol.Joined("x", "X", "e", 0, 0, 0, []),
            {"type": "joined", "room": "x", "title": "X", "epoch": "e", "floor": 0, "prev": 0, "head": 0, "events": []},
        ),
        (
            protocol.Joined("x", "X", "e", 0, 0, 0, [], "gap", True),
            {
                "type": "joined", "room": "x", "title": "X", "epoch": "e", "floor": 0, "prev": 0, "head": 0, "events": [],
                "reset": "gap", "more": True,
            },
        ),
        (
            protocol.Welcome("0.1.0", protocol.You("g:1", "Guest 1", True), protocol.Limits(65536, 4000), 25.0),
            {
                "type": "welcome",
                "version": "0.1.0",
                "you": {"key": "g:1", "name": "Guest 1", "guest": True},
                "limits": {"frame_bytes": 65536, "body_chars": 4000},
                "ping_seconds": 25.0,
            },
        ),
        (TutorialMessage("hi", "Ana", 3), {"message": "hi", "name": "Ana", "seq": 3}),
        (TutorialError("No.", "error", "busy"), {"message": "No.", "type": "error", "code": "busy"}),
        (
            TutorialError("No.", "error", "busy", 1.0),
            {"message": "No.", "type": "error", "code": "busy", "retry_after": 1.0},
        ),
    ],
)  # fmt: skip
def test_a_frame_of_the_server_is_sent_as_documented(frame, sent):
    assert json.loads(encode(frame)) == sent


def test_a_new_message_is_sent_without_what_it_does_not_have():
    assert json.loads(encode_event(EVENT)) == {
        "seq": 57,
        "rev": 57,
        "id": "a",
        "kind": "user",
        "author": {"key": "u:12", "name": "Ana"},
        "body": "hi",
        "at": "2026-11-21T10:00:00.123Z",
    }


@given(
    st.builds(
        Event,
        seq=st.integers(1, 2**53),
        rev=st.integers(1, 2**53),
        id=st.text("ab1-", min_size=1),
        kind=st.sampled_from(["user", "system", "bot"]),
        author=st.builds(Author, st.text(), st.text()),
        body=st.text(),
        at=st.just("2026-11-21T10:00:00.123Z"),
        reply_to=st.none() | st.integers(1, 2**53),
        edited_at=st.none() | st.just("2026-11-21T10:00:00.123Z"),
        deleted_at=st.none() | st.just("2026-11-21T10:00:00.123Z"),
    )
)
def test_an_event_comes_back_as_it_was_encoded(event):
    assert decode_event(encode_event(event)) == event


def test_what_is_no_event_is_refused():
    with pytest.raises(msgspec.MsgspecError):
        decode_event(b'{"seq":1}')


def test_every_close_code_has_its_reason():
    codes = {
        value for name, value in vars(protocol).items() if name.startswith("CLOSE_") and name != "CLOSE_CODES"
    }

    assert set(protocol.CLOSE_CODES) == codes
    assert codes == {4001, 4003, 4004, 4008, 4012, 4029, 4503}
