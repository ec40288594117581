"""Rights that end, end on the sockets that are open: of accounts, passwords and sessions, and of a policy whose answer has changed.

A socket is bound to what let it in: a user, and mostly a session. When that is over, so is the socket (4001).

What ends is told to every process by a notice: at the sign-out itself, and after each change of an account.
A notice may get lost, and nobody may have told; so all bonds are compared with the database as well, again and again, many at a time.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import random
import time
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.auth.signals import user_logged_out
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.db import transaction
from django.db.models import F
from django.db.models.signals import post_delete, post_save
from django.utils import timezone

from django_roomchat import actions, bus, hub, identity, reports
from django_roomchat.conf import config
from django_roomchat.counter import database
from django_roomchat.errors import BadValue
from django_roomchat.hub import Hub, Socket
from django_roomchat.identity import Identity
from django_roomchat.models import Room, RoomLog
from django_roomchat.protocol import CLOSE_SESSION_ENDED
from django_roomchat.threads import in_thread

LOOK_SECONDS = 0.5
"""How often the clock is looked at: a session that ends by itself ends its sockets in about this time."""
BATCH = 100
"""Bonds that are compared with the database at a time."""


@dataclass(slots=True, eq=False)
class Bond:
    """What lets a socket in."""

    user: Any = None
    """The user in whose name it speaks; ``None`` for guests."""
    auth_hash: str = ""
    """Changes with the password."""
    session_key: str = ""
    """Of the session that says so. A guest's is not compared with the store: a guest has nothing to lose that ends with it."""
    due: float = -math.inf
    """When to compare it next (``time.monotonic()``): the first time at once, for what has changed during the handshake."""
    ends: float = math.inf
    """When the session ends by itself (``time.time()``), as far as the store tells."""


def bond_of(who: Identity, session: Any) -> Bond:
    """What lets *who* in. May use the database.

    Args:
        who: the socket speaks for.
        session: in whose name it was opened; ``None`` without one.
    """
    key = getattr(session, "session_key", None) or ""
    user = who.user if isinstance(who.user, get_user_model()) else None
    if user is None:
        return Bond(session_key=key)
    # Who was let in by a token may have a session of somebody else, or a guest's.
    is_theirs = bool(key) and session.get(SESSION_KEY) == user._meta.pk.value_to_string(user)
    key = key if is_theirs else ""
    return Bond(user, _auth_hash(user), key)


def _digest(session_key: str) -> str:
    return hashlib.sha256(session_key.encode()).hexdigest()[:32] if session_key else ""


def _auth_hash(user: Any) -> str:
    return str(user.get_session_auth_hash()) if hasattr(user, "get_session_auth_hash") else ""


def in_force(bonds: Sequence[Bond]) -> dict[Bond, float]:
    """Those that still hold, each with the time at which its session ends. One query for users, and one for sessions in the database."""
    found = get_user_model()._default_manager.filter(pk__in={bond.user.pk for bond in bonds})
    users = {user.pk: user for user in found}
    ends = _ends_of({bond.session_key for bond in bonds if bond.session_key})
    return {
        bond: ends[bond.session_key] if bond.session_key else math.inf
        for bond in bonds
        if (not bond.session_key or bond.session_key in ends) and _holds(bond, users.get(bond.user.pk))
    }


def _holds(bond: Bond, user: Any) -> bool:
    if user is None or _auth_hash(user) != bond.auth_hash:
        return False
    # There are sites that let inactive users in.
    return getattr(user, "is_active", True) or not getattr(bond.user, "is_active", True)


def _ends_of(session_keys: Iterable[str]) -> dict[str, float]:
    """Those sessions that are not over, with the time of their end as far as their store tells it."""
    store = _store()
    if issubclass(store, DatabaseSessionStore):
        alive = store.get_model_class()._default_manager.filter(
            session_key__in=session_keys, expire_date__gt=timezone.now()
        )
        return {key: end.timestamp() for key, end in alive.values_list("session_key", "expire_date")}
    return {key: math.inf for key in session_keys if store(key).load()}


def open_session(session_key: str) -> Any:
    """The session as it is in the store now: that of a scope is as old as the socket, and would undo what was written since."""
    return _store()(session_key)


def _store() -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore


class Watch:
    """The bonds of the sockets of one event loop. Get it with :func:`current`."""

    def __init__(self) -> None:
        self._bonds: dict[Socket, Bond] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def add(self, socket: Socket, bond: Bond) -> None:
        """Close *socket* when what lets it in is over."""
        if bond.user is None and not bond.session_key:
            return
        self._bonds[socket] = bond
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    def remove(self, socket: Socket) -> None:
        """The socket was closed."""
        self._bonds.pop(socket, None)
        if not self._bonds and self._task is not None:
            self._task.cancel()
            self._task = None

    def end(self, digest: str) -> None:
        """A session is over."""
        for socket, bond in list(self._bonds.items()):
            if _digest(bond.session_key) == digest:
                socket.close(CLOSE_SESSION_ENDED)

    def doubt(self, user_key: str) -> None:
        """An account has changed: see whether it still lets anybody in."""
        for bond in self._bonds.values():
            if bond.user is not None and str(bond.user.pk) == user_key:
                bond.due = -math.inf
                self._wake.set()

    async def _run(self) -> None:
        while True:
            try:
                await self._compare()
            except Exception as error:
                # They stay due, and are compared in a second.
                reports.warn("sessions", "Sessions could not be compared with the database: %r", error)
            self._wake.clear()
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _compare(self) -> None:
        now = time.monotonic()
        due = [(socket, bond) for socket, bond in self._bonds.items() if _is_due(bond, now)]
        for start in range(0, len(due), BATCH):
            some = due[start : start + BATCH]
            for _socket, bond in some:
                # Before it is looked up, so that a doubt meanwhile makes it due again.
                bond.due = now + config().SESSION_CHECK_SECONDS * random.uniform(0.9, 1.0)  # noqa: S311
            try:
                still = await in_thread(in_force, [bond for _, bond in some])
            except BaseException:
                for _socket, bond in some:
                    bond.due = -math.inf
                raise
            for socket, bond in some:
                if bond in still:
                    bond.ends = still[bond]
                else:
                    socket.close(CLOSE_SESSION_ENDED)


