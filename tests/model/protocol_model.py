"""Random interleavings of the whole protocol, in which everything that can fail does.

Clients communicate through connections with processes, which share a database and a bus.
An operation that takes more than one step in the package is a generator here: at every ``yield`` any other operation may
run, and the process may die. The bus loses, repeats and reorders messages; connections break and lose single frames;
transactions fail; people are banned while their post is being stored; messages are edited, deleted and pruned; a backup is
restored.

The classes correspond to modules of the package: `Log` is `log`, `Inbox` is `realtime.group_commit` and `messages.post`,
`Hub` is `realtime.hub`, and `Connection` is `realtime.connection`. `Client` corresponds to `js/src/core/session.js`.
`Rules` are the decisions of the design. Each has a mutant that decides otherwise, and a check that detects it; see
`mutants`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import NamedTuple, TypeVar

ROOMS = ("lobby", "kitchen")
CLIENTS = 3
PROCESSES = 2
STEPS = 800
EVENING_STEPS = 600
"""Nobody says or changes anything more, but what is under way can still fail."""
# Small, so that a short history reaches every limit.
BATCH_MAX = 3
RING_EVENTS = 5
FRAME_EVENTS = 2
RESUME_MAX = 6
PAGE = 4
MARK = 2
UNSEEN_MAX = 5

# What is checked. A mutant names the check that it turns red.
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
    """How the design decided."""

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
    """After the rows: who was pruned between the two statements is in neither."""
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
    """A message in one state. The body of a deleted one is empty."""

    seq: int
    rev: int
    id: str
    sender: int
    body: str


class Batch(NamedTuple):
    """What happened in ``(prev, head]``."""

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
    """What a read of the log gives."""

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
    """The same for every repetition, also where the id is not: it tells what one action of a person became."""
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
T = TypeVar("T")


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
        # Not in a real database: what the checks need to know.
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
        """The new messages of *posts*; ``None`` if somebody's rights have changed since *version*."""
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


class Process:
    """A server: what is in its memory goes with it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.hub = Hub(self)
        self.inbox = Inbox(self)
        self.connections: set[Connection] = set()

    def start(self, work: Steps) -> None:
        self.world.tasks.append((self, work))

    def crash(self) -> None:
        self.world.tasks = [task for task in self.world.tasks if task[0] is not self]
        for connection in list(self.connections):
            connection.client.lose_connection()
        self.hub, self.inbox = Hub(self), Inbox(self)

    def publish(self, news: Batch | Access) -> None:
        """To this process at once, to the others through the bus."""
        world = self.world
        self.hub.hear(news)
        for process in world.processes:
            if process is not self:
                for _ in range(world.copies()):
                    world.bus.append((process, news))


class Inbox:
    """Posts on their way into the database, committed together."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.world = process.world
        self.waiting: deque[Post] = deque()
        self.committing = False

    def put(self, post: Post) -> None:
        if not self.world.rules.ack_after_commit:
            post.connection.write(Ack(post.id))
        self.waiting.append(post)
        if not self.committing:
            self.committing = True
            self.process.start(self._commit())

    def _commit(self) -> Steps:
        while self.waiting:
            batch = [self.waiting.popleft() for _ in range(min(len(self.waiting), BATCH_MAX))]
            allowed: dict[str, list[Post]] = {}
            versions = {room: self.world.logs[room].version for room in ROOMS}
            for post in batch:
                if post.sender in self.world.logs[post.room].banned:
                    post.connection.write(Refused(post.id))
                else:
                    allowed.setdefault(post.room, []).append(post)
            yield
            for room, posts in allowed.items():
                yield from self._append(posts, versions[room])
        self.committing = False

    def _append(self, posts: list[Post], version: int) -> Steps:
        log = self.world.logs[posts[0].room]
        if self.world.happens(0.08):
            if not self.world.rules.announce_after_commit:
                before = log.backup()
                done = log.append(posts, version)
                log.restore(before)
                if done is not None:
                    self.process.publish(done)
            for post in posts:
                post.connection.write(Busy(post.id))
            return
        done = log.append(posts, version)
        yield
        if done is None:
            # Somebody's rights have changed; look again who may, before anybody who came later.
            self.waiting.extendleft(reversed(posts))
            return
        if self.world.rules.ack_after_commit:
            for post in posts:
                post.connection.write(Ack(post.id))
        if done.events:
            self.process.publish(done)


