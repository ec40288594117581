"""Write a text frame's bytes to the server's transport, where they are the bytes that the server would write.

A frame for a thousand members is the same a thousand times, but a server encodes it for each of them.
On uvicorn, with the websockets library and without compression, the bytes of a text frame are a header and
the text. They are encoded once, kept with the message and written to each member's transport.
This uses private attributes of uvicorn. If anything differs from what is expected, at any time, the socket
uses the server's own ``send``, which is always correct. ``tests/unit/realtime/test_uvicorn_fast_path.py`` compares both ways.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from channels.sessions import InstanceSessionWrapper

Send = Callable[[dict[str, Any]], Awaitable[None]]

_PROTOCOL = "uvicorn.protocols.websockets.websockets_sansio_impl.WebSocketsSansIOProtocol"
_PARTS = ("close_sent", "conn", "disconnected", "handshake_complete", "transport", "writable")


class TextFrame(dict[str, Any]):
    """The ASGI message of a text frame, with its encoded bytes. Both are made once for all recipients."""

    __slots__ = ("_wire", "size")

    def __init__(self, text: str) -> None:
        super().__init__(type="websocket.send", text=text)
        self.size = len(text)
        """Approximate size in bytes, for the limits on waiting frames."""
        self._wire: bytes | None = None

    @property
    def wire(self) -> bytes:
        if self._wire is None:
            self._wire = frame(self["text"])
        return self._wire


def beneath_sessions(send: Send) -> Send:
    """Return the ``send`` that Channels' session middleware wraps.

    The middleware checks the session on every message, to save it before the message that starts an HTTP
    response. A WebSocket sends no such message.
    """
    wrapper = getattr(send, "__self__", None)
    real_send = getattr(wrapper, "real_send", None)
    known = type(wrapper) is InstanceSessionWrapper and wrapper.save_message_types == ["http.response.start"]
    return real_send if known and callable(real_send) else send


def find(send: Send) -> FastPath | None:
    """Return the direct writer of an accepted socket, or ``None`` if its server has no such way."""
    protocol: Any = getattr(send, "__self__", None)
    kind = type(protocol)
    if f"{kind.__module__}.{kind.__qualname__}" != _PROTOCOL or getattr(send, "__name__", "") != "send":
        return None
    if (
        not all(hasattr(protocol, part) for part in _PARTS)
        or getattr(protocol.conn, "extensions", None) != []
    ):
        return None
    return FastPath(protocol)


class FastPath:
    """Writes text frames to the transport of one socket."""

    __slots__ = ("_protocol",)

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol

    def write(self, message: TextFrame) -> bool:
        """Write a text frame. Returns whether it was written; if not, the caller uses the server's ``send``."""
        protocol = self._protocol
        if (
            not protocol.writable.is_set()
            or protocol.close_sent
            or protocol.disconnected
            or not protocol.handshake_complete
            or protocol.transport.is_closing()
        ):
            return False
        protocol.transport.write(message.wire)
        return True


def frame(text: str) -> bytes:
    """Encode a whole, unmasked text frame (RFC 6455, section 5.2)."""
    payload = text.encode()
    length = len(payload)
    if length < 126:
        return bytes((0x81, length)) + payload
    if length < 65_536:
        return b"\x81\x7e" + length.to_bytes(2) + payload
    return b"\x81\x7f" + length.to_bytes(8) + payload
