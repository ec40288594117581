"""Frames of clients."""

import pytest

from django_roomchat.protocol import (
    Hello,
    Join,
    Leave,
    Ping,
    Post,
    Seen,
    decode,
)


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