class HubRoom:
    def __init__(self, name: str) -> None:
        self.name = name
        self.epoch = self.cursor = self.version = self.wanted = self.entering = 0
        self.is_ready = self.is_reading = self.is_filling = self.is_subscribed = False
        self.seats: dict[Connection, Seat] = {}
        self.ring: deque[Batch] = deque()

    @property
    def ring_floor(self) -> int:
        return self.ring[0].prev if self.ring else self.cursor

    def count_in(self, epoch: int) -> None:
        if self.epoch and epoch != self.epoch:
            # Of a backup the access version may be an earlier one: the next poll asks for everybody.
            self.version = -1
        self.epoch = epoch

    def start_at(self, part: Part) -> None:
        self.ring.clear()
        self.count_in(part.epoch)
        self.cursor = part.head

    def add(self, batch: Batch) -> None:
        self.ring.append(batch)
        self.cursor = batch.head
        while len(self.ring) > 1 and sum(len(each.events) for each in self.ring) > RING_EVENTS:
            self.ring.popleft()

    def after(self, cursor: int, most: int) -> Batch:
        """What follows *cursor*, *most* events or a batch more of it."""
        start = max(0, bisect_right(self.ring, cursor, key=lambda batch: batch.prev) - 1)
        events: list[Message] = []
        head = cursor
        for place in range(start, len(self.ring)):
            batch = self.ring[place]
            events += [event for event in batch.events if event.rev > cursor]
            head = batch.head
            if len(events) >= most:
                break
        return Batch(self.name, self.epoch, cursor, head, events)


class Seat:
    def __init__(self, room: HubRoom, connection: Connection, cursor: int) -> None:
        self.room = room
        self.connection = connection
        self.cursor = cursor
        self.is_reading = False


