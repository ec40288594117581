"""The processes of the model: the group commit, the hub and the connections."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.model.rules import (
    BATCH_MAX,
    FRAME_EVENTS,
    JOIN_UP,
    MARK,
    RING_EVENTS,
    ROOMS,
    UNSEEN_MAX,
    Access,
    Ack,
    Batch,
    Busy,
    Heads,
    Join,
    Joined,
    Message,
    Part,
    Post,
    Refused,
    Say,
    Seen,
    ShutOut,
    Steps,
)

if TYPE_CHECKING:
    from tests.model.client import Client
    from tests.model.protocol_model import World


class Process:
    """A server process. Its memory is lost when it crashes."""

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
        """Deliver to this process at once, and to the others through the bus."""
        world = self.world
        self.hub.hear(news)
        for process in world.processes:
            if process is not self:
                for _ in range(world.copies()):
                    world.bus.append((process, news))


class Inbox:
    """Posts that wait for the database, and are committed together."""

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
            # A user's rights have changed; check the rights again, before any later post.
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
            # A backup may have an earlier access version: the next poll checks all members.
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
        """Return the changes after *cursor*: whole batches, until there are at least *most* events."""
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
        """Subscribe, read, create the subscription of the socket, and send the changes that were published meanwhile."""
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

    # Published changes ---------------------------------------------------------------------------------------------------------

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
        """Send the changes after a connection's cursor, as long as it is ready."""
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
    """Wait for a read of the log and for its transport, and return its result."""
    yield
    for part in reading:
        yield
        if part is not None:
            return part
    raise AssertionError("a read ends with an answer")


class Connection:
    """A socket at the server: the frames that it was sent, and the changes that its client has acknowledged as seen."""

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
        """Handle one frame, unless an earlier frame is still being handled."""
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
        """Close the connection if its client has seen nothing for 30 s."""
        if self.is_blocked:
            self.client.lose_connection()

    def end(self) -> None:
        self.is_open = False
        self.process.connections.discard(self)
        for name in list(self.seats):
            self.process.hub.unseat(self, name)
