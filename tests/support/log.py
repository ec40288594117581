"""Rooms and drafts for tests of the log."""

import threading
from concurrent.futures import ThreadPoolExecutor

from django.db import connection, connections, transaction
from django.db.models import F

from django_roomchat import log
from django_roomchat.log import Draft
from django_roomchat.models import Message, Room, RoomLog


def make_room(name="lobby", **values):
    room = Room.objects.create(name=name, title=name.title())
    RoomLog.objects.create(room=room, **values)
    return room


def draft(client_id, body="hi", author="u:1", **values):
    return Draft(None, author, author[2:], client_id, "user", body, **values)


def drafts(*client_ids):
    return [draft(client_id) for client_id in client_ids]


def append(room, *wanted, **options):
    return log.append({room.pk: list(wanted)}, **options)[room.pk]


def stored(room):
    """The log as it is in the database: numbers, ids, and the head."""
    rows = Message.objects.filter(room_id=room.pk).order_by("seq").values_list("seq", "rev", "client_id")
    return [*rows], RoomLog.objects.get(pk=room.pk).head


def in_threads(count, work):
    """Run work(0), work(1), … in threads of their own, all at once."""
    everybody = threading.Barrier(count)

    def run(number):
        try:
            everybody.wait(10)
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


class Locked:
    """Another transaction that holds the lock of a room."""

    def __init__(self, room, **changes):
        self.room, self.changes = room, changes or {"head": F("head")}
        self.is_locked, self.release = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.lock)

    def lock(self):
        try:
            with transaction.atomic():
                RoomLog.objects.filter(pk=self.room.pk).update(**self.changes)
                self.is_locked.set()
                self.release.wait(30)
        finally:
            connections.close_all()

    def wait_until_somebody_waits(self):
        with connection.cursor() as cursor:
            while True:
                cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
                if cursor.fetchone() != (0,):
                    return

    def __enter__(self):
        self.thread.start()
        assert self.is_locked.wait(10)
        return self

    def __exit__(self, *error):
        self.release.set()
        self.thread.join()


def say(body):
    """A change of the text; no change if the message already has that text."""

    def make(message):
        changed, message.body = message.body != body, body
        return changed

    return make


def seqs(part):
    return [event.seq for event in part.events]
