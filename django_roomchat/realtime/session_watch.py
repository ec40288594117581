"""Session checks: sockets are closed when the session, account or password that opened them is no longer valid.

A socket is bound to a user and, in most cases, to a session. When either ends, the socket is closed with code 4001.

A sign-out or an account change is published to every process as a notice. Notices can be lost, and some changes send none;
so all bindings are also compared with the database at intervals, in batches.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from typing import Any

from django.db import transaction
from django.db.models import F

from django_roomchat import identity, log, pubsub
from django_roomchat.conf import config
from django_roomchat.database import database, twin
from django_roomchat.errors import BadValue
from django_roomchat.identity import Target
from django_roomchat.identity.sessions import SessionBinding, digest, still_valid
from django_roomchat.models import Room, RoomLog
from django_roomchat.protocol import CLOSE_SESSION_ENDED
from django_roomchat.realtime import hub
from django_roomchat.realtime.hub import Hub
from django_roomchat.realtime.hub_room import Socket
from django_roomchat.realtime.per_loop import per_loop
from django_roomchat.realtime.threads import in_thread
from django_roomchat.rooms import lookup
from django_roomchat.throttled_logging import warn_throttled

CHECK_SECONDS = 0.5
"""Interval at which the clock is checked, in seconds. Sockets of an expired session are closed within about this time."""

BATCH = 100
"""Number of bindings compared with the database in one query."""


class SessionWatcher:
    """Session bindings of the sockets of one event loop. Get it with :func:`current`."""

    def __init__(self) -> None:
        self._bindings: dict[Socket, SessionBinding] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def add(self, socket: Socket, binding: SessionBinding) -> None:
        """Close *socket* when its binding is no longer valid."""
        if binding.user is None and not binding.session_key:
            return
        self._bindings[socket] = binding
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    def remove(self, socket: Socket) -> None:
        """Stop watching a socket that was closed."""
        self._bindings.pop(socket, None)
        if not self._bindings and self._task is not None:
            self._task.cancel()
            self._task = None

    def end(self, session_digest: str) -> None:
        """Close the sockets of a session that has ended, given the digest of its key."""
        for socket, binding in list(self._bindings.items()):
            if digest(binding.session_key) == session_digest:
                socket.close(CLOSE_SESSION_ENDED)

    def recheck_account(self, user_key: str) -> None:
        """Compare the bindings of a changed account with the database now."""
        for binding in self._bindings.values():
            if binding.user is not None and str(binding.user.pk) == user_key:
                binding.due = -math.inf
                self._wake.set()

    async def _run(self) -> None:
        while True:
            try:
                await self._compare()
            except Exception as error:
                # The bindings stay due and are compared again at the next tick.
                warn_throttled("sessions", "Could not compare sessions with the database: %r", error)
            self._wake.clear()
            try:
                async with asyncio.timeout(CHECK_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _compare(self) -> None:
        now = time.monotonic()
        due = [(socket, binding) for socket, binding in self._bindings.items() if _is_due(binding, now)]
        for start in range(0, len(due), BATCH):
            some = due[start : start + BATCH]
            for _socket, binding in some:
                # Set before the query, so that an account change during the query makes the binding due again.
                binding.due = now + config().SESSION_CHECK_SECONDS * random.uniform(0.9, 1.0)  # noqa: S311
            try:
                still = await in_thread(still_valid, [binding for _, binding in some])
            except BaseException:
                for _socket, binding in some:
                    binding.due = -math.inf
                raise
            for socket, binding in some:
                if binding in still:
                    binding.ends = still[binding]
                else:
                    socket.close(CLOSE_SESSION_ENDED)


def _is_due(binding: SessionBinding, now: float) -> bool:
    return binding.user is not None and (binding.due <= now or binding.ends <= time.time())


current = per_loop(SessionWatcher)
"""Return the session watcher of the running event loop."""


@hub.handles("session_over")
def _receive_session(here: Hub, room: str, data: dict[str, Any]) -> None:
    current().end(data["session"])


@hub.handles("account_changed")
def _receive_account(here: Hub, room: str, data: dict[str, Any]) -> None:
    current().recheck_account(data["user"])


# Recheck by the project -----------------------------------------------------------------------------------------------


def recheck(user: Target | None = None, *, room: str | Room | None = None) -> None:
    """Ask the policy again whether open sockets may stay in their rooms. Call it when the policy's answer has changed.

    Sockets that may no longer enter a room are removed from it. Call it after the change, inside ``atomic`` or not; it takes
    effect when the transaction commits.

    Args:
        user: a user of the project, an :class:`~django_roomchat.identity.Identity` or an identity key; ``None`` for everybody in
            *room*.
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`; ``None`` for all rooms of *user*.
            With a room, a process that the channel layer does not reach learns of the change with its next poll; without one
            it does not.

    Raises:
        BadValue: neither *user* nor *room* is given.
            Codes: ``bad_room_name``, ``bad_value``.
    """
    key = "" if user is None else identity.key_of(user)
    if room is not None:
        _recheck_room(lookup.canonical_name(lookup.name_of(room)), key)
    elif key:
        log.on_commit(pubsub.publish, pubsub.Notice("recheck", {"key": key}))
    else:
        raise BadValue("Give an identity or a room to recheck.")


arecheck = twin(recheck)


def _recheck_room(name: str, key: str) -> None:
    with transaction.atomic(using=database()):
        logs = RoomLog.objects.using(database()).filter(room__name=name)
        logs.update(access_version=F("access_version") + 1)
        for version in logs.values_list("access_version", flat=True):
            log.on_commit(pubsub.publish, pubsub.Access(name, version, key))


@hub.handles("recheck")
def _receive_recheck(here: Hub, room: str, data: dict[str, Any]) -> None:
    for socket in here.sockets_of(data["key"]):
        here.recheck(socket)
