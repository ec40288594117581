"""A client on a real connection that follows the protocol, reconnects, and keeps what it saw for the test to judge."""

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

SUBPROTOCOL = "roomchat.v1"
SECONDS = 30


class Client:
    """One member of one room.

    It applies frames by the cursor rule, joins again after a gap, and sends nothing else by itself.
    """

    def __init__(self, ws_url: str, room: str) -> None:
        self.ws_url = ws_url
        self.room = room
        self.epoch = ""
        self.cursor = 0
        self.messages: dict[int, dict[str, Any]] = {}
        self.holes = 0
        self.resets: list[str] = []
        self.socket: ClientConnection | None = None

    @property
    def bodies(self) -> list[str]:
        """Texts of the room, in order."""
        return [self.messages[seq]["body"] for seq in sorted(self.messages)]

    async def open(self) -> None:
        """Connect and come up to date."""
        position = f"?epoch={self.epoch}&since={self.cursor}" if self.epoch else ""
        self.socket = await connect(
            f"{self.ws_url}/ws/chat/{quote(self.room, safe='')}/{position}",
            subprotocols=[SUBPROTOCOL],
            max_size=None,
            open_timeout=SECONDS,
        )
        await self.receive("joined")

    async def close(self) -> None:
        if self.socket is not None:
            await self.socket.close()

    async def receive(self, *types: str) -> dict[str, Any]:
        """The next frame of one of these types; all on the way to it are applied."""
        while True:
            frame = json.loads(await asyncio.wait_for(self.socket.recv(), SECONDS))
            await self._apply(frame)
            if frame["type"] in types:
                return frame

    async def until(self, body: str) -> None:
        """Receive until a message with the text *body* arrives."""
        while body not in self.bodies:
            await self.receive("events", "joined")

    async def post(self, body: str, id: str | None = None) -> dict[str, Any]:
        """Post a message. Returns the ack or the error."""
        id = id or uuid.uuid4().hex
        await self.socket.send(json.dumps({"type": "post", "id": id, "body": body}))
        while True:
            frame = await self.receive("ack", "error")
            if frame.get("id") == id:
                return frame

    async def _apply(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "joined":
            if "reset" in frame:
                self.resets.append(frame["reset"])
                self.messages.clear()
                self.cursor = 0
            self.epoch = frame["epoch"]
            self._take(frame)
        elif frame["type"] == "events":
            if frame["prev"] > self.cursor:
                self.holes += 1
                join = {"type": "join", "room": self.room, "epoch": self.epoch, "since": self.cursor}
                await self.socket.send(json.dumps(join))
            else:
                self.epoch = frame["epoch"]
                self._take(frame)

    def _take(self, frame: dict[str, Any]) -> None:
        for event in frame["events"]:
            if event["rev"] > self.cursor or "reset" in frame:
                self.messages[event["seq"]] = event
        self.cursor = max(self.cursor, frame["head"])


@contextlib.asynccontextmanager
async def clients(*places: tuple[str, str]) -> AsyncIterator[list[Client]]:
    """Clients, open in these places (a server's ``ws_url`` and a room), closed afterwards."""
    members = [Client(ws_url, room) for ws_url, room in places]
    try:
        for member in members:
            await member.open()
        yield members
    finally:
        for member in members:
            with contextlib.suppress(ConnectionClosed, OSError):
                await member.close()
