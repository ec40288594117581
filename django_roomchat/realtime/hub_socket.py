"""Base of what the hub sends to: a WebSocket connection, and a stream over HTTP."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ParamSpec, TypeVar

from django.db import Error as DatabaseError
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from django_roomchat import policy, protocol
from django_roomchat.errors import ChatError, TryAgain
from django_roomchat.identity import Identity, sessions
from django_roomchat.realtime import handlers, hub, presence, session_watch, shutdown
from django_roomchat.realtime.hub_room import Subscription
from django_roomchat.realtime.threads import in_thread
from django_roomchat.realtime.uvicorn_fast_path import TextFrame
from django_roomchat.throttled_logging import warn_throttled

_LOGGER = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")


class HubSocket(ABC):
    """The identity of a socket, its registration and its access to rooms. Subclasses send the frames.

    It implements the hub's :class:`~django_roomchat.realtime.hub_room.Socket`.

    Args:
        who: the identity that the socket authenticated as.
        binding: the session that the identity depends on.
        language: language of the errors that are sent.
        address: IP address of the client; empty if unknown.
    """

    __slots__ = ("_address", "_binding", "_hub", "_language", "_who", "subscriptions")

    is_tutorial: bool

    def __init__(
        self, who: Identity, binding: sessions.SessionBinding, language: str | None, address: str
    ) -> None:
        self.subscriptions: dict[str, Subscription] = {}
        self._who = who
        self._binding = binding
        self._language = language
        self._address = address
        self._hub = hub.current()

    @property
    def who(self) -> Identity:
        return self._who

    @property
    def key(self) -> str:
        return self._who.key

    def set_name(self, name: str) -> None:
        """Change the display name of the socket's identity."""
        self._who = replace(self._who, name=name, chose_name=True)
        self._hub.rename(self)
        if not self.is_tutorial:
            self._write(protocol.Named(name))

    async def check_access(self, name: str) -> bool:
        policy.forget(self._who)
        try:
            _room, rights = await with_database(handlers.enter_room, self._who, name, self._language)
            if name in self.subscriptions:
                self._send_rights(rights)
        except TryAgain:
            return False
        except ChatError as error:
            self._expel(name, error, protocol.CLOSE_FORBIDDEN)
        except Exception:
            # Nothing shows that the socket may stay. Its client can connect again, which is checked, too.
            _LOGGER.exception("The access of %r to room %r could not be checked", self.key, name)
            self._expel(name, went_wrong(), protocol.CLOSE_TRY_AGAIN)
        return True

    def _expel(self, name: str, error: ChatError, code: int) -> None:
        if name not in self.subscriptions:
            return
        self._hub.leave(self, name)
        if code == protocol.CLOSE_FORBIDDEN:
            presence.expelled(self._hub, name, self.key)
        self._send_error(error, frame="join", room=name)
        if not self.subscriptions:
            self.close(code)
        elif not self.is_tutorial:
            self._write(protocol.Left(name))

    def _register(self) -> None:
        """Add the socket to the hub and to what watches over it."""
        self._hub.add(self)
        session_watch.current().add(self, self._binding)
        presence.start(self._hub)
        shutdown.watch()

    def _unregister(self) -> None:
        self._hub.remove(self)
        session_watch.current().remove(self)

    def _bye(self, code: int, retry_after: float | None, reason: str | None = None) -> protocol.Bye:
        if reason is None and code == protocol.CLOSE_TOO_MANY:
            # The page shows this reason.
            with translation.override(self._language):
                reason = gettext("Too many requests; wait a moment and try again.")
        return protocol.Bye(code, reason or protocol.CLOSE_CODES.get(code, ""), retry_after)

    def _write(self, frame: Any) -> None:
        self.reply(TextFrame(protocol.encode(frame)))

    def _send_rights(self, rights: protocol.Rights) -> None:
        self._write(rights)

    @property
    @abstractmethod
    def is_ready(self) -> bool: ...

    @property
    @abstractmethod
    def blocked_since(self) -> float | None: ...

    @abstractmethod
    def write(self, frame: TextFrame) -> None: ...

    @abstractmethod
    def reply(self, frame: TextFrame) -> None: ...

    @abstractmethod
    def close(self, code: int, retry_after: float | None = None) -> None: ...

    @abstractmethod
    def _send_error(
        self, error: ChatError, frame: str | None = None, id: str | None = None, room: str | None = None
    ) -> None: ...


async def with_database(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run *function* in a thread.

    Raises:
        ChatError: raised by the function, or the database fails.
    """
    try:
        return await in_thread(function, *args, **kwargs)
    except DatabaseError as error:
        raise unavailable(error) from error


def went_wrong() -> TryAgain:
    """Return the error that a client receives after an exception that is no :class:`ChatError`."""
    return TryAgain(_("Something went wrong on the server; try again."))


def unavailable(error: Exception) -> TryAgain:
    """Log a database error of a socket, and return the error that its client receives."""
    warn_throttled("database", "The database failed for a socket: %r", error)
    return TryAgain(_("The database is not responding; try again."))
