"""Rate limits as they are written in the ``ROOMCHAT`` setting, such as ``20/10s``."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """Rate limit: a token bucket of *count* tokens that refills within *seconds*."""

    count: int
    seconds: float

    @property
    def gap(self) -> float:
        """Time in which one token is refilled, in seconds."""
        return self.seconds / self.count

    @property
    def span(self) -> float:
        """Capacity of the bucket, in seconds, with a margin for rounding errors."""
        return self.seconds + 1e-6


RATE = re.compile(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,8})?([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def parse_rate(written: str) -> Rate:
    """Parse a rate such as ``20/10s``.

    Args:
        written: number of requests, a slash, and a period with its unit (s, m, h or d).

    Returns:
        The rate.

    Raises:
        ValueError: the text is not a rate.
    """
    found = RATE.fullmatch(written)
    if found is None:
        raise ValueError(f"{written!r} is not a rate such as '20/10s'.")
    count, seconds, unit = found.groups()
    return Rate(int(count), float(int(seconds or 1) * _UNITS[unit]))
