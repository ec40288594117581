"""Encoding and decoding of frames."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

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
from django_roomchat.protocol.base import RoomName
from django_roomchat.protocol.client import ClientFrame, Search
from django_roomchat.protocol.objects import Event
from django_roomchat.protocol.tutorial import TutorialPost
from django_roomchat.text import values

_encoder = msgspec.json.Encoder()

_client_frames = msgspec.json.Decoder(ClientFrame)

_tutorial_posts = msgspec.json.Decoder(TutorialPost)

_HALF_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def encode(frame: Any) -> str:
    """Encode a frame or an event as JSON text.

    Args:
        frame: a Struct of this module.

    Returns:
        The text of the WebSocket frame.
    """
    return _encoder.encode(frame).decode()


def encode_event(event: Event) -> bytes:
    """Encode an event as JSON, to be embedded in any number of frames.

    Args:
        event: the event.

    Returns:
        The JSON as UTF-8 bytes.
    """
    return _encoder.encode(event)


def decode_event(event: bytes) -> Event:
    """Decode an event that :func:`encode_event` encoded.

    Args:
        event: the JSON as UTF-8 bytes.

    Returns:
        The event.

    Raises:
        msgspec.MsgspecError: the bytes are not an event.
    """
    return _events.decode(event)


_events = msgspec.json.Decoder(Event)


def decode(text: str | None, max_bytes: int) -> ClientFrame:
    """Decode and validate a frame from a client.

    Args:
        text: text of the frame; ``None`` for a binary frame.
        max_bytes: maximum size in bytes. A larger frame is rejected without decoding it.

    Returns:
        The frame.

    Raises:
        BadFrame, BadValue: the frame is invalid; the detail names the fault.
    """
    return _decode(_client_frames, text, max_bytes)  # type: ignore[no-any-return]  # msgspec's Decoder of a union is untyped


def room_of(frame: ClientFrame, own: RoomName | None, max_length: int) -> RoomName | None:
    """Parse the name of the room that a frame concerns. Called once for each frame.

    The parsed name is not stored in the frame, because the error that answers the frame repeats the client's spelling.

    Args:
        frame: the decoded frame.
        own: the room in the URL of the socket or request, if there is one.
        max_length: maximum length of a room's name, in characters.

    Returns:
        The room; ``None`` for a frame that concerns no room, and for a search in all rooms.

    Raises:
        BadRoomName: the name is invalid.
        BadValue: neither the frame nor the URL names a room.
    """
    typed: str | None = getattr(frame, "room", None)
    if typed is None:
        return None
    if not typed:
        if own is None and not isinstance(frame, Search):
            raise BadValue("Name the room: the URL has none.")
        return own
    named = _parsed(typed, max_length)
    # Prefer the spelling in the URL: it becomes the title of a new room.
    return own if typed == own else named


# A client names the same few rooms in all of its frames. Errors are not cached.
_parsed = lru_cache(maxsize=4096)(RoomName)


def cursor_of(epoch: str, since: str) -> tuple[str, int | None]:
    """Parse the position of a client in a room's log, from the query string or a header of its request.

    Args:
        epoch: epoch of the log that *since* refers to.
        since: head that the client has reached.

    Returns:
        The epoch and the head; ``None`` if *since* is not a number, so that the client receives the newest page.

    Raises:
        BadValue: a text is too long, or contains control characters.
    """
    values.line(epoch, "epoch", values.EPOCH_MAX_LENGTH)
    values.line(since, "since", values.CURSOR_MAX_LENGTH)
    # Longer numbers cannot be sequence numbers, and Python refuses to parse thousands of digits.
    known = since.isascii() and since.isdecimal() and len(since) <= 16
    return epoch, int(since) if known else None


def decode_tutorial(text: str | None, max_bytes: int) -> TutorialPost:
    """Decode and validate a message of a client that uses the tutorial's dialect.

    Args:
        text: text of the frame; ``None`` for a binary frame.
        max_bytes: maximum size in bytes. A larger frame is rejected without decoding it.

    Returns:
        The message.

    Raises:
        BadFrame, BadValue: the message is invalid; the detail names the fault.
    """
    return _decode(_tutorial_posts, text, max_bytes)  # type: ignore[no-any-return]  # as above


T = TypeVar("T")


def decode_body(text: str, wanted: type[T], max_bytes: int) -> T:
    """Decode and validate the JSON body of an HTTP request, with the same errors as a frame.

    Args:
        text: body of the request.
        wanted: Struct type to decode to.
        max_bytes: maximum size in bytes. A larger body is rejected without decoding it.

    Returns:
        An instance of *wanted*.

    Raises:
        BadFrame, BadValue: the body is invalid; the detail names the fault.
    """
    return _decode(msgspec.json.Decoder(wanted), text, max_bytes)  # type: ignore[no-any-return]  # as above


def _decode(decoder: msgspec.json.Decoder[Any], text: str | None, max_bytes: int) -> Any:
    if text is None:
        raise Unsupported("Binary frames are not supported; send JSON as text.")
    if len(text) > max_bytes or (not text.isascii() and len(text.encode(errors="surrogatepass")) > max_bytes):
        raise TooBig(f"A frame can have at most {max_bytes} bytes.")
    try:
        return decoder.decode(text)
    except msgspec.ValidationError as error:
        raise _explain(str(error)) from error
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        if isinstance(error, UnicodeEncodeError) or _HALF_SURROGATE.search(text):
            raise BadText("The frame contains an unpaired surrogate, which is not a character.") from error
        raise BadJSON(f"The frame is not JSON: {error}.") from error
    except RecursionError as error:
        raise BadJSON("The frame is nested too deeply.") from error


def _explain(problem: str) -> ChatError:
    """Convert msgspec's error message to a :class:`ChatError`.

    The message ends with the path of the field, such as ``$.body``; without a path the frame itself is invalid.
    """
    what, _, place = problem.partition(" - at `$.")
    field = place.rstrip("`")
    if field == "type" and what.startswith("Invalid value"):
        return UnknownType(f"Unknown frame type {what.removeprefix('Invalid value ')}.")
    if what == "Object missing required field `type`" or field == "type":
        return BadFrame('A frame needs a "type", which is a string.')
    if not field and what.startswith("Expected `object`"):
        return BadFrame(f"A frame must be an object: {what[0].lower()}{what[1:]}.")
    if what.startswith("Expected `str` matching regex"):
        what = "Control characters are not allowed"
    return BadValue(f"{field}: {what[0].lower()}{what[1:]}." if field else f"{what}.")
