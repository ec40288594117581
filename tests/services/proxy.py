"""A TCP proxy that stands before servers and mistreats connections: slow, stalled, cut, reset, or silently dead.

It also balances: every new connection goes to one of the servers that accept. The seed decides which, so that a run can be repeated.
"""

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

Direction = Literal["up", "down"]
"""Up is towards the server."""
CHUNK_BYTES = 65_536
BUFFER_BYTES = 65_536


@dataclass
class Weather:
    """Faults of the open and of the new connections."""

    latency: float = 0.0
    """Seconds that every chunk waits, in each direction."""
    jitter: float = 0.0
    """Up to so many seconds more."""
    bytes_per_second: float = 0.0
    """0 is no limit."""
    cut_after: int = 0
    """A new connection is reset when so many bytes have passed; 0 is never."""


class Link:
    """One connection through the proxy."""

    def __init__(self, client_port: int, upstream: int) -> None:
        self.client_port = client_port
        self.upstream = upstream
        """The server's port."""
        self.bytes = 0
        self.cut_after = 0
        self.is_dead = False
        self.writers: list[asyncio.StreamWriter] = []
        self._go: dict[Direction, asyncio.Event] = {"up": asyncio.Event(), "down": asyncio.Event()}
        for event in self._go.values():
            event.set()

    def stall(self, *directions: Direction) -> None:
        """Pass nothing on in these directions, and read nothing, so that the sender's buffers fill."""
        for direction in directions:
            self._go[direction].clear()

    def resume(self) -> None:
        """Pass everything on again."""
        for event in self._go.values():
            event.set()

    async def may_go(self, direction: Direction) -> None:
        await self._go[direction].wait()

    def reset(self) -> None:
        """End it as a crashed machine does: RST to both sides."""
        for writer in self.writers:
            endpoint = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    def kill(self) -> None:
        """Leave the connection half open: all data is dropped, and neither side is notified when the other closes."""
        self.is_dead = True
        self.resume()


class ChaosProxy:
    """A context manager: inside it listens on :attr:`port`.

    Args:
        upstreams: the ports of the servers.
        seed: of the choice among them.
    """

    def __init__(self, upstreams: Sequence[int], seed: int = 0) -> None:
        self.upstreams = list(upstreams)
        self.weather = Weather()
        self.links: set[Link] = set()
        self.port = 0
        self._random = random.Random(seed)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=BUFFER_BYTES)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def clear_up(self) -> None:
        """Fair weather again, and nothing stalls. What is dead stays dead."""
        self.weather = Weather()
        for link in self.links:
            link.resume()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._join(reader, writer)
        except asyncio.CancelledError:
            pass  # the proxy ends; asyncio's streams would report the cancelled task as an error
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for port in self._random.sample(self.upstreams, len(self.upstreams)):
            try:
                server_reader, server_writer = await asyncio.open_connection(
                    "127.0.0.1", port, limit=BUFFER_BYTES
                )
                break
            except OSError:
                continue
        else:
            return
        link = Link(writer.get_extra_info("peername")[1], port)
        link.cut_after = self.weather.cut_after
        link.writers = [writer, server_writer]
        for one in link.writers:
            one.transport.set_write_buffer_limits(BUFFER_BYTES)
        self.links.add(link)
        pumps = [
            asyncio.create_task(self._pump(link, "up", reader, server_writer)),
            asyncio.create_task(self._pump(link, "down", server_reader, writer)),
        ]
        try:
            await asyncio.gather(*pumps)
        finally:
            for pump in pumps:
                pump.cancel()
            self.links.discard(link)
            server_writer.transport.abort()

    async def _pump(
        self, link: Link, direction: Direction, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            while True:
                await link.may_go(direction)
                chunk = await reader.read(CHUNK_BYTES)
                # Stalled while it waited for bytes: they stay here.
                await link.may_go(direction)
                if link.is_dead:
                    if chunk:
                        continue
                    # This side has closed; the other is not notified, and its data is still dropped.
                    return
                if not chunk:
                    writer.write_eof()
                    return
                await self._delay(len(chunk))
                link.bytes += len(chunk)
                if link.cut_after and link.bytes >= link.cut_after:
                    link.reset()
                    return
                writer.write(chunk)
                await writer.drain()
        except (OSError, RuntimeError):
            # Either end broke. So does the other, if it does not swallow by now.
            if not link.is_dead:
                link.reset()

    async def _delay(self, size: int) -> None:
        weather = self.weather
        seconds = weather.latency + self._random.uniform(0, weather.jitter)
        if weather.bytes_per_second:
            seconds += size / weather.bytes_per_second
        if seconds:
            await asyncio.sleep(seconds)