def _is_due(bond: Bond, now: float) -> bool:
    return bond.user is not None and (bond.due <= now or bond.ends <= time.time())


_watches: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Watch] = weakref.WeakKeyDictionary()


def current() -> Watch:
    """The watch of the running event loop."""
    loop = asyncio.get_running_loop()
    watch = _watches.get(loop)
    if watch is None:
        watch = _watches[loop] = Watch()
    return watch


# Told by Django ---------------------------------------------------------------------------------------------------


def connect() -> None:
    """Hear from Django who signs out and whose account changes. Sessions that expire or are deleted otherwise are found by comparing:
    a receiver for their deletion would make ``clearsessions`` load them one by one."""
    user_logged_out.connect(_signed_out, dispatch_uid="django_roomchat.sessions")
    model: Any = settings.AUTH_USER_MODEL
    post_save.connect(_account_saved, sender=model, dispatch_uid="django_roomchat.sessions")
    post_delete.connect(_account_deleted, sender=model, dispatch_uid="django_roomchat.sessions")


def _signed_out(*, request: Any, **kwargs: Any) -> None:
    # Sent before the session is deleted, so this says what is true in a moment.
    key = getattr(getattr(request, "session", None), "session_key", None)
    if key:
        bus.publish(bus.Notice("session_over", {"session": _digest(key)}))


_CONCERNED = {"password", "is_active"}


def _account_saved(
    *, instance: Any, created: bool, update_fields: Any = None, using: str, **kwargs: Any
) -> None:
    if not created and (update_fields is None or _CONCERNED & set(update_fields)):
        _tell_of(instance.pk, using)


def _account_deleted(*, instance: Any, using: str, **kwargs: Any) -> None:
    _tell_of(instance.pk, using)


def _tell_of(pk: Any, using: str) -> None:
    notice = bus.Notice("account_changed", {"user": str(pk)})
    transaction.on_commit(partial(bus.publish, notice), using=using, robust=True)


@hub.handles("session_over")
def _hear_session(here: Hub, room: str, data: dict[str, Any]) -> None:
    current().end(data["session"])


@hub.handles("account_changed")
def _hear_account(here: Hub, room: str, data: dict[str, Any]) -> None:
    current().doubt(data["user"])


# Told by the project ------------------------------------------------------------------------------------------------


def recheck(who: Any = None, *, room: str | Room | None = None) -> None:
    """Ask the policy again, now, whether open sockets may be where they are: its answer has changed for a reason of the project's.

    Those who may not any more leave the room. Call it after the change, inside ``atomic`` or not; it works when that commits.

    Args:
        who: a user of the project, an :class:`~django_roomchat.identity.Identity` or the key of one; ``None`` for everybody in *room*.
        room: its name, however typed, or the room; ``None`` for all rooms of *who*.
            With a room, a process that the channel layer does not reach finds out with its next poll; without one it does not.

    Raises:
        BadValue: neither of the two was given.
    """
    key = "" if who is None else _key_of(who)
    if room is not None:
        _recheck_room(actions.canonical_name(room.name if isinstance(room, Room) else room), key)
    elif key:
        notice = bus.Notice("recheck", {"key": key})
        transaction.on_commit(partial(bus.publish, notice), using=database(), robust=True)
    else:
        raise BadValue("Say who shall be asked again, or in which room.")


async def arecheck(who: Any = None, *, room: str | Room | None = None) -> None:
    """See :func:`recheck`."""
    await sync_to_async(recheck)(who, room=room)


def _key_of(who: Any) -> str:
    if isinstance(who, str):
        return who
    return who.key if isinstance(who, Identity) else identity.of_user(who).key


def _recheck_room(name: str, key: str) -> None:
    with transaction.atomic(using=database()):
        logs = RoomLog.objects.using(database()).filter(room__name=name)
        logs.update(access_version=F("access_version") + 1)
        for version in logs.values_list("access_version", flat=True):
            access = bus.Access(name, version, key)
            transaction.on_commit(partial(bus.publish, access), using=database(), robust=True)


@hub.handles("recheck")
def _hear_recheck(here: Hub, room: str, data: dict[str, Any]) -> None:
    for socket in here.sockets_of(data["key"]):
        here.ask_again(socket)
