"""The log of a room in the database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.model.rules import NO_BANNED, PAGE, RESUME_MAX, RING_EVENTS, Access, Batch, Message, Part, Post

if TYPE_CHECKING:
    from tests.model.protocol_model import World


class Log:
    """A room in the database. Every method is one transaction; `read` and `tail` are two statements."""

    def __init__(self, world: World, room: str) -> None:
        self.world = world
        self.rules = world.rules
        self.room = room
        self.epoch = 1
        self.head = self.floor = self.version = 0
        self.messages: dict[int, Message] = {}
        self.places: dict[tuple[int, str], int] = {}
        self.banned: frozenset[int] = frozenset()
        # Not in a real database: values for the checks.
        self.numbers: list[int] = []
        self.said: list[tuple[int, str]] = []
        self.pruned: dict[int, Message] = {}

    def backup(self) -> dict[str, object]:
        return {
            name: value.copy() if isinstance(value, (dict, list)) else value
            for name, value in vars(self).items()
        }

    def restore(self, backup: dict[str, object]) -> None:
        for name, value in backup.items():
            setattr(self, name, value.copy() if isinstance(value, (dict, list)) else value)

    def start_new_epoch(self) -> None:
        self.world.epochs += 1
        self.epoch = self.world.epochs

    def append(self, posts: list[Post], version: int) -> Batch | None:
        """Store *posts* and return their messages; ``None`` if a user's rights have changed since *version*."""
        if self.rules.rights_are_compared_by_version and version != self.version:
            return None
        prev, events = self.head, []
        for post in posts:
            once = post.sender, post.id
            if self.rules.ids_are_remembered and once in self.places:
                self.head += not self.rules.duplicates_burn_no_number
                continue
            message = Message(self._take(), self.head, post.id, post.sender, post.said)
            self.messages[message.seq] = message
            self.places[once] = message.seq
            self.said.append((post.sender, post.said))
            events.append(message)
            if post.sender in self.banned:
                self.world.report(NO_BANNED)
        return Batch(self.room, self.epoch, prev, self.head, events)

    def change(self, seq: int, body: str) -> Batch | None:
        old = self.messages.get(seq)
        if old is None or old.body == body or not old.body:
            return None
        prev = self.head
        rev = self._take() if self.rules.edits_take_numbers else old.rev
        self.messages[seq] = old._replace(rev=rev, body=body)
        return Batch(self.room, self.epoch, prev, self.head, [self.messages[seq]])

    def prune(self, through: int) -> None:
        old = [seq for seq in self.messages if seq <= through]
        for seq in old:
            message = self.pruned[seq] = self.messages.pop(seq)
            if self.rules.pruning_raises_the_floor:
                self.floor = max(self.floor, message.rev)

    def set_banned(self, sender: int, banned: bool) -> Access:
        self.banned = self.banned | {sender} if banned else self.banned - {sender}
        self.version += 1
        return Access(self.room, self.version, sender)

    def _take(self) -> int:
        self.head += 1
        self.numbers.append(self.head)
        return self.head

    def read(self, epoch: int, since: int | None) -> Iterator[None | Part]:
        now, head, version = self.epoch, self.head, self.version
        reset = self._reset(epoch, since)
        if self.rules.head_is_read_first:
            yield None
            rows = self._changes(since or 0, head)
        else:
            rows = self._changes(since or 0, head)
            yield None
            head = self.head
        if not reset and since is not None:
            if since < self.floor and self.rules.floors_are_compared and self.rules.floor_is_read_again:
                reset = "floor"
            elif len(rows) <= RESUME_MAX:
                yield Part(now, since, head, rows, version)
                return
            else:
                reset = "gap"
        newest = [self.messages[seq] for seq in sorted(self.messages) if seq <= head]
        yield Part(now, 0, head, newest[-PAGE:], version, reset, more=len(newest) > PAGE)

    def tail(self) -> Iterator[None | Part]:
        now, head, version = self.epoch, self.head, self.version
        prev = max(self.floor, head - RING_EVENTS // 2)
        yield None
        changes = self._changes(prev, head)
        if self.rules.floor_is_read_again:
            prev = max(prev, min(self.floor, head))
        yield Part(now, prev, head, [event for event in changes if event.rev > prev], version)

    def _reset(self, epoch: int, since: int | None) -> str:
        if since is None:
            return "new"
        if since and epoch != self.epoch and self.rules.epochs_are_compared:
            return "epoch"
        if since > self.head:
            return "ahead" if self.rules.epochs_are_compared else ""
        return "floor" if since < self.floor and self.rules.floors_are_compared else ""

    def _changes(self, since: int, head: int) -> list[Message]:
        if self.rules.resume_by_rev:
            found = [message for message in self.messages.values() if since < message.rev <= head]
        else:
            found = [message for message in self.messages.values() if since < message.seq <= head]
        return sorted(found, key=lambda message: message.rev)
