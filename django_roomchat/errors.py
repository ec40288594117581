"""What can go wrong, as one tree.

::

    ChatError
    ├── BadFrame            bad_frame      the frame is not an object with a "type"
    │   ├── BadJSON         bad_json       the frame is not JSON
    │   ├── UnknownType     unknown_type   no such frame
    │   ├── Unsupported     unsupported    a binary frame
    │   └── TooBig          too_big        more bytes than are read
    ├── BadValue            bad_value      a field has the wrong type or size
    │   ├── BadText         bad_text       a message that cannot be stored or shown
    │   ├── BadFile         bad_file       a file that cannot be read, or that is not there for this message
    │   └── BadRoomName     bad_room_name  a name that no room can have
    ├── Forbidden           forbidden      the policy says no
    ├── NotFound            not_found      it does not exist, or one may not know that it does
    ├── IdReused            id_reused      the id belongs to another message of the same author
    ├── Held                held           a moderator looks at the message before others do
    └── TryAgain            unavailable    it may succeed later; ``retry_after`` says when
        ├── Busy            busy           too much is waiting
        └── RateLimited     rate_limited   too many in too short a time

The code is part of the wire and does not change.
The detail is a sentence for people: what was wrong, and what would be right.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as gettext_noop


class ChatError(Exception):
    """The root of the tree.

    Args:
        detail: a sentence for people, or a lazy translation of one. It is translated when it is read, and filled with *values*.
        code: overrides the class's code (a policy may have codes of its own).
        retry_after: seconds after which the same request may succeed.
        values: for the ``%(name)s`` in the sentence.
    """

    code: str = "error"
    status: ClassVar[int] = 400
    """The HTTP status of a view that fails with it."""

    def __init__(
        self, detail: Any, *, code: str | None = None, retry_after: float | None = None, **values: object
    ) -> None:
        super().__init__(detail)
        if code is not None:
            self.code = code
        self.retry_after = retry_after
        self.values = values

    def __str__(self) -> str:
        return self.detail

    @property
    def detail(self) -> str:
        """The sentence, in the language that is active now."""
        sentence = gettext(self.args[0]) if type(self.args[0]) is str else str(self.args[0])
        return sentence % self.values if self.values else sentence


class BadFrame(ChatError):
    code = "bad_frame"


class BadJSON(BadFrame):
    code = "bad_json"


class UnknownType(BadFrame):
    code = "unknown_type"


class Unsupported(BadFrame):
    code = "unsupported"
    status = 415


class TooBig(BadFrame):
    code = "too_big"
    status = 413


class BadValue(ChatError):
    code = "bad_value"


class BadText(BadValue):
    code = "bad_text"


class BadFile(BadValue):
    code = "bad_file"


class BadRoomName(BadValue):
    code = "bad_room_name"


class Forbidden(ChatError):
    code = "forbidden"
    status = 403


class NotFound(ChatError):
    code = "not_found"
    status = 404


class IdReused(ChatError):
    code = "id_reused"
    status = 409


class Held(ChatError):
    code = "held"
    status = 202


class TryAgain(ChatError):
    code = "unavailable"
    status = 503

    def __init__(
        self, detail: Any, *, code: str | None = None, retry_after: float = 1.0, **values: object
    ) -> None:
        super().__init__(detail, code=code, retry_after=retry_after, **values)


class Busy(TryAgain):
    code = "busy"


class RateLimited(TryAgain):
    code = "rate_limited"
    status = 429
