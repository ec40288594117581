"""Throttled log warnings, so that a repeated fault does not flood the log."""

from __future__ import annotations

import logging
import time

SECONDS_BETWEEN = 60.0
_LOGGER = logging.getLogger("django_roomchat")
_last: dict[str, float] = {}


def warn_throttled(about: str, message: str, *args: object) -> None:
    """Log a warning, but at most once a minute for each *about*.

    Args:
        about: key of the fault.
        message: log message.
        args: arguments of the log message.
    """
    if _is_due(about):
        _LOGGER.warning(message, *args)


def error_throttled(about: str, message: str, *args: object, error: BaseException | None = None) -> None:
    """Log an error, but at most once a minute for each *about*.

    Args:
        about: key of the fault.
        message: log message.
        args: arguments of the log message.
        error: exception whose traceback is logged with it.
    """
    if _is_due(about):
        _LOGGER.error(message, *args, exc_info=error)


def _is_due(about: str) -> bool:
    now = time.monotonic()
    if now - _last.get(about, -SECONDS_BETWEEN) < SECONDS_BETWEEN:
        return False
    _last[about] = now
    return True
