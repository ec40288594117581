"""Definitions shared by all frames: the subprotocol, the close codes and the constrained types of fields."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from django_roomchat.text import validation, values

SUBPROTOCOL = "roomchat.v1"

# Close codes. The server sends the code in ``bye`` and then closes with it.
CLOSE_SESSION_ENDED = 4001

CLOSE_FORBIDDEN = 4003

CLOSE_NO_SUCH_ROOM = 4004

CLOSE_TOO_SLOW = 4008

CLOSE_RESTART = 4012

CLOSE_TOO_MANY = 4029

CLOSE_TRY_AGAIN = 4503

CLOSE_CODES = {
    CLOSE_SESSION_ENDED: "session ended; sign in again",
    CLOSE_FORBIDDEN: "not allowed",
    CLOSE_NO_SUCH_ROOM: "no such room",
    CLOSE_TOO_SLOW: "client too slow",
    CLOSE_RESTART: "server restarting",
    CLOSE_TOO_MANY: "too many requests",
    CLOSE_TRY_AGAIN: "try again",
}

Position = Annotated[int, msgspec.Meta(ge=0, le=values.SEQ_MAX)]
"""Sequence number or revision in a room's log. The limit is 2**53 - 1, the largest exact integer in JavaScript."""


Seconds = Annotated[int, msgspec.Meta(ge=1, le=10**9)]
"""Duration in seconds."""

Key = Annotated[str, msgspec.Meta(min_length=1, max_length=values.KEY_MAX_LENGTH, pattern=values.PLAIN)]
"""Key of a user or guest, as in ``Author.key``."""

# Texts that are compared, stored or sent back as they are. All other texts of frames have a function of their own in
# django_roomchat.text that validates them: room names, bodies, names of people, reasons, emoji.
Identifier = Annotated[str, msgspec.Meta(max_length=validation.ID_MAX_LENGTH, pattern=values.PLAIN)]
"""Identifier that a client chose."""

MessageId = Annotated[str, msgspec.Meta(max_length=validation.ID_MAX_LENGTH)]
"""Identifier of a message that a client chose. Its characters are validated when the message is posted."""

Cursor = Annotated[str, msgspec.Meta(max_length=values.CURSOR_MAX_LENGTH, pattern=values.PLAIN)]
"""Cursor of a page, from an earlier response."""

Prefix = Annotated[str, msgspec.Meta(max_length=values.PREFIX_MAX_LENGTH, pattern=values.PLAIN)]
"""Typed beginning of a name."""

Epoch = Annotated[str, msgspec.Meta(max_length=values.EPOCH_MAX_LENGTH, pattern=values.PLAIN)]
"""Epoch of a room's log."""

Token = Annotated[str, msgspec.Meta(max_length=100, pattern=values.PLAIN)]
"""Secret part of a link."""

Name = Annotated[str, msgspec.Meta(max_length=validation.KEY_MAX_LENGTH, pattern=values.PLAIN)]
"""Canonical name of a room."""


class RoomName(str):
    """Canonical name of a room, which also keeps the name as typed. A new room gets its title from the typed name.

    The codec parses the room of a frame into one of these; functions that get one do not parse it again. Convert it
    with ``str()`` before it goes into a frame or a query.

    Args:
        typed: the name in any spelling.
        max_length: maximum length, in characters.

    Raises:
        BadRoomName: the name is invalid; the detail names the reason.
    """

    __slots__ = ("typed",)
    typed: str
    """The name in the spelling of the client."""

    def __new__(cls, typed: str, max_length: int) -> RoomName:
        name = super().__new__(cls, validation.room_name(typed, max_length))
        name.typed = typed
        return name


class Frame(msgspec.Struct, tag_field="type", omit_defaults=True, frozen=True):
    """Base class of the frames of both directions."""


Role = Literal["owner", "moderator", "member"]