class Hub:
    def __init__(self, process: Process) -> None:
        self.process = process
        self.world = process.world
        self.rules = process.world.rules
        self.rooms: dict[str, HubRoom] = {}

    def enter(self, connection: Connection, name: str, epoch: int, since: int | None, version: int) -> Steps:
        """Subscribe, read, take the seat and whatever came meanwhile."""
        room = self.rooms.get(name)
        if room is None:
            room = self.rooms[name] = HubRoom(name)
            self.process.start(self._subscribe(room))
        room.entering += 1
        yield from self._make_ready(room)
        self.unseat(connection, name)
        if since is not None and self._covers(room, epoch, since):
            part = Part(room.epoch, since, room.cursor, room.after(since, 10**9).events, room.version)
        else:
            part = yield from answer(self.world.logs[name].read(epoch, since))
        room.entering -= 1
        if not connection.is_open:
            return
        seat = Seat(room, connection, part.head if self.rules.subscribe_before_reading else room.cursor)
        room.seats[connection] = connection.seats[name] = seat
        connection.write(Joined(name, part))
        if part.head > room.cursor:
            room.wanted = max(room.wanted, part.head)
            self._fill(room)
        self.advance(seat)
        if version < room.version:
            self.process.start(connection.check_access(name))

    def _covers(self, room: HubRoom, epoch: int, since: int) -> bool:
        same = since == 0 or epoch == room.epoch or not self.rules.epochs_are_compared
        reaches = room.ring_floor <= since or not self.rules.ring_is_asked_for_its_floor
        return same and reaches and since <= room.cursor

    def unseat(self, connection: Connection, name: str) -> None:
        seat = connection.seats.pop(name, None)
        if seat is not None:
            seat.room.seats.pop(connection, None)

    def close_empty(self) -> None:
        for room in list(self.rooms.values()):
            if not room.seats and not room.entering and not room.is_filling and not room.is_reading:
                del self.rooms[room.name]

    def _subscribe(self, room: HubRoom) -> Steps:
        yield
        room.is_subscribed = True
        if room.is_ready:
            self._fill(room)

    def _make_ready(self, room: HubRoom) -> Steps:
        while not room.is_ready:
            if room.is_reading:
                yield
                continue
            room.is_reading = True
            part = yield from answer(self.world.logs[room.name].tail())
            room.start_at(part)
            room.version, room.cursor = part.version, part.prev
            if part.head > part.prev:
                room.add(Batch(room.name, part.epoch, part.prev, part.head, part.events))
            room.is_reading, room.is_ready = False, True

    # News ---------------------------------------------------------------------------------------------------------

    def hear(self, news: Batch | Access) -> None:
        room = self.rooms.get(news.room)
        if room is None or not room.is_ready:
            return
        if isinstance(news, Access):
            self._hear_access(room, news.version, news.sender)
            return
        room.wanted = max(room.wanted, news.head)
        if news.epoch != room.epoch and room.cursor and self.rules.epochs_are_compared:
            self._fill(room)
        elif news.head <= room.cursor:
            pass
        elif news.prev <= room.cursor or not self.rules.hub_checks_prev:
            room.count_in(news.epoch)
            self._tell(room, news)
        else:
            self._fill(room)

    def _hear_access(self, room: HubRoom, version: int, sender: int | None) -> None:
        if version > room.version:
            known = sender if version == room.version + 1 else None
            room.version = version
            for connection in room.seats:
                if known is None or connection.client.key == known:
                    self.process.start(connection.check_access(room.name))

    def _tell(self, room: HubRoom, batch: Batch) -> None:
        if batch.prev < room.cursor:
            new = [event for event in batch.events if event.rev > room.cursor]
            batch = batch._replace(prev=room.cursor, events=new)
        prev = room.cursor
        room.add(batch)
        for seat in list(room.seats.values()):
            if seat.cursor == prev and seat.connection.is_ready and not seat.is_reading:
                seat.cursor = batch.head
                seat.connection.write(batch)
            else:
                self.advance(seat)

    def advance(self, seat: Seat) -> None:
        """Give a connection what follows its position, as long as it takes it."""
        room = seat.room
        if not seat.connection.is_ready and not self.rules.dropping_leaves_the_cursor:
            seat.cursor = room.cursor
        while seat.cursor < room.cursor and seat.connection.is_ready and not seat.is_reading:
            if seat.cursor < room.ring_floor and self.rules.ring_is_asked_for_its_floor:
                seat.is_reading = True
                self.process.start(self._catch_up(seat))
                return
            batch = room.after(seat.cursor, FRAME_EVENTS)
            seat.cursor = batch.head
            seat.connection.write(batch)

    # Holes --------------------------------------------------------------------------------------------------------

    def _fill(self, room: HubRoom) -> None:
        if not room.is_filling and self.rules.hub_fills_holes:
            room.is_filling = True
            self.process.start(self._read_on(room))

    def _read_on(self, room: HubRoom) -> Steps:
        while True:
            cursor = room.cursor
            part = yield from answer(self.world.logs[room.name].read(room.epoch, cursor))
            if part.reset:
                self._restart(room, part)
            elif part.head > room.cursor and part.prev <= room.cursor:
                room.count_in(part.epoch)
                self._tell(room, Batch(room.name, part.epoch, part.prev, part.head, part.events))
            if room.cursor >= room.wanted or room.cursor == cursor:
                room.wanted = room.cursor
                room.is_filling = False
                return

    def _restart(self, room: HubRoom, part: Part) -> None:
        room.start_at(part)
        for seat in room.seats.values():
            seat.cursor = part.head
            if self.rules.restart_is_told:
                seat.connection.write(Joined(room.name, part))

    def _catch_up(self, seat: Seat) -> Steps:
        room, connection = seat.room, seat.connection
        part = yield from answer(self.world.logs[room.name].read(room.epoch, seat.cursor))
        seat.is_reading = False
        if connection.seats.get(room.name) is not seat or part.head < seat.cursor:
            return
        seat.cursor = part.head
        if part.reset:
            connection.write(Joined(room.name, part))
        else:
            connection.write(Batch(room.name, part.epoch, part.prev, part.head, part.events))
        self.advance(seat)

    def poll(self) -> Steps:
        rooms = [(room, room.version) for room in self.rooms.values() if room.is_ready]
        logs = self.world.logs
        states = [(logs[room.name].epoch, logs[room.name].head, logs[room.name].version) for room, _ in rooms]
        yield
        for (room, version_then), (epoch, head, version) in zip(rooms, states, strict=True):
            room.wanted = max(room.wanted, head)
            if not room.cursor:
                room.count_in(epoch)
            if head > room.cursor or (epoch != room.epoch and room.cursor and self.rules.epochs_are_compared):
                self._fill(room)
            if self.rules.poll_compares_access:
                if version < version_then == room.version:
                    room.version = -1
                self._hear_access(room, version, None)


def answer(reading: Iterator[None | Part]) -> Iterator[None]:
    """Wait for a read of the log, and for its answer to travel. Returns the answer."""
    yield
    for part in reading:
        yield
        if part is not None:
            return part
    raise AssertionError("a read ends with an answer")


