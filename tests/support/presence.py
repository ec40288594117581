"""Processes with presence, over one database."""

from datetime import timedelta

import msgspec
from django.db.models import F

from django_roomchat import pubsub
from django_roomchat.identity import Identity
from django_roomchat.models import ServerProcess
from django_roomchat.realtime import threads
from django_roomchat.realtime.presence import (
    PresenceNotice,
    Presences,
)
from django_roomchat.rooms.presence_table import who_is_here
from tests.support.fakes import Socket

ANA, BEN, CARL = ({"key": f"u:{number}", "name": name} for number, name in enumerate(["Ana", "Ben", "Carl"]))


class House:
    """Processes on one database, with a channel layer and a clock that the test controls."""

    def __init__(self):
        self.now = 1000.0
        self.processes = []
        self.is_lossy = False
        self.notices = []

    def monotonic(self):
        return self.now

    def process(self):
        self.processes.append(Process())
        return self.processes[-1]

    def publish(self, notice):
        message = pubsub.to_message(notice)
        self.notices.append(message["data"])
        for process in [] if self.is_lossy else self.processes:
            process.presences.receive(msgspec.convert(message["data"], PresenceNotice))

    async def turn(self, seconds=0.0):
        self.now += seconds
        for process in self.processes:
            await process.presences.turn()

    async def dies(self, process):
        """The process stops, and its lease ends."""
        self.processes.remove(process)
        mine = ServerProcess.objects.filter(pk=process.presences._process)
        await threads.in_thread(lambda: mine.update(alive_at=F("alive_at") - timedelta(seconds=31)))


class Process:
    """In the place of a hub."""

    def __init__(self):
        self.subscriptions = {}
        self.presences = Presences(self)

    def sockets_in(self, name):
        return self.subscriptions.get(name, [])

    def start(self, work):
        work.close()  # the test runs each turn

    def enter(self, person=ANA, room="lobby", **options):
        socket = Socket(**options)
        socket.who = Identity(person["key"], person["name"], avatar=person.get("avatar", ""))
        self.subscriptions.setdefault(room, []).append(socket)
        self.presences.entered(socket, room)
        return socket

    def leave(self, socket, room="lobby"):
        self.subscriptions[room].remove(socket)
        self.presences.left(socket, room)


def state(*people, room="lobby"):
    return {"type": "presence", "room": room, "count": len(people), "here": list(people)}


def change(count, room="lobby", **changes):
    return {"type": "presence", "room": room, "count": count, **changes}


def here(room="lobby"):
    return [person.name for person in who_is_here(room)]


async def listed(room="lobby"):
    return await threads.in_thread(here, room)
