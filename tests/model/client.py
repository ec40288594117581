"""The clients of the model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tests.model.rules import (
    NO_SILENT_HOLE,
    ROOMS,
    Ack,
    Batch,
    Busy,
    Heads,
    Join,
    Joined,
    Message,
    Part,
    Refused,
    Say,
    Seen,
    ShutOut,
)
from tests.model.server import Connection

if TYPE_CHECKING:
    from tests.model.protocol_model import World


class View:
    """The state of a room at a client."""

    def __init__(self) -> None:
        self.epoch = self.cursor = 0
        self.is_known = self.is_joining = self.is_shut_out = False
        self.messages: dict[int, Message] = {}
        self.oldest = 0
        """Messages before it are on pages that were not requested."""


class Client:
    """A user and the browser. The views and unacknowledged posts outlive every connection."""

    def __init__(self, world: World, key: int) -> None:
        self.world = world
        self.rules = world.rules
        self.key = key
        self.views = {room: View() for room in ROOMS}
        self.connection: Connection | None = None
        self.pending: list[tuple[str, str]] = []
        """The posts that are not acknowledged, with their rooms, in order; the first has been sent."""
        self.tries = 0
        self.said = 0
        self.seen_sent: dict[str, int] = {}

    def connect(self) -> None:
        if self.connection is None:
            self.connection = Connection(self.world.pick(self.world.processes), self)
            self.seen_sent = {}
            for room in ROOMS:
                self._join(room)
            self.send_pending()

    def lose_connection(self) -> None:
        """Close the connection; frames in transit in both directions are lost."""
        if self.connection is not None:
            self.connection.end()
            self.connection = None
            for view in self.views.values():
                view.is_joining = False

    def say(self, room: str) -> None:
        self.said += 1
        said = f"{self.key}.{self.said}"
        self.world.sent.add(said)
        self.pending.append((said, room))
        if len(self.pending) == 1:
            self.send_pending()
        elif not self.rules.client_waits_for_ack:
            self._send(*self.pending[-1])

    def send_pending(self) -> None:
        """Send the first pending post, with the same id until it is answered; the others wait for that."""
        for said, room in self.pending if not self.rules.client_waits_for_ack else self.pending[:1]:
            self._send(said, room)

    def _send(self, said: str, room: str) -> None:
        if self.connection is not None:
            self.tries += 1
            id_ = said if self.rules.client_repeats_the_id else f"{said}#{self.tries}"
            self.connection.up.append(Say(room, id_, said))

    def _done(self, id_: str) -> None:
        said = id_.partition("#")[0]
        first = bool(self.pending) and self.pending[0][0] == said
        self.pending = [one for one in self.pending if one[0] != said]
        if first and self.rules.client_waits_for_ack:
            self.send_pending()

    def send_seen(self) -> None:
        heads = {room: view.cursor for room, view in self.views.items() if view.is_known}
        if self.connection is not None and heads != self.seen_sent:
            self.seen_sent = heads
            self.connection.up.append(Seen(heads))

    def _join(self, room: str) -> None:
        view = self.views[room]
        if self.connection is not None and not view.is_joining:
            view.is_joining, view.is_shut_out = True, False
            self.connection.up.append(Join(room, view.epoch, view.cursor if view.is_known else None))

    def try_again(self) -> None:
        """Join the rooms again from which the user was removed."""
        for room, view in self.views.items():
            if view.is_shut_out:
                self._join(room)

    def receive(self) -> None:
        if self.connection is None or not self.connection.down:
            return
        frame = self.connection.down.popleft()
        match frame:
            case Batch():
                if not self.world.happens(0.03):
                    self._take_events(frame)
            case Joined(room, part):
                self._take_joined(room, part)
            case Ack(id_):
                self.world.acked.add(id_.partition("#")[0])
                self._done(id_)
            case Refused(id_):
                self.world.refused.add(id_.partition("#")[0])
                self._done(id_)
            case Busy(_):
                self.send_pending()
            case ShutOut(room):
                self.views[room].is_joining, self.views[room].is_shut_out = False, True
            case Heads(heads):
                for room, head in heads.items():
                    if head > self.views[room].cursor:
                        self._join(room)

    def _take_joined(self, room: str, part: Part) -> None:
        view = self.views[room]
        view.is_joining, view.is_known = False, True
        if part.reset:
            if self.rules.client_starts_over_on_reset:
                view.messages.clear()
            view.cursor = 0
            view.oldest = min((event.seq for event in part.events), default=0) if part.more else 0
            view.messages.update((event.seq, event) for event in part.events)
            view.epoch, view.cursor = part.epoch, part.head
            self._applied(room, part.events)
        else:
            self._take_events(Batch(room, part.epoch, part.prev, part.head, part.events))

    def _take_events(self, batch: Batch) -> None:
        """Apply a batch by the cursor rule."""
        view = self.views[batch.room]
        if view.epoch != batch.epoch and view.cursor:
            self._join(batch.room)
            return
        if batch.head <= view.cursor:
            return
        if batch.prev > view.cursor and self.rules.client_checks_prev:
            self._join(batch.room)
            return
        view.messages.update((event.seq, event) for event in batch.events if event.rev > view.cursor)
        view.epoch, view.cursor = batch.epoch, batch.head
        self._applied(batch.room, batch.events)

    def _applied(self, room: str, events: Iterable[Message]) -> None:
        for event in events:
            if event.sender == self.key:
                self._done(event.id)
        view, log = self.views[room], self.world.logs[room]
        if view.epoch == log.epoch and view.cursor == log.head and not self.sees(room):
            self.world.report(NO_SILENT_HOLE)

    def sees(self, room: str) -> bool:
        """Return whether the view equals the log. Of a pruned message, the view may still have the last state."""
        view, log = self.views[room], self.world.logs[room]
        there = {seq: message for seq, message in log.messages.items() if seq >= view.oldest}
        here = {
            seq: message
            for seq, message in view.messages.items()
            if seq >= view.oldest and log.pruned.get(seq) != message
        }
        return here == there