class Connection:
    """A socket, seen from the server: what it was told, and what its client has seen of that."""

    def __init__(self, process: Process, client: Client) -> None:
        self.process = process
        self.client = client
        self.is_open = True
        self.is_handling = False
        self.up: deque[Join | Say | Seen] = deque()
        self.down: deque[object] = deque()
        self.seats: dict[str, Seat] = {}
        self.is_blocked = False
        self.unseen = self.mark_size = 0
        self.mark: dict[str, int] | None = None
        self.seen: dict[str, int] = {}
        self.told: dict[str, tuple[int, int]] = {}
        process.connections.add(self)

    @property
    def is_ready(self) -> bool:
        return not self.is_blocked

    def write(self, frame: Joined | Batch | Ack | Refused | Busy | ShutOut | Heads) -> None:
        if not self.is_open:
            return
        self.down.append(frame)
        if isinstance(frame, Batch):
            epoch, head = self.told[frame.room]
            if frame.prev > head and epoch == frame.epoch:
                self.client.world.report(JOIN_UP)
            self.told[frame.room] = frame.epoch, frame.head
            self._count(1 + len(frame.events))
        elif isinstance(frame, Joined):
            self.told[frame.room] = frame.part.epoch, frame.part.head
            self._count(1 + len(frame.part.events))

    def read_frame(self) -> None:
        """One frame after the other: the next is not read before this one is done."""
        if not self.up or self.is_handling:
            return
        frame = self.up.popleft()
        if isinstance(frame, Say):
            self.process.inbox.put(Post(self.client.key, frame.room, frame.id, frame.said, self))
        elif isinstance(frame, Seen):
            self._note_seen(frame.heads)
        else:
            self.is_handling = True
            self.process.start(self._enter(frame))

    def _enter(self, frame: Join) -> Steps:
        log = self.client.world.logs[frame.room]
        may, version = self.client.key not in log.banned, log.version
        yield
        if may:
            yield from self.process.hub.enter(self, frame.room, frame.epoch, frame.since, version)
        else:
            self.process.hub.unseat(self, frame.room)
            self.write(ShutOut(frame.room))
        self.is_handling = False

    def check_access(self, name: str) -> Steps:
        yield
        may = self.client.key not in self.client.world.logs[name].banned
        yield
        if not may and name in self.seats:
            self.process.hub.unseat(self, name)
            self.write(ShutOut(name))

    def _count(self, size: int) -> None:
        self.unseen += size
        self._set_mark()
        self.is_blocked = self.is_blocked or self.unseen > UNSEEN_MAX

    def _set_mark(self) -> None:
        if self.mark is None and self.unseen >= MARK:
            self.mark = {name: seat.cursor for name, seat in self.seats.items()}
            self.mark_size = self.unseen

    def _note_seen(self, heads: dict[str, int]) -> None:
        self.seen.update((name, head) for name, head in heads.items() if name in self.seats)
        if self.mark is None or any(
            self.seen.get(name, -1) < head for name, head in self.mark.items() if name in self.seats
        ):
            return
        self.unseen -= self.mark_size
        self.mark = None
        self._set_mark()
        if self.is_blocked:
            self.is_blocked = False
            for seat in list(self.seats.values()):
                self.process.hub.advance(seat)

    def ping(self) -> None:
        if self.client.world.rules.pings_carry_heads and self.is_ready:
            self.write(Heads({name: seat.room.cursor for name, seat in self.seats.items()}))

    def close_if_stuck(self) -> None:
        """It has not seen anything for 30 s."""
        if self.is_blocked:
            self.client.lose_connection()

    def end(self) -> None:
        self.is_open = False
        self.process.connections.discard(self)
        for name in list(self.seats):
            self.process.hub.unseat(self, name)


class View:
    """A room as a client has it."""

    def __init__(self) -> None:
        self.epoch = self.cursor = 0
        self.is_known = self.is_joining = self.is_shut_out = False
        self.messages: dict[int, Message] = {}
        self.oldest = 0
        """Messages before it are on pages that were not asked for."""


