"""Resolution of host names within a time limit. ``getaddrinfo()`` has none: it can wait for a name server for minutes."""

from __future__ import annotations

import queue
import socket
import threading
import time
from contextlib import suppress

LOOKUPS_MAX = 32
"""Maximum number of lookups in progress in one process. A lookup that was given up counts until it returns."""
_free = threading.BoundedSemaphore(LOOKUPS_MAX)


def resolve(host: str, port: int, seconds: float) -> list[str]:
    """Resolve a host name.

    Args:
        host: host name, or an IP address in any form that the system accepts.
        port: port to connect to.
        seconds: limit, in seconds.

    Returns:
        The IP addresses, in the order of preference.

    Raises:
        TimeoutError: the lookup did not finish in time.
        OSError: the name does not exist, or cannot be resolved.
        ValueError: the name is invalid.
    """
    ends = time.monotonic() + seconds
    free = _free
    if seconds <= 0 or not free.acquire(timeout=seconds):
        raise TimeoutError(f"{host} was not resolved in time")
    answers: queue.SimpleQueue[list[str] | OSError | ValueError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put(list(dict.fromkeys(str(info[4][0]) for info in found)))
        except (OSError, ValueError) as error:
            answers.put(error)
        finally:
            free.release()

    try:
        threading.Thread(target=look_up, name="roomchat-lookup", daemon=True).start()
    except RuntimeError as error:
        free.release()
        raise OSError(str(error)) from error
    try:
        answer = answers.get(timeout=max(0.0, ends - time.monotonic()))
    except queue.Empty:
        raise TimeoutError(f"{host} was not resolved in time") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def numeric(host: str) -> str | None:
    """Return the IP address that a host is without a lookup, such as 127.0.0.1 for ``0x7f.1``; ``None`` if it is a name."""
    with suppress(OSError, ValueError):
        return str(socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)[0][4][0])
    return None
