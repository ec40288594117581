"""Lines for the server's log that a stream of the same trouble may not flood."""

from __future__ import annotations

import logging
import time

SECONDS_BETWEEN = 60.0
_LOGGER = logging.getLogger("django_roomchat")
_last: dict[str, float] = {}


def warn(about: str, message: str, *args: object) -> None:
    """Log a warning, but at most one a minute for each *about*."""
    now = time.monotonic()
    if now - _last.get(about, -SECONDS_BETWEEN) >= SECONDS_BETWEEN:
        _last[about] = now
        _LOGGER.warning(message, *args)
