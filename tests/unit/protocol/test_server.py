"""Frames of the server."""

import json

import msgspec
import pytest

from django_roomchat import protocol
from django_roomchat.protocol import (
    Ack,
    Bye,
    Error,
    Heads,
    Left,
    TutorialError,
    TutorialMessage,
    encode,
    encode_event,
)
from tests.support.frames import EVENT


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
