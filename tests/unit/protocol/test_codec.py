"""Texts and bodies of requests become frames, or errors that name what is invalid."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

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
    Ping,
    TutorialPost,
    decode,
    decode_body,
    decode_tutorial,
)

SURROGATE = "The frame contains an unpaired surrogate, which is not a character."
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
def test_a_bad_frame_is_answered_with_what_was_wrong(text, kind, detail):
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
