"""Fuzz frames at the decoders, and what gets through at what comes after them."""

from __future__ import annotations

from collections import Counter
from itertools import islice

from django_roomchat import protocol
from django_roomchat.errors import ChatError
from django_roomchat.text import validation
from tests.fuzz.frames import Frames

MAX_BYTES = 65_536


def play(seed: int, count: int) -> Counter[str]:
    """Decode *count* frames. Returns how often each answer was given.

    Raises:
        AssertionError: something else than a ChatError; it names the frame.
    """
    answers: Counter[str] = Counter()
    for number, sent in enumerate(islice(Frames(seed), count)):
        received = None if isinstance(sent, bytes) else sent
        for decode in (protocol.decode, protocol.decode_tutorial):
            try:
                answers[_accept(decode(received, MAX_BYTES))] += 1
            except ChatError as error:
                assert error.detail.encode() and protocol.encode(protocol.Error(error.code, error.detail))
                answers[error.code] += 1
            except Exception as error:
                raise AssertionError(f"frame {number} of seed {seed}, {sent!r}: {error!r}") from error
    return answers


def _accept(frame: object) -> str:
    """The part of the handling of a frame that needs no database."""
    for field, check in (
        ("body", validation.body),
        ("message", validation.body),
        ("room", validation.room_name),
    ):
        if (given := getattr(frame, field, None)) is not None:
            clean = check(given, 4_000 if check is validation.body else 100)
            clean.encode()
            assert check(clean, 300 if check is validation.room_name else 4_000) == clean, (
                "cleaning twice changes nothing"
            )
    if isinstance(frame, protocol.Post):
        validation.client_id(frame.id)
    return type(frame).__name__
