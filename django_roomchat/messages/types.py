"""Types of posts: a post before it is stored, and its result. They have a module of their own because the steps of posting share them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from django_roomchat.identity import Identity
from django_roomchat.protocol import FileToPost


class NewPost(msgspec.Struct, frozen=True):
    """A message to be posted."""

    # A Struct, because the event loop creates one for each post; a frozen dataclass takes six times as long.

    who: Identity
    room: str
    """The room's name in any spelling; a :class:`~django_roomchat.protocol.RoomName` if it has been parsed."""
    body: str
    id: str
    reply_to: int | None = None
    kind: Literal["user", "system", "bot"] = "user"
    is_reviewed: bool = False
    """Whether a moderator has released this message. Such a message skips the content filter and slow mode."""
    address: str | None = None
    """IP address for the rate limits; ``None`` if the project's own code posts, which is not limited."""
    files: Sequence[FileToPost] = ()
    """Uploaded files to bind to the message."""


@dataclass(frozen=True, slots=True)
class Posted:
    """Result of a stored message."""

    room: str
    """The room's canonical name."""
    id: str
    seq: int
    duplicate: bool
    """Whether an earlier attempt had already stored the message."""
