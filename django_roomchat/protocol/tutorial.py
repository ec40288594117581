"""Messages of the Channels tutorial's dialect."""

from __future__ import annotations

import msgspec

from django_roomchat.protocol.base import Identifier


class TutorialPost(msgspec.Struct, frozen=True):
    """Message that the tutorial's page sends."""

    message: str
    """Text of the message."""
    id: Identifier = ""
    """Identifier of the message, as in ``post``, for pages that retry. If omitted, the server generates one."""


class TutorialMessage(msgspec.Struct, frozen=True):
    """Message that the tutorial's page receives. The page shows ``message``."""

    message: str
    """Text of the message."""
    name: str
    """Display name of the author."""
    seq: int
    """Sequence number of the message in its room."""


class TutorialError(msgspec.Struct, omit_defaults=True, frozen=True):
    """Error in a form that the tutorial's page can show."""

    message: str
    """Error message for users."""
    type: str
    """Always ``"error"``."""
    code: str
    """Stable error code for programs."""
    retry_after: float | None = None
    """Seconds after which the same message may succeed."""
