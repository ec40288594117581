"""Frames that are encoded once for all recipients."""

import json

import pytest

from django_roomchat import log
from django_roomchat.protocol import Author, Event, File, encode_event
from django_roomchat.pubsub import Batch
from django_roomchat.realtime import encoded_frames
from django_roomchat.realtime.encoded_frames import EncodedBatch, batch_of, erases, events_frame, joined_frame
from tests.support.batches import batch, event


def made(seq, rev=None, body="hi", **values):
    rev = seq if rev is None else rev
    return Event(
        seq, rev, f"id{seq}", "user", Author("u:1", "Ana"), body, "2026-11-21T10:00:00.123Z", **values
    )


def frame(text_frame):
    return json.loads(text_frame["text"])


def test_a_batch_is_encoded_once_for_each_format(monkeypatch):
    encoded = []
    real = encoded_frames.encode
    monkeypatch.setattr(encoded_frames, "encode", lambda frame: encoded.append(frame) or real(frame))
    made_once = EncodedBatch(batch())

    for is_tutorial in (False, True, False, True):
        made_once.frames(is_tutorial)

    # One frame of events, and one for each of the two messages in the tutorial's format.
    assert len(encoded) == 3
    assert made_once.frames(False)[0] is made_once.frames(False)[0]


def test_a_batch_is_one_frame_of_events():
    assert frame(events_frame(batch())) == {
        "type": "events",
        "room": "lobby",
        "epoch": "an epoch",
        "prev": 0,
        "head": 2,
        "events": [json.loads(event(1)[1]), json.loads(event(2)[1])],
    }


def test_in_the_tutorials_format_each_new_message_is_a_frame_of_its_own():
    frames = EncodedBatch(batch()).frames(True)

    assert [frame(one) for one in frames] == [
        {"message": "hi", "name": "Ana", "seq": 1},
        {"message": "hi", "name": "Ana", "seq": 2},
    ]


@pytest.mark.parametrize(
    "changed",
    [made(1, 2), made(1, 2, "", deleted_at="2026-11-21T10:00:00.123Z"), made(2, 2, "", deleted_at="x")],
)
def test_edits_and_deletions_are_left_out_of_the_tutorials_format(changed):
    assert encoded_frames.tutorial_frames([(changed.rev, encode_event(changed))]) == []


def test_in_the_tutorials_format_files_are_their_urls():
    files = [
        File("f1", "a.png", "image/png", 9, url="/chat/lobby/files/f1/a.png"),
        File("f2", "b.txt", "text/plain", 9, url=""),
    ]
    sent = made(1, body="see", files=files)

    [shown] = encoded_frames.tutorial_frames([(1, encode_event(sent))])

    assert frame(shown)["message"] == "see\n/chat/lobby/files/f1/a.png\nb.txt"


@pytest.mark.parametrize(
    ("encoded", "answer"),
    [
        (made(1, 2, "", deleted_at="2026-11-21T10:00:00.123Z"), True),
        (made(1), False),
        (made(1, body='"deleted_at":'), False),
    ],
)
def test_a_deletion_is_recognised_without_decoding(encoded, answer):
    assert erases(encode_event(encoded)) is answer


def part(**values):
    return log.Slice("lobby", "Lobby", "an epoch", 0, 0, 2, [made(1), made(2)], **values)


def test_a_part_of_the_log_becomes_a_batch():
    converted = batch_of(part())

    assert isinstance(converted, Batch)
    assert (converted.room, converted.epoch, converted.prev, converted.head, converted.events) == (
        "lobby",
        "an epoch",
        0,
        2,
        [(1, encode_event(made(1))), (2, encode_event(made(2)))],
    )


def test_a_joined_frame_has_the_title_of_the_room_and_why_the_client_starts_over():
    joined = frame(joined_frame(part(reset="epoch", more=True), "as typed"))

    assert (joined["type"], joined["title"], joined["reset"], joined["more"]) == (
        "joined",
        "Lobby",
        "epoch",
        True,
    )


def test_a_room_that_does_not_exist_is_joined_under_the_title_as_typed():
    empty = log.Slice("lobby", "", "", 0, 0, 0, [])

    assert frame(joined_frame(empty, "LOBBY"))["title"] == "LOBBY"
