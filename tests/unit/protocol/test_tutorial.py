"""The message format of the Channels tutorial."""

import pytest

from django_roomchat.errors import (
    BadFrame,
    BadValue,
    ChatError,
    Unsupported,
)
from django_roomchat.protocol import (
    TutorialPost,
    decode_tutorial,
)


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
def test_a_bad_frame_of_the_tutorials_page_is_answered_with_what_was_wrong(text, kind, detail):
    with pytest.raises(ChatError) as caught:
        decode_tutorial(text, 100)

    assert (type(caught.value), caught.value.detail) == (kind, detail)
