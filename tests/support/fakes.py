"""Stand-ins for time, the channel layer and sockets, for tests that look at one module alone."""

import asyncio
import heapq
import itertools
import json

from django_roomchat.identity import Identity


async def settle():
    """Let everything run that can run now."""
    for _ in range(30):
        await asyncio.sleep(0)


class Clock:
    """Time that passes when the test advances it. It replaces a module's `time` and its `asyncio.sleep`."""

    def __init__(self, monkeypatch, *modules):
        self.now = 1000.0
        self._order = itertools.count()
        self._sleepers = []
        for module in modules:
            monkeypatch.setattr(module, "time", self)
            monkeypatch.setattr(module, "asyncio", _Asyncio(self.sleep))

    def monotonic(self):
        return self.now

    async def sleep(self, seconds):
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._order), woken))
        await woken

    async def advance(self, seconds):
        """Let so many seconds pass, and everything happen that happens in them."""
        until = self.now + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= until:
            self.now, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)
            await settle()
        self.now = until


class _Asyncio:
    """asyncio, but for sleep."""

    def __init__(self, sleep):
        self.sleep = sleep

    def __getattr__(self, name):
        return getattr(asyncio, name)


class Layer:
    """A channel layer in memory that records calls, and fails if the test chooses."""

    def __init__(self, **options):
        # As of settings.CHANNEL_LAYERS: group_expiry, where the test gives one.
        vars(self).update(options)
        self.done = []
        self.error = None
        self.hangs = False
        self.gate = None
        """A future: what is asked of the layer waits for it."""
        self.arrivals = asyncio.Queue()

    async def _do(self, *what):
        if self.hangs:
            await asyncio.get_running_loop().create_future()
        if self.gate is not None:
            await self.gate
        if self.error is not None:
            raise self.error
        self.done.append(what)

    async def new_channel(self, prefix="specific."):
        await self._do("new_channel", prefix)
        return f"{prefix}!1"

    async def group_add(self, group, channel):
        await self._do("add", group, channel)

    async def group_discard(self, group, channel):
        await self._do("discard", group, channel)

    async def group_send(self, group, message):
        await self._do("send", group, message)

    async def receive(self, channel):
        arrival = await self.arrivals.get()
        if isinstance(arrival, Exception):
            raise arrival
        return arrival


class Socket:
    """A socket as the hub knows it, that applies what it gets as a client does."""

    def __init__(self, name="", is_tutorial=False, key="g:1"):
        self.name = name
        self.is_tutorial = is_tutorial
        self.who = Identity(key, name)
        self.subscriptions = {}
        self.is_ready = True
        self.blocked_since = None
        self.written = []
        """Every ASGI message, in order."""
        self.closed = None
        self.access = True
        """The return value of `check_access`."""
        self.checked = []

    def __repr__(self):
        return f"<Socket {self.name}>"

    @property
    def key(self):
        return self.who.key

    def write(self, message):
        self.written.append(message)

    reply = write

    def close(self, code, retry_after=None):
        self.closed = code, retry_after

    async def check_access(self, name):
        self.checked.append(name)
        return self.access

    @property
    def frames(self):
        return [json.loads(message["text"]) for message in self.written]

    def block(self, since=0.0):
        self.is_ready, self.blocked_since = False, since

    def unblock(self):
        self.is_ready, self.blocked_since = True, None

    def shown(self, room="lobby"):
        """The room as a client shows it that follows the cursor rule: the latest state of each message, by sequence number.

        Raises AssertionError if the frames have a gap or contain an event twice.
        """
        cursor, epoch, state = 0, "", {}
        for frame in self.frames:
            if frame.get("room") != room or frame["type"] not in ("joined", "events"):
                continue
            if frame["type"] == "joined":
                if frame.get("reset"):
                    state, cursor = {}, frame["head"]
                    state.update((event["seq"], event) for event in frame["events"])
                    epoch = frame["epoch"]
                    continue
                cursor = frame["prev"]
            assert frame["prev"] == cursor, f"{self} stood at {cursor} and got {frame}"
            assert epoch in ("", frame["epoch"]), f"{self} was in {epoch} and got {frame}"
            revs = [event["rev"] for event in frame["events"]]
            assert revs == sorted(revs) and all(cursor < rev <= frame["head"] for rev in revs)
            state.update((event["seq"], event) for event in frame["events"])
            cursor, epoch = frame["head"], frame["epoch"]
        return state, cursor
