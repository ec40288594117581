"""Drafts of messages, and the results of appending them. A fingerprint distinguishes a retry from another message with the same id."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from django_roomchat.errors import ChatError
from django_roomchat.protocol import Event, FileToPost


@dataclass(slots=True)
class Draft:
    """A message that has no sequence number yet."""

    # Not frozen: one is created for each post, and a frozen dataclass sets its fields three times as slowly.

    author_id: Any
    author_key: str
    author_name: str
    client_id: str
    kind: Literal["user", "system", "bot"]
    body: str
    reply_to: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of its event, see :func:`_event`."""
    slow_seconds: int = 0
    """Slow mode: the draft is rejected if its author posted in the room within this time, in seconds. 0 turns it off."""
    typed: str = ""
    """Text as typed by the author, if the content filter changed it to ``body``."""
    files: tuple[FileToPost, ...] = ()
    """Files to attach. The draft is rejected if one of them is in another message."""
    once: tuple[str, str] = field(init=False)
    """Author key and client id, which together are unique within a room."""
    fingerprint: str = field(init=False)
    """Digest of the content, which distinguishes a retry from a reused id."""

    def __post_init__(self) -> None:
        self.once = self.author_key, self.client_id
        said = f"{self.reply_to}\0{self.typed or self.body}".encode()
        if self.files:
            said += "".join(f"\0{file.id}\0{file.alt}" for file in self.files).encode()
        self.fingerprint = hashlib.blake2b(said, digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Stored:
    """Sequence number of a draft, allocated now or by an earlier attempt."""

    seq: int
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Appended:
    """Changes that one transaction made to a room. They have the numbers in ``(prev, head]``."""

    epoch: str
    prev: int
    head: int
    events: list[Event]
    results: list[Stored | ChatError]
    """Result of each draft, in the order of the drafts."""
