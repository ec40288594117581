"""Test client for projects that use the chat. It talks to the consumer without a server.

It depends only on asgiref, because ``channels.testing`` imports daphne.

A socket sees only committed data and uses threads of its own. Use ``TransactionTestCase`` (with
pytest-django: ``@pytest.mark.django_db(transaction=True)``) and a database that threads can share: with
SQLite a file, ``DATABASES["default"]["TEST"] = {"NAME": BASE_DIR / "test.sqlite3"}``.
"""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any
from urllib.parse import quote

from asgiref.testing import ApplicationCommunicator

from django_roomchat.protocol import SUBPROTOCOL

_TRANSIENT = ("presence", "typing")


class ChatClient:
    """A WebSocket client of the chat. Use it as ``async with ChatClient(application, "lobby") as client``.

    Args:
        application: an ASGI application that serves the sockets: the project's own, or
            ``ChatConsumer.as_asgi()``.
        room: the room joined on connect; ``None`` opens ``ws/chat/``.
        user: the signed-in user, unless a middleware of the application sets another one.
        tutorial: use the tutorial's message format instead of ``roomchat.v1``.
        since, epoch: the client's cursor, sent in the query string.
        headers: headers of the handshake.
        path: path of the socket, if its route is not the usual one.
        timeout: time to wait for the server, in seconds.
    """

    def __init__(
        self,
        application: Any,
        room: str | None = None,
        *,
        user: Any = None,
        tutorial: bool = False,
        since: int | None = None,
        epoch: str = "",
        headers: list[tuple[bytes, bytes]] | None = None,
        path: str | None = None,
        timeout: float = 10.0,
    ) -> None:
        query = "" if since is None else f"epoch={epoch}&since={since}"
        self.scope: dict[str, Any] = {
            "type": "websocket",
            "path": path or ("/ws/chat/" if room is None else f"/ws/chat/{room}/"),
            "raw_path": quote(path or f"/ws/chat/{room or ''}").encode(),
            "query_string": query.encode(),
            "headers": headers or [],
            "subprotocols": [] if tutorial else [SUBPROTOCOL],
            "url_route": {"args": (), "kwargs": {} if room is None else {"room_name": room}},
        }
        if user is not None:
            self.scope["user"] = user
        self.timeout = timeout
        self.subprotocol: str | None = None
        self._communicator: Any = ApplicationCommunicator(application, self.scope)  # type: ignore[no-untyped-call]  # asgiref is untyped here
        self._is_open = False

    async def __aenter__(self) -> ChatClient:
        if not await self.connect():
            raise ConnectionRefusedError(
                f"The socket {self.scope['path']} was refused; the server's log says why."
            )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.disconnect()

    async def connect(self) -> bool:
        """Open the socket. Returns whether it was accepted."""
        await self._communicator.send_input({"type": "websocket.connect"})
        answer = await self._communicator.receive_output(self.timeout)
        self._is_open = answer["type"] == "websocket.accept"
        self.subprotocol = answer.get("subprotocol")
        return self._is_open

    async def send(self, frame: dict[str, Any]) -> None:
        """Send a frame."""
        await self.send_text(json.dumps(frame))

    async def send_text(self, text: str) -> None:
        """Send a text frame of any content, which may be invalid."""
        await self._communicator.send_input({"type": "websocket.receive", "text": text})

    async def send_bytes(self, content: bytes) -> None:
        """Send a binary frame."""
        await self._communicator.send_input({"type": "websocket.receive", "bytes": content})

    async def receive(self, type: str | None = None) -> dict[str, Any]:
        """Return the next frame, or with *type* the next one of that type.

        Presence and typing frames arrive at any time, so they are skipped unless *type* names them.

        Raises:
            ConnectionResetError: the server closed the socket; its ``code`` is the last argument.
        """
        while True:
            message = await self._communicator.receive_output(self.timeout)
            if message["type"] == "websocket.close":
                await self._disconnect(message.get("code", 1000))
                raise ConnectionResetError("The server closed the socket.", message.get("code", 1000))
            frame: dict[str, Any] = json.loads(message["text"])
            if frame.get("type") == type or (type is None and frame.get("type") not in _TRANSIENT):
                return frame

    async def post(self, body: str, *, id: str, room: str = "") -> dict[str, Any]:
        """Post a message. Returns the ``ack`` or the ``error`` frame."""
        await self.send({"type": "post", "id": id, "body": body, **({"room": room} if room else {})})
        while True:
            frame = await self.receive()
            if frame["type"] in ("ack", "error") and frame.get("id") == id:
                return frame

    async def disconnect(self) -> None:
        """Close the socket and wait until the consumer has ended."""
        await self._disconnect(1000)
        await self._communicator.wait(self.timeout)

    async def _disconnect(self, code: int) -> None:
        """Send the disconnect event to the consumer, as a server does whichever side closed the socket."""
        if self._is_open:
            self._is_open = False
            await self._communicator.send_input({"type": "websocket.disconnect", "code": code})
