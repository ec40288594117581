"""Bare ASGI loop, the minimum that a server can do for a room: no framework, no storage, a loop over the
members.

It blocks the room as soon as one member stops reading; it is a baseline, not a chat.
"""

import json
from collections import defaultdict
from typing import Any

rooms: defaultdict[str, set[Any]] = defaultdict(set)


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "websocket":
        raise NotImplementedError(scope["type"])
    room = rooms[scope["path"]]
    await receive()
    await send({"type": "websocket.accept"})
    room.add(send)
    try:
        while (event := await receive())["type"] == "websocket.receive":
            said = json.loads(event["text"])["message"]
            message = {"type": "websocket.send", "text": json.dumps({"message": said})}
            for tell in list(room):
                await tell(message)
    finally:
        room.discard(send)
