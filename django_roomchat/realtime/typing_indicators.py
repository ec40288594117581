"""Typing indicators. Nothing is stored, and a room is sent at most one update a second.

Each process publishes how many of its people are typing in a room, with the first of them, and every process
adds up these counts for its own sockets. The effect of a lost notice ends after a few seconds, when the count
expires or is repeated.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import uuid4

import msgspec

from django_roomchat import pubsub
from django_roomchat.identity import Identity
from django_roomchat.protocol import Person, Typists, encode, person_with_key
from django_roomchat.realtime.hub import Hub, handles
from django_roomchat.realtime.uvicorn_fast_path import TextFrame

TICK_SECONDS = 1.0
LASTS_SECONDS = 6.0
"""A person who has sent no typing frame for this time, in seconds, is no longer typing."""
REPEAT_SECONDS = 3.0
"""Interval, in seconds, at which an unchanged count is published again."""
NAMED_MAX = 3
KEPT_MAX = 1_000
"""Maximum number of typing people tracked for each room. Further ones are not counted."""


class _OtherProcess:
    """The typing people of another process."""

    __slots__ = ("count", "people", "until")

    def __init__(self, people: list[Person], count: int, until: float) -> None:
        self.people = people
        self.count = count
        self.until = until


class _TypingRoom:
    __slots__ = ("mine", "others", "published", "published_at", "sent")

    def __init__(self) -> None:
        self.mine: dict[str, tuple[Person, float]] = {}
        """The typing people of this process, by key, with the time at which each expires."""
        self.others: dict[str, _OtherProcess] = {}
        """The typing people of other processes, by process."""
        self.sent: tuple[list[Person], int] = [], 0
        """The list and count that the room's sockets were sent last."""
        self.published: tuple[list[Person], int] = [], 0
        """The list and count that this process published last."""
        self.published_at = 0.0

    def expire(self, now: float) -> None:
        self.mine = {key: typist for key, typist in self.mine.items() if typist[1] > now}
        self.others = {process: others for process, others in self.others.items() if others.until > now}

    def own(self) -> tuple[list[Person], int]:
        return [person for person, _ in list(self.mine.values())[:NAMED_MAX]], len(self.mine)

    def all(self) -> tuple[list[Person], int]:
        people, count = self.own()
        for others in self.others.values():
            # A person who is typing in two processes is counted once.
            new = [person for person in others.people if person.key not in self.mine]
            people += new
            count += others.count - (len(others.people) - len(new))
        return people[:NAMED_MAX], count


class TypingIndicators:
    """The typing indicators of one hub."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._process = uuid4().hex
        self._rooms: dict[str, _TypingRoom] = {}
        self._is_running = False

    def record(self, who: Identity, name: str, *, on: bool) -> None:
        """Record that a person is typing or has stopped. The caller has checked that they are in the room and
        may post there.
        """
        if not on:
            self.stop(who.key, name)
            return
        room = self._open(name)
        if len(room.mine) < KEPT_MAX or who.key in room.mine:
            room.mine[who.key] = person_with_key(who.key, who.name), time.monotonic() + LASTS_SECONDS

    def stop(self, key: str, name: str) -> None:
        """Record that a person has stopped typing or has sent their message."""
        room = self._rooms.get(name)
        if room is not None:
            room.mine.pop(key, None)

    def receive(self, name: str, notice: TypingNotice) -> None:
        """Apply a notice of another process."""
        if notice.process != self._process and self._hub.sockets_in(name):
            room = self._open(name)
            room.others[notice.process] = _OtherProcess(
                notice.people, notice.count, time.monotonic() + LASTS_SECONDS
            )

    def _open(self, name: str) -> _TypingRoom:
        room = self._rooms.get(name)
        if room is None:
            room = self._rooms[name] = _TypingRoom()
        if not self._is_running:
            self._is_running = True
            self._hub.start(self._run())
        return room

    async def _run(self) -> None:
        try:
            while self._rooms:
                self.turn()
                # At most one update a second.
                await asyncio.sleep(TICK_SECONDS)
        finally:
            self._is_running = False

    def turn(self) -> None:
        """Publish and send what has changed."""
        now = time.monotonic()
        for name, room in list(self._rooms.items()):
            room.expire(now)
            self._publish(name, room, now)
            self._send(name, room)
            if not room.mine and not room.others:
                del self._rooms[name]

    def _publish(self, name: str, room: _TypingRoom, now: float) -> None:
        own = room.own()
        if own != room.published or (own[1] and now - room.published_at >= REPEAT_SECONDS):
            room.published, room.published_at = own, now
            notice = TypingNotice(self._process, *own)
            pubsub.publish(pubsub.Notice("typing", msgspec.to_builtins(notice), name))

    def _send(self, name: str, room: _TypingRoom) -> None:
        everybody = room.all()
        if everybody == room.sent:
            return
        room.sent = people, count = everybody
        frame = TextFrame(encode(Typists(name, count, people)))
        for socket in self._hub.sockets_in(name):
            # A blocked client gets no update: it would be out of date when the client reads again.
            if not socket.is_tutorial and socket.is_ready:
                socket.reply(frame)


def of(hub: Hub) -> TypingIndicators:
    """Return the typing indicators of a hub."""
    return hub.extension(TypingIndicators)


class TypingNotice(msgspec.Struct):
    """Notice: the people who are typing in a room through one process."""

    process: str
    people: list[Person]
    """The first of the typing people."""
    count: int


@handles("typing")
def _receive(hub: Hub, room: str, data: dict[str, Any]) -> None:
    of(hub).receive(room, msgspec.convert(data, TypingNotice))
