"""Members: clients that follow the protocol, post without end, and keep a record for the checker.

One post at a time, each with an id of its own that every retry repeats; a cursor for each room; ``seen`` while it moves;
and after every loss of the connection a new one, with full-jitter back-off.
"""

import asyncio
import contextlib
import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from tests.faults.checker import History, Post, Shown, View

SUBPROTOCOL = "roomchat.v1"
SEEN_SECONDS = 2.0
SEEN_BYTES = 65_536
OPEN_SECONDS = 4.0
BACK_OFF_SECONDS = 0.25
BACK_OFF_MAX_SECONDS = 2.0
UNANSWERED_SECONDS = 30.0
"""A post without an answer on a socket that lives for so long is a fault of the server, and is counted."""
CHANGES = 0.06
"""The part of what a member does that edits or deletes."""


@dataclass
class Record:
    """The records of all members of a run."""

    history: History = field(default_factory=History)
    counts: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    closes: Counter[str] = field(default_factory=Counter)
    resets: Counter[str] = field(default_factory=Counter)
    acks: list[float] = field(default_factory=list)
    """Seconds from saying something first to its ack."""
    delays: list[tuple[float, float]] = field(default_factory=list)
    """For every message received on an open socket: the time, and the seconds since it was posted."""
    absences: list[tuple[float, float]] = field(default_factory=list)
    """For every connection that was lost: when, and how many seconds until its member had caught up."""
    said: dict[str, float] = field(default_factory=dict)
    """The time at which each id was first posted."""


