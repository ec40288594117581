"""A real Firefox, as its makers ship it, for Playwright's tests.

Playwright drives a Firefox that it has patched itself, from a host that many build machines cannot reach. It also speaks
WebDriver BiDi, the standard that every Firefox answers, but begins with one command that Firefox does not have yet: to pretend
that the person prefers light colours. `python -m tests.services.firefox` is a Firefox with a relay in front of it, which
passes everything on and answers only that itself, for light is what a Firefox without a screen prefers anyway. Firefox's
own answer to dark colours is an error, so nothing can be shown in it that is not so.
"""

import asyncio
import json
import os
import re
import shutil
import signal
import stat
import sys
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.services import Missing
from tests.services.server import ROOT

LISTENING = re.compile(rb"WebDriver BiDi listening on (ws://\S+)")
CHANNEL = "moz-firefox"  # Playwright's name of a Firefox with WebDriver BiDi
COLOURS = "emulation.setMediaFeaturesOverride"
# A mouse: a Firefox without a screen reports that no device can hover.
MOUSE = 2 | 4  # fine, and hovers
PREFERENCES = {
    "ui.primaryPointerCapabilities": MOUSE,
    "ui.allPointerCapabilities": MOUSE,
    "browser.download.alwaysOpenPanel": False,  # it would take the focus from the page
}
LIGHT: list[dict[str, Any]] = [{"prefers-color-scheme": "light"}, {}]


def find() -> Path:
    named = os.environ.get("ROOMCHAT_TEST_FIREFOX")
    if named:
        return Path(named)
    for name in ("firefox", "firefox-esr"):
        if found := shutil.which(name):
            return Path(found)
    raise Missing("no Firefox in PATH")


def launcher(folder: Path) -> Path:
    """An executable that Playwright can start as if it were Firefox."""
    path = folder / "firefox"
    path.write_text(
        f'#!/bin/sh\ncd "{ROOT}" && exec "{sys.executable}" -m tests.services.firefox "{find()}" "$@"\n'
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


async def run(command: list[str]) -> int:
    """Firefox and its relay, until it ends."""
    browser = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    assert browser.stderr is not None
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, browser.terminate)
    async for line in browser.stderr:
        if found := LISTENING.search(line):
            async with serve(Relay(found[1].decode()).carry, "127.0.0.1", 0, max_size=None) as relay:
                port = relay.sockets[0].getsockname()[1]
                print(f"WebDriver BiDi listening on ws://127.0.0.1:{port}", file=sys.stderr, flush=True)
                async for noise in browser.stderr:
                    sys.stderr.buffer.write(noise)
                return await browser.wait()
        sys.stderr.buffer.write(line)
    return await browser.wait()


class Relay:
    def __init__(self, address: str) -> None:
        self.address = address

    async def carry(self, client: ServerConnection) -> None:
        assert client.request is not None
        async with connect(
            self.address + client.request.path, max_size=None, ping_interval=None, proxy=None
        ) as firefox:
            ways = [
                asyncio.create_task(way) for way in (self.ask(client, firefox), self.tell(firefox, client))
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()

    async def ask(self, client: ServerConnection, firefox: ClientConnection) -> None:
        async for frame in client:
            command: dict[str, Any] = json.loads(frame)
            if command["method"] == COLOURS and command["params"]["features"] in LIGHT:
                await client.send(json.dumps({"type": "success", "id": command["id"], "result": {}}))
            else:
                await firefox.send(frame)

    async def tell(self, firefox: ClientConnection, client: ServerConnection) -> None:
        try:
            async for frame in firefox:
                await client.send(frame)
        except ConnectionClosed:
            pass


if __name__ == "__main__":
    raise SystemExit(asyncio.run(run(sys.argv[1:])))
