"""The limits, checks and decisions of the model, and the values that its parts exchange."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tests.model.server import Connection

ROOMS = ("lobby", "kitchen")
CLIENTS = 3
PROCESSES = 2
STEPS = 800
EVENING_STEPS = 600
"""Steps without new operations, in which operations in progress can still fail."""

# Small, so that a short history reaches every limit.
BATCH_MAX = 3
RING_EVENTS = 5
FRAME_EVENTS = 2
RESUME_MAX = 6
PAGE = 4
MARK = 2
UNSEEN_MAX = 5

# The checks. A mutant names the check that it fails.
GAPLESS = "every number of a log is one change"
ONCE = "no message is stored twice"
STORED = "everything said is stored, or was refused"
ACKED = "what was acknowledged is stored"
STATE = "in the end everybody sees the log as it is"
NO_SILENT_HOLE = "who stands at the head sees the log as it is"
SENDER_ORDER = "what one person says stands in their order"
NO_BANNED = "nobody says anything after their ban"
PUT_OUT = "the banned are put out of the room"
JOIN_UP = "the frames of a connection join up"
CHECKS = (GAPLESS, ONCE, STORED, ACKED, STATE, NO_SILENT_HOLE, SENDER_ORDER, NO_BANNED, PUT_OUT, JOIN_UP)


@dataclass(frozen=True)
class Rules:
    """The decisions of the design."""

    ack_after_commit: bool = True
    announce_after_commit: bool = True
    ids_are_remembered: bool = True
    duplicates_burn_no_number: bool = True
    edits_take_numbers: bool = True
    rights_are_compared_by_version: bool = True
    resume_by_rev: bool = True
    """Not by ``seq``, which an edited message keeps."""
    head_is_read_first: bool = True
    floor_is_read_again: bool = True
    """After the rows: a message that was pruned between the two statements is in neither."""
    epochs_are_compared: bool = True
    floors_are_compared: bool = True
    pruning_raises_the_floor: bool = True
    subscribe_before_reading: bool = True
    ring_is_asked_for_its_floor: bool = True
    hub_checks_prev: bool = True
    hub_fills_holes: bool = True
    hub_polls: bool = True
    poll_compares_access: bool = True
    restart_is_told: bool = True
    dropping_leaves_the_cursor: bool = True
    pings_carry_heads: bool = True
    client_checks_prev: bool = True
    client_starts_over_on_reset: bool = True
    client_waits_for_ack: bool = True
    client_repeats_the_id: bool = True


class Message(NamedTuple):
    """A message in one state. The body of a deleted message is empty."""

    seq: int
    rev: int
    id: str
    sender: int
    body: str


class Batch(NamedTuple):
    """The changes in ``(prev, head]``."""

    room: str
    epoch: int
    prev: int
    head: int
    events: list[Message]


class Access(NamedTuple):
    room: str
    version: int
    sender: int


class Part(NamedTuple):
    """The result of a read of the log."""

    epoch: int
    prev: int
    head: int
    events: list[Message]
    version: int
    reset: str = ""
    more: bool = False


class Post(NamedTuple):
    sender: int
    room: str
    id: str
    said: str
    """The same for every repetition, also if the id is not: it identifies one action of a user in the checks."""
    connection: Connection


# Frames, from the client …
class Join(NamedTuple):
    room: str
    epoch: int
    since: int | None


class Say(NamedTuple):
    room: str
    id: str
    said: str


class Seen(NamedTuple):
    heads: dict[str, int]


# … and from the server; `Batch` is "events".
class Joined(NamedTuple):
    room: str
    part: Part


class Ack(NamedTuple):
    id: str


class Refused(NamedTuple):
    id: str


class Busy(NamedTuple):
    id: str


class ShutOut(NamedTuple):
    room: str


class Heads(NamedTuple):
    heads: dict[str, int]


Steps = Iterator[None]
