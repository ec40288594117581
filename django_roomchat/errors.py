"""Exception hierarchy of the package, with the error codes of the wire protocol.

::

    ChatError
    ├── BadFrame            bad_frame      the frame is not an object with a "type"
    │   ├── BadJSON         bad_json       the frame is not valid JSON
    │   ├── UnknownType     unknown_type   the frame type does not exist
    │   ├── Unsupported     unsupported    the frame is binary, or the server lacks support for the request
    │   └── TooBig          too_big        the frame or file exceeds the size limit
    ├── BadValue            bad_value      a field has the wrong type or size
    │   ├── BadText         bad_text       the message cannot be stored or displayed
    │   ├── BadFile         bad_file       the file is invalid or cannot be attached to this message
    │   └── BadRoomName     bad_room_name  the room name is invalid
    ├── Forbidden           forbidden      the policy or a room restriction denies the action
    ├── NotFound            not_found      the object does not exist, or its existence is not disclosed
    ├── IdReused            id_reused      the id belongs to another message of the same author
    ├── Held                held           the message is held until a moderator has reviewed it
    └── TryAgain            unavailable    a retry may succeed after ``retry_after``
        ├── Busy            busy           too many requests are waiting
        └── RateLimited     rate_limited   the rate limit is exceeded

Error codes are part of the wire protocol and stable.
The detail is a sentence for users: what is wrong, and how to correct it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as gettext_noop


class ChatError(Exception):
    """Base class of all errors of this package.

    Args:
        detail: a sentence for users, or a lazy translation of one. It is translated when it is read and
            formatted with *values*.
        code: error code; overrides the code of the class. A policy can use its own codes.
        retry_after: seconds after which the same request may succeed.
        until: end of the ban or mute that causes the error.
        reason: reason that the moderator gave for it.
        values: values for the ``%(name)s`` placeholders in *detail*.
    """

    code: str = "error"
    status: ClassVar[int] = 400
    """HTTP status of a response to a request that fails with this error."""

    def __init__(
        self,
        detail: Any,
        *,
        code: str | None = None,
        retry_after: float | None = None,
        until: datetime | None = None,
        reason: str = "",
        **values: object,
    ) -> None:
        super().__init__(detail)
        if code is not None:
            self.code = code
        self.retry_after = retry_after
        self.until = until
        self.reason = reason
        self.values = values

    def __str__(self) -> str:
        return self.detail

    @property
    def detail(self) -> str:
        """The sentence for users, in the active language."""
        sentence = gettext(self.args[0]) if type(self.args[0]) is str else str(self.args[0])
        return sentence % self.values if self.values else sentence


class BadFrame(ChatError):
    """The frame is not a JSON object with a ``type``."""

    code = "bad_frame"


class BadJSON(BadFrame):
    """The frame is not valid JSON."""

    code = "bad_json"


class UnknownType(BadFrame):
    """The frame type does not exist."""

    code = "unknown_type"


class Unsupported(BadFrame):
    """The frame is binary, or the server lacks support for the request."""

    code = "unsupported"
    status = 415


class TooBig(BadFrame):
    """The frame or file exceeds the size limit."""

    code = "too_big"
    status = 413


class BadValue(ChatError):
    """A field has the wrong type or size."""

    code = "bad_value"


class BadText(BadValue):
    """The message is empty, too long, or contains characters that cannot be stored or displayed."""

    code = "bad_text"


class BadFile(BadValue):
    """The file is invalid or cannot be attached to this message."""

    code = "bad_file"


class BadRoomName(BadValue):
    """The room name is invalid."""

    code = "bad_room_name"


class Forbidden(ChatError):
    """The policy or a room restriction denies the action."""

    code = "forbidden"
    status = 403


class NotFound(ChatError):
    """The object does not exist, or its existence is not disclosed to the user."""

    code = "not_found"
    status = 404


class IdReused(ChatError):
    """The message id belongs to another message of the same author."""

    code = "id_reused"
    status = 409


class Held(ChatError):
    """The content filter holds the message until a moderator has reviewed it."""

    code = "held"
    status = 202


class TryAgain(ChatError):
    """A temporary failure. A retry may succeed after ``retry_after``."""

    code = "unavailable"
    status = 503

    def __init__(
        self, detail: Any, *, code: str | None = None, retry_after: float = 1.0, **values: Any
    ) -> None:
        super().__init__(detail, code=code, retry_after=retry_after, **values)


class Busy(TryAgain):
    """Too many requests are waiting."""

    code = "busy"


class RateLimited(TryAgain):
    """The rate limit is exceeded."""

    code = "rate_limited"
    status = 429
