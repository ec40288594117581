"""Send queue of one socket: write to a client without waiting and without a task for each socket."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

from django_roomchat.realtime import uvicorn_fast_path
from django_roomchat.realtime.uvicorn_fast_path import TextFrame

Message = dict[str, Any]
"""An ASGI message such as ``{"type": "websocket.send", "text": …}``. One object may be sent to any number of
clients."""


class Owner(Protocol):
    """Callbacks of a send queue. One object is passed, because two bound methods would take 128 bytes more
    for each socket.
    """

    def on_ready(self) -> None:
        """Called when the client reads again."""

    def on_overflow(self) -> None:
        """Called when the waiting replies exceed ``max_bytes``."""


class SendQueue:
    """The send queue of one client.

    A server's ``send`` finishes at once while the client reads, and waits only when the client's buffer is
    full. It is therefore run here step by step. Only if it waits, the future that it awaits continues it
    later. This saves a task for each socket, and two task switches for each delivery.

    Args:
        send: the ``send`` of the ASGI server, for an accepted socket.
        max_bytes: maximum size of the replies that may wait, in characters.
        owner: receives the callbacks.
    """

    __slots__ = (
        "_broken",
        "_fast_path",
        "_max_bytes",
        "_owner",
        "_send",
        "_waiting",
        "_waiting_bytes",
        "_writing",
        "blocked_since",
        "is_ready",
    )

    def __init__(
        self,
        send: Callable[[Message], Awaitable[None]],
        max_bytes: int,
        owner: Owner,
    ) -> None:
        self._send = send
        self._fast_path = uvicorn_fast_path.find(send)
        self._max_bytes = max_bytes
        self._owner = owner
        self._writing: Coroutine[Any, Any, None] | None = None
        # Created when a message has to wait: an empty deque takes 760 bytes, and most clients never need it.
        self._waiting: deque[Message] | None = None
        self._waiting_bytes = 0
        self._broken = False
        self.is_ready = True
        """Whether a message written now is sent without waiting. Stored, not computed, because every delivery
        reads it."""
        self.blocked_since: float | None = None
        """When the client stopped reading, in ``time.monotonic()`` seconds; ``None`` while it reads."""

    def write(self, message: Message) -> None:
        """Send a message, or append it to the messages that wait."""
        if self.is_ready:
            fast_path = self._fast_path
            if fast_path is None or not isinstance(message, TextFrame) or not fast_path.write(message):
                self._continue(self._send(message))  # type: ignore[arg-type]  # every server's send is a coroutine function
        elif not self._broken:
            self._keep(message)

    def _keep(self, message: Message) -> None:
        self._waiting_bytes += _size_of(message)
        if self._waiting_bytes > self._max_bytes:
            self._owner.on_overflow()
            return
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append(message)

    def end(self) -> None:
        """Stop writing and discard the messages that wait."""
        self._broken = True
        self.is_ready = False
        self._waiting = None
        if self._writing is not None:
            self._writing.close()
            self._writing = None

    def _continue(self, writing: Coroutine[Any, Any, None]) -> None:
        try:
            awaited = writing.send(None)
        except StopIteration:
            self._writing = None
            self.is_ready = True
            return
        except Exception:
            # The connection is closed. The server reports it to the consumer as a disconnect.
            self._writing = None
            self._broken = True
            self.is_ready = False
            return
        if self._writing is None:
            self.blocked_since = time.monotonic()
        self._writing = writing
        self.is_ready = False
        if awaited is None:
            asyncio.get_running_loop().call_soon(self._resume)
        else:
            # asyncio.Task clears the same flag of a future that its coroutine awaits.
            awaited._asyncio_future_blocking = False
            awaited.add_done_callback(self._resume)

    def _resume(self, _: Any = None) -> None:
        writing = self._writing
        if writing is None:
            return
        self._continue(writing)
        while self._writing is None and self._waiting and not self._broken:
            message = self._waiting.popleft()
            self._waiting_bytes -= _size_of(message)
            self._continue(self._send(message))  # type: ignore[arg-type]  # as above
        if self._writing is None:
            self.blocked_since = None
            if not self._broken:
                self._owner.on_ready()


def _size_of(message: Message) -> int:
    return len(message.get("text") or message.get("bytes") or "")
