"""Who types just now. Nothing of it is stored, and whatever comes in, a room hears of it once a second at most.

Every process tells the others how many of its people type in a room, and who the first of them are; each adds that up for its
own sockets. What is lost on the way is forgotten after a few seconds, or said again.
"""

from __future__ import annotations

import asyncio
import time
import weakref
from typing import Any
from uuid import uuid4

import msgspec

from django_roomchat import bus
from django_roomchat.fastlane import TextFrame
from django_roomchat.hub import Hub, handles
from django_roomchat.identity import Identity
from django_roomchat.protocol import Person, Typists, encode

TICK_SECONDS = 1.0
LASTS_SECONDS = 6.0
"""Who has not said for so long that they type has stopped."""
REPEAT_SECONDS = 3.0
"""How often the other processes hear of those who go on."""
NAMED_MAX = 3
KEPT_MAX = 1_000
"""Of one room. Nobody counts further."""


class _Others:
    """Those who type through another process."""

    __slots__ = ("count", "people", "until")

    def __init__(self, people: list[Person], count: int, until: float) -> None:
        self.people = people
        self.count = count
        self.until = until


class _Room:
    __slots__ = ("mine", "others", "said", "said_at", "told")

    def __init__(self) -> None:
        self.mine: dict[str, tuple[Person, float]] = {}
        """Those who type through this process, by key, and until when they do if they say no more."""
        self.others: dict[str, _Others] = {}
        """By process."""
        self.told: tuple[list[Person], int] = [], 0
        """What its sockets have heard."""
        self.said: tuple[list[Person], int] = [], 0
        """What the other processes have heard."""
        self.said_at = 0.0

    def expire(self, now: float) -> None:
        self.mine = {key: typist for key, typist in self.mine.items() if typist[1] > now}
        self.others = {process: others for process, others in self.others.items() if others.until > now}

    def own(self) -> tuple[list[Person], int]:
        return [person for person, _ in list(self.mine.values())[:NAMED_MAX]], len(self.mine)

    def all(self) -> tuple[list[Person], int]:
        people, count = self.own()
        for others in self.others.values():
            # One who types in two processes is one.
            new = [person for person in others.people if person.key not in self.mine]
            people += new
            count += others.count - (len(others.people) - len(new))
        return people[:NAMED_MAX], count


class Typing:
    """Those who type in the rooms of one hub."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._process = uuid4().hex
        self._rooms: dict[str, _Room] = {}
        self._is_running = False

    def note(self, who: Identity, name: str, *, on: bool) -> None:
        """Somebody says that they type, or have stopped. They must be in the room and may post there."""
        if not on:
            self.stop(who.key, name)
            return
        room = self._open(name)
        if len(room.mine) < KEPT_MAX or who.key in room.mine:
            room.mine[who.key] = Person(who.key, who.name), time.monotonic() + LASTS_SECONDS

    def stop(self, key: str, name: str) -> None:
        """Somebody has stopped, or has said it."""
        room = self._rooms.get(name)
        if room is not None:
            room.mine.pop(key, None)

    def hear(self, name: str, told: _Told) -> None:
        """Another process says who types there."""
        if told.process != self._process and self._hub.sockets_in(name):
            room = self._open(name)
            room.others[told.process] = _Others(told.people, told.count, time.monotonic() + LASTS_SECONDS)

    def _open(self, name: str) -> _Room:
        room = self._rooms.get(name)
        if room is None:
            room = self._rooms[name] = _Room()
        if not self._is_running:
            self._is_running = True
            self._hub.start(self._run())
        return room

    async def _run(self) -> None:
        try:
            while self._rooms:
                self.turn()
                # Whatever comes, once a second.
                await asyncio.sleep(TICK_SECONDS)
        finally:
            self._is_running = False

    def turn(self) -> None:
        """Tell what has changed."""
        now = time.monotonic()
        for name, room in list(self._rooms.items()):
            room.expire(now)
            self._say(name, room, now)
            self._tell(name, room)
            if not room.mine and not room.others:
                del self._rooms[name]

    def _say(self, name: str, room: _Room, now: float) -> None:
        own = room.own()
        if own != room.said or (own[1] and now - room.said_at >= REPEAT_SECONDS):
            room.said, room.said_at = own, now
            told = _Told(self._process, *own)
            bus.publish(bus.Notice("typing", msgspec.to_builtins(told), name))

    def _tell(self, name: str, room: _Room) -> None:
        everybody = room.all()
        if everybody == room.told:
            return
        room.told = people, count = everybody
        frame = TextFrame(encode(Typists(name, count, people)))
        for socket in self._hub.sockets_in(name):
            # Who does not read just now will not want to know it later.
            if not socket.is_tutorial and socket.is_ready:
                socket.reply(frame)


def of(hub: Hub) -> Typing:
    """Those who type in the rooms of a hub."""
    typing = _typings.get(hub)
    if typing is None:
        typing = _typings[hub] = Typing(hub)
    return typing


_typings: weakref.WeakKeyDictionary[Hub, Typing] = weakref.WeakKeyDictionary()


class _Told(msgspec.Struct):
    """Who types in a room through a process."""

    process: str
    people: list[Person]
    """The first of them."""
    count: int


@handles("typing")
def _hear(hub: Hub, room: str, data: dict[str, Any]) -> None:
    of(hub).hear(room, msgspec.convert(data, _Told))
