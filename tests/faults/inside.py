"""The test project's application, which also reports the state of its process under ``/inside/``.

``/inside/?collect`` runs the garbage collector first, because daphne's sockets are reference cycles.
"""

import asyncio
import gc
import json
import threading
from typing import Any

# The application is imported first, as it sets Django up.
from tests.asgi import application as _application

# isort: split

from django_roomchat.realtime import hub


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http" and scope["path"] == "/inside/":
        state = _state()
        if scope["query_string"] == b"collect":
            gc.collect()
            state["objects"] = len(gc.get_objects())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(state).encode()})
        return
    await _application(scope, receive, send)


def _state() -> dict[str, int]:
    here = hub.current()
    return {
        "tasks": len(asyncio.all_tasks()),
        "sockets": len(here.sockets),
        "rooms": len(here._rooms),
        # The hub stops after its last socket, and its threads after it.
        "hubs_at_work": int(here._is_running),
        "database_threads": sum(
            thread.name.startswith("roomchat-database") for thread in threading.enumerate()
        ),
    }