class Client:
    """One person and their browser. The views and what is not yet acknowledged outlive every connection."""

    def __init__(self, world: World, key: int) -> None:
        self.world = world
        self.rules = world.rules
        self.key = key
        self.views = {room: View() for room in ROOMS}
        self.connection: Connection | None = None
        self.pending: list[tuple[str, str]] = []
        """What they said and in which room, in order; the first is under way."""
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
        """Frames under way in both directions are lost with it."""
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
        """The first, which is sent again with the same id until somebody answers; the others wait for that."""
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
        """To enter the rooms that one was put out of."""
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
        """The cursor rule."""
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
        """The log as it is. Of what was pruned, they may still have the last state, and no other."""
        view, log = self.views[room], self.world.logs[room]
        there = {seq: message for seq, message in log.messages.items() if seq >= view.oldest}
        here = {
            seq: message
            for seq, message in view.messages.items()
            if seq >= view.oldest and log.pruned.get(seq) != message
        }
        return here == there


class World:
    """One history. Everything that happens in it follows from the seed and the rules."""

    def __init__(self, seed: int, rules: Rules) -> None:
        self.random = Random(seed)
        self.rules = rules
        self.violations: set[str] = set()
        self.epochs = 1
        self.logs = {room: Log(self, room) for room in ROOMS}
        self.backups = {room: log.backup() for room, log in self.logs.items()}
        self.tasks: list[tuple[Process, Steps]] = []
        self.bus: list[tuple[Process, Batch | Access]] = []
        self.processes = [Process(self) for _ in range(PROCESSES)]
        self.clients = [Client(self, key) for key in range(CLIENTS)]
        self.sent: set[str] = set()
        self.acked: set[str] = set()
        self.refused: set[str] = set()
        self.unmade: set[str] = set()
        """What was stored after the backup that was restored."""
        self.is_calm = False

    def report(self, check: str) -> None:
        self.violations.add(check)

    def happens(self, chance: float) -> bool:
        return not self.is_calm and self.random.random() < chance

    def pick(self, things: list[T]) -> T:
        return things[int(self.random.random() * len(things))]

    def copies(self) -> int:
        """How often the bus delivers one message."""
        return 0 if self.happens(0.15) else 2 if self.happens(0.1) else 1

    def run(self) -> set[str]:
        way = [action for action, weight in self._under_way() for _ in range(weight)]
        day = way + [action for action, weight in self._begun() for _ in range(weight)]
        for _ in range(STEPS):
            self.pick(day)()
        for _ in range(EVENING_STEPS):
            self.pick(way)()
        self.is_calm = True
        self._settle()
        self._judge_bans()
        for log in self.logs.values():
            for sender in log.banned:
                self.processes[0].publish(log.set_banned(sender, False))
        for client in self.clients:
            client.try_again()
        self._settle()
        self._judge()
        return self.violations

    def _under_way(self) -> list[tuple[Callable[[], object], int]]:
        """What goes on by itself, and how often compared with the rest."""
        return [
            (self._step_task, 150),
            (lambda: self._with_connection(Connection.read_frame), 120),
            (lambda: self.pick(self.clients).receive(), 140),
            (self._deliver_news, 40),
            (lambda: self.pick(self.clients).connect(), 30),
            (lambda: self.pick(self.clients).lose_connection(), 3),
            (lambda: self.pick(self.clients).send_seen(), 50),
            (lambda: self.pick(self.clients).try_again(), 4),
            (lambda: self._with_connection(Connection.ping), 6),
            (lambda: self._with_connection(Connection.close_if_stuck), 1),
            (self._poll, 6),
            (lambda: self.pick(self.processes).hub.close_empty(), 3),
        ]

    def _begun(self) -> list[tuple[Callable[[], object], int]]:
        """What somebody does."""
        return [
            (lambda: self.pick(self.clients).say(self.pick(ROOMS)), 20),
            (lambda: self._change("edited"), 8),
            (lambda: self._change(""), 4),
            (lambda: self._ban(True), 3),
            (lambda: self._ban(False), 3),
            (self._prune, 2),
            (lambda: self.pick(self.processes).crash(), 1),
            (self._backup_or_restore, 1),
            (lambda: self.pick(list(self.logs.values())).start_new_epoch(), 1),
        ]

    def _step_task(self) -> None:
        if self.tasks:
            self._step(self.pick(self.tasks))

    def _step(self, task: tuple[Process, Steps]) -> None:
        try:
            next(task[1])
        except StopIteration:
            # Unless it has made its own process crash.
            if task in self.tasks:
                self.tasks.remove(task)

    def _with_connection(self, act: Callable[[Connection], None]) -> None:
        connection = self.pick(self.clients).connection
        if connection is not None:
            act(connection)

    def _deliver_news(self) -> None:
        """In any order."""
        if self.bus:
            process, news = self.bus.pop(int(self.random.random() * len(self.bus)))
            room = process.hub.rooms.get(news.room)
            if room is not None and room.is_subscribed:
                process.hub.hear(news)

    def _poll(self) -> None:
        if self.rules.hub_polls:
            process = self.pick(self.processes)
            process.start(process.hub.poll())

    def _change(self, how: str) -> None:
        log = self.logs[self.pick(ROOMS)]
        if log.messages:
            seq = self.pick(list(log.messages))
            body = how and f"{log.messages[seq].body.partition(' ')[0]} {how} {self.random.random():.6f}"
            done = log.change(seq, body)
            if done is not None:
                self._publish_later(done)

    def _publish_later(self, news: Batch | Access) -> None:
        process = self.pick(self.processes)

        def publishing() -> Steps:
            yield
            process.publish(news)

        process.start(publishing())

    def _ban(self, banned: bool) -> None:
        log, sender = self.logs[self.pick(ROOMS)], self.pick(self.clients).key
        if (sender in log.banned) is not banned:
            self._publish_later(log.set_banned(sender, banned))

    def _prune(self) -> None:
        log = self.logs[self.pick(ROOMS)]
        if log.messages:
            log.prune(self.pick(sorted(log.messages)))

    def _backup_or_restore(self) -> None:
        """Every log gets a new epoch. A process that asks the database something meanwhile dies of it, others live on."""
        if self.random.random() < 0.6:
            self.backups = {room: log.backup() for room, log in self.logs.items()}
            return
        for process in self.processes:
            if any(process is busy for busy, _ in self.tasks) or self.random.random() < 0.5:
                process.crash()
        for room, log in self.logs.items():
            stored = {said for _, said in log.said}
            log.restore(self.backups[room])
            self.unmade |= stored - {said for _, said in log.said}
            log.start_new_epoch()

    def _settle(self) -> None:
        """Nothing fails any more; go on until nothing happens any more."""
        quiet = 0
        for round_ in range(300):
            before = self._fingerprint()
            for client in self.clients:
                client.connect()
                connection = client.connection
                assert connection is not None
                connection.read_frame()
                for _ in range(len(connection.down)):
                    client.receive()
                client.send_seen()
                if round_ % 4 == 0:
                    connection.ping()
                if round_ % 40 == 39:
                    connection.close_if_stuck()
            for task in list(self.tasks):
                self._step(task)
            for _ in range(len(self.bus)):
                self._deliver_news()
            if self.rules.hub_polls and round_ % 6 == 0:
                for process in self.processes:
                    process.start(process.hub.poll())
            quiet = quiet + 1 if before == self._fingerprint() and self._is_idle() else 0
            if quiet > 12:
                return

    def _is_idle(self) -> bool:
        return not self.bus and all(
            client.connection is not None
            and not client.connection.up
            and not client.connection.is_handling
            and not client.connection.is_blocked
            for client in self.clients
        )

    def _fingerprint(self) -> tuple[object, ...]:
        return (
            *((log.head, log.version) for log in self.logs.values()),
            *(
                (view.epoch, view.cursor, view.is_joining, view.is_shut_out)
                for client in self.clients
                for view in client.views.values()
            ),
            *(len(client.pending) for client in self.clients),
        )

    def _judge_bans(self) -> None:
        for client in self.clients:
            rooms = client.connection.seats if client.connection is not None else ()
            if any(client.key in self.logs[room].banned for room in rooms):
                self.report(PUT_OUT)

    def _judge(self) -> None:
        stored: set[str] = set()
        for log in self.logs.values():
            stored.update(said for _, said in log.said)
            if log.numbers != list(range(1, log.head + 1)):
                self.report(GAPLESS)
            if len(set(log.said)) != len(log.said):
                self.report(ONCE)
            for sender in range(CLIENTS):
                order = [int(said.partition(".")[2]) for who, said in log.said if who == sender]
                if list(dict.fromkeys(order)) != sorted(set(order)):
                    self.report(SENDER_ORDER)
            for client in self.clients:
                view = client.views[log.room]
                behind = view.cursor != log.head or (log.head > 0 and view.epoch != log.epoch)
                if behind or not client.sees(log.room):
                    self.report(STATE)
        if self.sent - stored - self.refused - self.unmade:
            self.report(STORED)
        if self.acked - stored - self.unmade:
            self.report(ACKED)


def run(seed: int, rules: Rules = Rules()) -> set[str]:  # noqa: B008  (frozen)
    """Play one history. Returns the checks that found something wrong."""
    return World(seed, rules).run()