class Member:
    """A member of several rooms.

    Args:
        number: number of the member, which also seeds its actions.
        ws_url: WebSocket URL of the site.
        rooms: the first is in the socket's URL, the others are joined.
        cookie: session cookie.
        record: the record of the run.
        think: average time between an ack and the next post, in seconds.
        silence: time without a frame after which the member opens a new socket, in seconds.
        changes: the fraction of the actions that are edits or deletions.
        back_off: maximum of the first and of the longest pause between attempts to connect, in seconds.
    """

    def __init__(
        self,
        number: int,
        ws_url: str,
        rooms: Sequence[str],
        cookie: str,
        record: Record,
        *,
        seed: int = 0,
        think: float = 0.05,
        silence: float = 6.0,
        changes: float = CHANGES,
        back_off: tuple[float, float] = (BACK_OFF_SECONDS, BACK_OFF_MAX_SECONDS),
    ) -> None:
        self.name = f"member {number}"
        self.key = ""
        self.ws_url = ws_url
        self.rooms = list(rooms)
        self.cookie = cookie
        self.record = record
        self.think = think
        self.silence = silence
        self.changes = changes
        self.back_off = back_off
        self.opened_at = 0.0
        self.measures = True
        """Their record has the delay of what they receive."""
        self.random = random.Random(f"{seed} {number}")
        self.number = number
        self.epochs = dict.fromkeys(rooms, "")
        self.views = {room: View(self.name, room) for room in rooms}
        record.history.views += self.views.values()
        self.is_talking = True
        self.pending: Post | None = None
        self.last_answer = ""
        self._mine: list[Post] = []
        self._count = 0
        self._socket: ClientConnection | None = None
        self._ready = asyncio.Event()
        self._ready_rooms: set[str] = set()
        self._answers: dict[str, asyncio.Future[dict[str, Any] | None]] = {}
        self._heard = 0.0
        self._lost: float | None = None
        self._retry_after: float | None = None
        self._unseen_bytes = 0
        self._seen_at = 0.0
        self._seen: dict[str, int] = {}
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_ready(self) -> bool:
        """Connected, and in all rooms."""
        return self._ready.is_set()

    @property
    def state(self) -> str:
        """The state of the member, for a report of an incomplete run."""
        return (
            f"{self.name}: in {len(self._ready_rooms)} of {self.rooms}, connected: {self._socket is not None}"
        )

    @property
    def local_port(self) -> int | None:
        """Local TCP port of the socket."""
        return None if self._socket is None else int(self._socket.local_address[1])

    def hang_up(self) -> None:
        """Tear the line; they come back by themselves."""
        if self._socket is not None:
            self._socket.transport.abort()

    def start(self, *, talk: bool = True) -> None:
        self._tasks = [asyncio.create_task(self._stay()), asyncio.create_task(self._watch())]
        if talk:
            self._tasks.append(asyncio.create_task(self._talk()))

    async def end(self) -> None:
        """Stop posting and disconnect."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._socket is not None:
            self._socket.transport.abort()
            self._socket = None

    # The connection ------------------------------------------------------------------------------------------------

    async def _stay(self) -> None:
        tries = 0
        while True:
            self._retry_after = None
            try:
                await self._open()
                tries = 0
                await self._listen()
            except (OSError, TimeoutError, InvalidHandshake, InvalidMessage, EOFError) as error:
                self.record.counts[f"not opened: {type(error).__name__}"] += 1
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd else 1006
                self.record.closes[str(code)] += 1
            self._hang_up()
            # Full jitter; or what the server asked for.
            pause = self.random.uniform(0, min(self.back_off[1], self.back_off[0] * 2**tries))
            tries += 1
            await asyncio.sleep(pause if self._retry_after is None else self._retry_after)

    async def _open(self) -> None:
        first = self.rooms[0]
        position = (
            f"?epoch={self.epochs[first]}&since={self.views[first].cursor}" if self.epochs[first] else ""
        )
        self._socket = await connect(
            f"{self.ws_url}/ws/chat/{quote(first, safe='')}/{position}",
            subprotocols=[SUBPROTOCOL],  # type: ignore[list-item]  # a NewType of str
            additional_headers={"Cookie": self.cookie} if self.cookie else {},
            compression=None,
            ping_interval=None,
            max_size=None,
            max_queue=None,
            open_timeout=OPEN_SECONDS,
            proxy=None,
        )
        self._heard = time.monotonic()
        for room in self.rooms[1:]:
            await self._join(room)

    async def _join(self, room: str) -> None:
        frame: dict[str, Any] = {"type": "join", "room": room}
        if self.epochs[room]:
            frame |= {"epoch": self.epochs[room], "since": self.views[room].cursor}
        await self._send(frame)

    async def _send(self, frame: dict[str, Any]) -> None:
        assert self._socket is not None
        await self._socket.send(json.dumps(frame))

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.transport.abort()
            self._socket = None
        if self._lost is None:
            self._lost = time.monotonic()
        self._ready.clear()
        self._ready_rooms.clear()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_result(None)

    async def _watch(self) -> None:
        """Detects silence, and sends ``seen`` frames."""
        while True:
            await asyncio.sleep(0.5)
            socket, now = self._socket, time.monotonic()
            if socket is None:
                continue
            if now - self._heard > self.silence:
                self.record.counts["gave up a silent socket"] += 1
                socket.transport.abort()
            elif self._ready.is_set() and now - self._seen_at > SEEN_SECONDS:
                with contextlib.suppress(ConnectionClosed):
                    await self._say_seen()

    async def _say_seen(self) -> None:
        self._seen_at, self._unseen_bytes = time.monotonic(), 0
        moved = {
            room: view.cursor for room, view in self.views.items() if self._seen.get(room) != view.cursor
        }
        if moved:
            self._seen.update(moved)
            await self._send({"type": "seen", "heads": moved})

    # What comes ----------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        assert self._socket is not None
        self._seen.clear()
        while True:
            text = await self._socket.recv()
            self._heard = time.monotonic()
            frame = json.loads(text)
            match frame["type"]:
                case "events":
                    self._unseen_bytes += len(text)
                    await self._take(frame)
                case "ack":
                    self._answered(frame)
                case "error":
                    await self._refused(frame)
                case "joined":
                    self._joined(frame)
                case "ping":
                    await self._compare(frame["heads"])
                case "welcome":
                    self._welcomed(frame)
                case "bye":
                    self.record.counts[f"bye {frame['code']}"] += 1
                    self._retry_after = frame.get("retry_after")
            if self._unseen_bytes > SEEN_BYTES:
                await self._say_seen()

    def _welcomed(self, frame: dict[str, Any]) -> None:
        key = frame["you"]["key"]
        if self.key and key != self.key:
            self.record.counts["became somebody else"] += 1
        self.key = key

    def _joined(self, frame: dict[str, Any]) -> None:
        room = frame["room"]
        view = self.views[room]
        if "reset" in frame:
            self.record.resets[frame["reset"]] += 1
            if view.cursor:
                # What they had is thrown away, and is judged as what it was: a beginning without holes.
                view.is_live = False
                view = self.views[room] = View(self.name, room)
                self.record.history.views.append(view)
            self.epochs[room] = frame["epoch"]
            view.since = frame["events"][0]["seq"] - 1 if frame.get("more") else 0
            self._apply(view, frame, live=False)
        elif frame["prev"] <= view.cursor:
            self.epochs[room] = frame["epoch"]
            self._apply(view, frame, live=False)
        self._ready_rooms.add(room)
        if len(self._ready_rooms) == len(self.rooms) and not self._ready.is_set():
            self._ready.set()
            self.opened_at = self._heard
            if self._lost is not None:
                self.record.absences.append((self._lost, self._heard - self._lost))
                self._lost = None

    async def _take(self, frame: dict[str, Any]) -> None:
        room = frame["room"]
        view = self.views[room]
        if frame["prev"] > view.cursor or (view.cursor and frame["epoch"] != self.epochs[room]):
            self.record.counts["holes noticed"] += 1
            await self._join(room)
        else:
            self.epochs[room] = frame["epoch"]
            self._apply(view, frame, live=True)

    def _apply(self, view: View, frame: dict[str, Any], *, live: bool) -> None:
        cursor = view.cursor
        view.frames.append(
            f"{self.opened_at % 1000:.2f}+{self._heard - self.opened_at:.2f} {frame['type']} {frame.get('reset', '')} "
            f"({frame['prev']}, {frame['head']}] {len(frame['events'])} at {cursor}"
        )
        if frame["head"] <= cursor:
            return
        starts_over = "reset" in frame
        for event in frame["events"]:
            rev = event["rev"]
            if rev <= cursor and not starts_over:
                continue
            seq, id = event["seq"], event["id"]
            view.messages[seq] = Shown(
                seq, rev, event["author"]["key"], id, event["body"], "deleted_at" in event
            )
            if not starts_over:
                view.applied.append(rev)
                if live and rev == seq and self.measures:
                    self.record.delays.append(
                        (self._heard, self._heard - self.record.said.get(id, self._heard))
                    )
        self.record.counts["events"] += len(frame["events"])
        view.cursor = frame["head"]

    async def _compare(self, heads: dict[str, int]) -> None:
        """The ping contains the heads of the rooms. It follows all earlier events, so a lower cursor means a lost event."""
        for room, head in heads.items():
            if self.views[room].cursor < head:
                self.record.counts["behind at a ping"] += 1
                await self._join(room)
        await self._send({"type": "seen", "heads": {room: view.cursor for room, view in self.views.items()}})

    def _answered(self, frame: dict[str, Any]) -> None:
        answer = self._answers.get(frame["id"])
        if answer is not None and not answer.done():
            answer.set_result(frame)

    async def _refused(self, frame: dict[str, Any]) -> None:
        self.record.refusals[frame["code"]] += 1
        if frame.get("frame") == "join":
            # Into a room that cannot be read just now. A new socket asks again, after a pause.
            assert "retry_after" in frame, frame
            self.hang_up()
        else:
            self._answered({"id": ""} | frame)

    # What goes -----------------------------------------------------------------------------------------------------

    async def _talk(self) -> None:
        await self._ready.wait()
        while True:
            await asyncio.sleep(self.random.uniform(0, 2 * self.think))
            if not self.is_talking:
                return
            if self._mine and self.random.random() < self.changes:
                await self._change(self.random.choice(self._mine[-20:]))
            else:
                await self.say(self.random.choice(self.rooms))

    async def say(self, room: str, body: str = "") -> Post:
        """Post a message, with retries until it is answered."""
        await self._ready.wait()
        self._count += 1
        # The number stands in the id, so that a violation can be followed through the logs.
        id = f"{self.number}-{self._count}-{self.random.getrandbits(64):016x}"
        post = Post(
            self.key, room, id, body or f"{id} {'x' * self.random.randrange(1, 120)}", time.monotonic()
        )
        self.record.said[id] = post.invoked
        self.record.history.posts.append(post)
        self.pending = post
        frame = {"type": "post", "room": room, "id": id, "body": post.body}
        answer, post.attempts = await self._insist(id, frame)
        if answer["type"] == "ack":
            post.acked, post.seq = time.monotonic(), answer["seq"]
            self.record.counts["acks of repetitions"] += answer["duplicate"]
            self.record.acks.append(post.acked - post.invoked)
            self._mine.append(post)
        else:
            post.refused = answer["code"]
        self.pending = None
        return post

    async def _change(self, post: Post) -> None:
        self._count += 1
        if post.changes and post.changes[-1][0] is None:
            return  # it is deleted
        new = None if self.random.random() < 0.3 else f"{post.id} for the {len(post.changes) + 1}. time"
        post.changes.append((new, False))
        id = f"c{self.number}-{self._count}"
        frame: dict[str, Any] = {"type": "delete", "room": post.room, "seq": post.seq, "id": id}
        if new is not None:
            frame |= {"type": "edit", "body": new}
        self.pending = post
        answer, _ = await self._insist(id, frame)
        if answer["type"] == "ack":
            post.changes[-1] = (new, True)
            self.record.counts["edits" if new is not None else "deletions"] += 1
        else:
            self.record.counts[f"change refused: {answer['code']}"] += 1
        self.pending = None

    async def _insist(self, id: str, frame: dict[str, Any]) -> tuple[dict[str, Any], int]:
        """Send a frame until it has an answer that stays. Returns that, and how often it took."""
        attempts = 0
        while True:
            await self._ready.wait()
            attempts += 1
            answer = self._answers[id] = asyncio.get_running_loop().create_future()
            try:
                await self._send(frame)
                result = await asyncio.wait_for(answer, UNANSWERED_SECONDS)
            except (ConnectionClosed, AssertionError):
                # The reader notices it too, and opens a new socket.
                await asyncio.sleep(0.02)
                continue
            except TimeoutError:
                self.record.counts["posts without an answer on a live socket"] += 1
                if self._socket is not None:
                    self._socket.transport.abort()
                continue
            finally:
                self._answers.pop(id, None)
            if result is None:
                continue
            if result["type"] == "ack" or "retry_after" not in result:
                return result, attempts
            self.last_answer = result["code"]
            await asyncio.sleep(result["retry_after"])
