"""Encode-once cache: each outgoing frame of a room is encoded once for all its recipients."""

from __future__ import annotations

import msgspec

from django_roomchat import log
from django_roomchat.protocol import (
    Event,
    Events,
    Joined,
    TutorialMessage,
    decode_event,
    encode,
    encode_event,
)
from django_roomchat.pubsub import Batch
from django_roomchat.realtime.uvicorn_fast_path import TextFrame
from django_roomchat.throttled_logging import warn_throttled

_ERASED = b'"deleted_at":'
"""Occurs in every encoded event that is a deletion. Inside a string, JSON would escape the quotes."""


class EncodedBatch:
    """A batch with its encoded frames. Each frame is encoded once for all recipients."""

    __slots__ = ("_frame", "_tutorial_frames", "batch")

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self._frame: TextFrame | None = None
        self._tutorial_frames: list[TextFrame] | None = None

    def frames(self, is_tutorial: bool) -> list[TextFrame]:
        if is_tutorial:
            if self._tutorial_frames is None:
                self._tutorial_frames = tutorial_frames(self.batch.events)
            return self._tutorial_frames
        if self._frame is None:
            self._frame = events_frame(self.batch)
        return [self._frame]


def erases(event: bytes) -> bool:
    """Return whether an encoded event is a deletion."""
    return _ERASED in event


def batch_of(part: log.Slice) -> Batch:
    """Convert a part of the log to a batch."""
    events = [(event.rev, encode_event(event)) for event in part.events]
    return Batch(part.room, part.epoch, part.prev, part.head, events)


def events_frame(batch: Batch) -> TextFrame:
    """Encode the ``events`` frame of a batch."""
    events = [msgspec.Raw(event) for _, event in batch.events]
    return TextFrame(encode(Events(batch.room, batch.epoch, batch.prev, batch.head, events)))


def joined_frame(part: log.Slice, title: str) -> TextFrame:
    """Encode the ``joined`` frame. *title* is sent while the room does not exist."""
    events = [msgspec.Raw(encode_event(event)) for event in part.events]
    joined = Joined(
        room=part.room,
        title=part.title or title,
        epoch=part.epoch,
        floor=part.floor,
        prev=part.prev,
        head=part.head,
        events=events,
        reset=part.reset,
        more=part.more,
    )
    return TextFrame(encode(joined))


def tutorial_frames(events: list[tuple[int, bytes]]) -> list[TextFrame]:
    """Encode the new messages of a batch in the tutorial's format. Its page cannot show that a message was
    edited or deleted.
    """
    return [
        TextFrame(encode(TutorialMessage(_text_and_urls(event), event.author.name, event.seq)))
        for _, encoded in events
        if (event := _decoded(encoded)) is not None and event.seq == event.rev and event.deleted_at is None
    ]


def _decoded(encoded: bytes) -> Event | None:
    """Decode an event. One that is invalid is logged and left out, so that the events after it are sent."""
    try:
        return decode_event(encoded)
    except msgspec.MsgspecError as error:
        warn_throttled(
            "event", "An event cannot be decoded and is not sent to pages of the tutorial: %r", error
        )
        return None


def _text_and_urls(event: Event) -> str:
    """Return the text and the URLs of the files, one a line. The tutorial's page shows nothing else."""
    if event.files is None:
        return event.body
    return "\n".join(filter(None, [event.body, *(file.url or file.name for file in event.files)]))
