"""A hub over logs in memory."""

import json

from django_roomchat import log, pubsub
from django_roomchat.log import State
from django_roomchat.protocol import Author, Event, encode_event
from django_roomchat.pubsub import Batch
from django_roomchat.realtime.hub import Hub
from tests.support.fakes import Socket

EPOCH = "11111111-1111-4111-8111-111111111111"
OTHER_EPOCH = "22222222-2222-4222-8222-222222222222"


class Log:
    """A room's log in memory, read as `django_roomchat.log` reads it. Reads can be held up and can fail."""

    def __init__(self, name="lobby", limit=500, page=50):
        self.name, self.limit, self.page = name, limit, page
        self.epoch, self.floor, self.head, self.access_version = EPOCH, 0, 0, 0
        self.messages = {}
        self.reads = []
        self.error = None
        self.gate = None
        self.before_read = None

    def append(self, count=1, body="hi"):
        """Messages take the next numbers. Returns the news of it."""
        prev = self.head
        for seq in range(prev + 1, prev + count + 1):
            self.messages[seq] = Event(
                seq, seq, f"id{seq}", "user", Author("u:1", "Ana"), body, "2026-11-21T10:00:00.123Z"
            )
        self.head = prev + count
        return self.news(prev)

    def change(self, seq, **values):
        prev = self.head
        self.head += 1
        self.messages[seq] = replace_event(self.messages[seq], rev=self.head, **values)
        return self.news(prev)

    def since(self, prev, head):
        return sorted((e for e in self.messages.values() if prev < e.rev <= head), key=lambda e: e.rev)

    def news(self, prev, head=None):
        head = self.head if head is None else head
        return Batch(
            self.name, self.epoch, prev, head, [(e.rev, encode_event(e)) for e in self.since(prev, head)]
        )

    def doorbell(self):
        return Batch(self.name, self.epoch, 0, self.head, [])

    def state(self):
        return (
            State(self.epoch, self.head, self.access_version) if self.head or self.access_version else State()
        )

    def _slice(self, prev, events, **more):
        epoch = self.epoch if self.head else ""
        return log.Slice(
            self.name,
            "Lobby",
            epoch,
            self.floor,
            prev,
            self.head,
            events,
            access_version=self.access_version,
            **more,
        )

    async def _wait(self, *what):
        self.reads.append(what)
        if self.before_read is not None:
            self.before_read()
        if self.error is not None:
            raise self.error

    async def read(self, name, epoch, since):
        await self._wait("read", epoch, since)
        part = self._read(epoch, since)
        if self.gate is not None:
            await self.gate
        return part

    def _read(self, epoch, since):
        if since is None:
            reset = "new"
        elif since and epoch != self.epoch:
            reset = "epoch"
        elif since > self.head:
            reset = "ahead"
        elif since < self.floor:
            reset = "floor"
        else:
            events = self.since(since, self.head)
            if len(events) <= self.limit:
                return self._slice(since, events)
            reset = "gap"
        newest = [self.messages[seq] for seq in sorted(self.messages)]
        return self._slice(0, newest[-self.page :], reset=reset, more=len(newest) > self.page)

    async def tail(self, name, changes):
        await self._wait("tail", changes)
        prev = max(self.floor, self.head - changes)
        part = self._slice(prev, self.since(prev, self.head))
        if self.gate is not None:
            await self.gate
        return part


def replace_event(event, **values):
    return Event(**{name: getattr(event, name) for name in event.__struct_fields__} | values)


class House:
    """A hub over logs in memory."""

    def __init__(self, *logs):
        self.logs = {each.name: each for each in logs}
        self.states_error = None
        self.states_asked = []
        self.hub = Hub(read=self.read, tail=self.tail, states=self.states)

    async def read(self, name, epoch, since):
        return await self.logs[name].read(name, epoch, since)

    async def tail(self, name, changes):
        return await self.logs[name].tail(name, changes)

    async def states(self, names):
        self.states_asked.append(names)
        if self.states_error is not None:
            raise self.states_error
        return {name: self.logs[name].state() for name in names if self.logs[name].state() != State()}

    def hear(self, *news):
        for each in news:
            self.hub._receive(each)

    async def enter(self, socket=None, name="lobby", epoch="", since=None, **options):
        socket = socket or Socket()
        self.hub.add(socket)
        await self.hub.enter(socket, name, epoch, since, **options)
        return socket


def revs(socket, type="events"):
    return [[event["rev"] for event in frame["events"]] for frame in socket.frames if frame["type"] == type]


def joined(socket):
    return [
        (frame["prev"], frame["head"], [event["rev"] for event in frame["events"]], frame.get("reset"))
        for frame in socket.frames
        if frame["type"] == "joined"
    ]


# The order at the door: may they -> subscribe -> read -> merge -------------------------------------------------------


def shown(log, seq):
    return json.loads(encode_event(log.messages[seq]))


# The layer -----------------------------------------------------------------------------------------------------------


class LayerClient:
    """Remembers what a hub asks of its place on the layer."""

    made = []

    def __init__(self, alias, deliver, joined, identify):
        self.alias, self.deliver, self.joined = alias, deliver, joined
        self.asked = []
        self.hears_everybody = False
        self.is_down = False
        self.made.append(self)

    def join(self, group):
        if group == pubsub.group_name(pubsub.BROADCAST):
            self.hears_everybody = True
        else:
            self.asked.append(("join", group))

    def leave(self, group):
        self.asked.append(("leave", group))

    def send(self, group, news):
        self.asked.append(("send", group, news))

    def stop(self):
        self.asked.append(("stop",))

    async def close(self):
        self.asked.append(("farewell",))
