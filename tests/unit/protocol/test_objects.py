"""Events and what they contain."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_roomchat.protocol import (
    Author,
    Event,
    decode_event,
    encode_event,
)
from tests.support.frames import EVENT


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
