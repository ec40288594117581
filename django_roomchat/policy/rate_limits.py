"""Rate limits: token buckets for each person, IP address and room.

The buckets of this process always apply. If ``ROOMCHAT["RATE_CACHE"]`` names one of Django's caches, the requests of all
processes are also counted there; while the cache fails, only the local buckets apply.
Only requests from clients are counted, through sockets and views, not calls by the project's own code.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache
from ipaddress import IPv6Network
from typing import Any, Literal

from django.core.cache import caches
from django.core.signals import setting_changed
from django.http import HttpRequest
from django.utils.translation import gettext_noop as _

from django_roomchat.conf import Rate, config, parse_rate
from django_roomchat.errors import RateLimited
from django_roomchat.identity import Identity, ip_addresses
from django_roomchat.throttled_logging import warn_throttled

BUCKETS_MAX = 50_000
"""Maximum number of buckets that a process keeps. The least recently used are dropped first; they are full by then."""
CACHE_REST_SECONDS = 5.0
"""Time for which a cache that has failed is not used, in seconds."""

What = Literal["POSTS", "FRAMES", "JOINS", "ROOMS", "SOCKETS", "REPORTS", "SEARCHES", "UPLOADS", "TICKETS"]
Charge = tuple[str, str, Rate]
"""Setting, counted key and rate of a bucket."""

# Time at which each bucket is full again, which is its whole state (generic cell rate algorithm).
_full_at: dict[tuple[str, str], float] = {}
_lock = threading.Lock()
_cache_rests_until = 0.0
_address: ContextVar[str | None] = ContextVar("roomchat_address", default=None)


@cache
def rate(key: str) -> Rate | None:
    """Return the rate of a setting; ``None`` if the limit is off."""
    written = getattr(config(), key, None)
    return None if written is None else parse_rate(written)


@contextmanager
def coming_from(address: str | None) -> Iterator[None]:
    """Context manager: count the calls inside as requests from this IP address."""
    token = _address.set(address)
    try:
        yield
    finally:
        _address.reset(token)


def address_here() -> str | None:
    """Return the IP address of the current request; ``None`` if the project's own code is running."""
    return _address.get()


def spend(what: What, who: Identity, address: str | None, room: str = "") -> None:
    """Count a request against the rate limits, or reject it. May query the cache: call it in a thread.

    Args:
        what: the kind of request.
        who: the identity that makes it.
        address: its IP address; empty if unknown. With ``None`` the project's own code acts, and nothing is counted.
        room: canonical name of the room; empty if there is none.

    Raises:
        RateLimited: the limit is exceeded; ``retry_after`` is the number of seconds to wait.
    """
    spend_local(what, who, address, room)
    spend_shared(what, who, address, room)


def spend_local(what: What, who: Identity, address: str | None, room: str = "") -> None:
    """Count a request against the buckets of this process only. Never blocks.

    Args:
        what: the kind of request.
        who: the identity that makes it.
        address: its IP address; empty if unknown. With ``None`` the project's own code acts, and nothing is counted.
        room: canonical name of the room; empty if there is none.

    Raises:
        RateLimited: the limit is exceeded; ``retry_after`` is the number of seconds to wait.
    """
    if charges := _charges(what, who, address, room):
        now = time.monotonic()
        with _lock:
            filled = [(charge, _filled(charge, now)) for charge in charges]
            # A rejected request takes no token from any bucket.
            for (_key, _whose, of), at in filled:
                if at - now > of.span:
                    raise _refusal(at - now - of.span)
            for (key, whose, _rate), at in filled:
                # Removed first, so that it is reinserted as the most recent.
                _full_at.pop((key, whose), None)
                _full_at[key, whose] = at
            while len(_full_at) > BUCKETS_MAX:
                del _full_at[next(iter(_full_at))]


def _filled(charge: Charge, now: float) -> float:
    key, whose, of = charge
    return max(_full_at.get((key, whose), now), now) + of.gap


def spend_shared(what: What, who: Identity, address: str | None, room: str = "") -> None:
    """Count a request in the shared cache, if one is configured. Queries the cache, so call it in a thread.

    Args:
        what: the kind of request.
        who: the identity that makes it.
        address: its IP address; empty if unknown. With ``None`` the project's own code acts, and nothing is counted.
        room: canonical name of the room; empty if there is none.

    Raises:
        RateLimited: the limit is exceeded; ``retry_after`` is the number of seconds to wait.
    """
    global _cache_rests_until
    alias = config().RATE_CACHE
    if alias is None or time.monotonic() < _cache_rests_until:
        return
    try:
        for charge in _charges(what, who, address, room):
            _spend_in(caches[alias], charge)
    except RateLimited:
        raise
    except Exception as error:
        _cache_rests_until = time.monotonic() + CACHE_REST_SECONDS
        warn_throttled("rate cache", "The rate limit cache fails; each process counts separately: %r", error)


def _spend_in(shared: Any, charge: Charge) -> None:
    """Count with two time windows, weighting the older by its overlap: Django's caches have no atomic token buckets."""
    key, whose, of = charge
    window, passed = divmod(time.time(), of.seconds)
    digest = hashlib.sha256(f"{key}:{whose}".encode()).hexdigest()[:32]
    names = [f"roomchat:{digest}:{int(window) - back}" for back in (0, 1)]
    shared.add(names[0], 0, timeout=2 * of.seconds + 1)
    used = shared.incr(names[0]) + shared.get(names[1], 0) * (1 - passed / of.seconds)
    if used > of.count:
        shared.decr(names[0])
        raise _refusal(min(of.seconds - passed, (used - of.count) * of.gap))


def _refusal(seconds: float) -> RateLimited:
    return RateLimited(
        _("Too many requests; wait a moment and try again."), retry_after=round(seconds + 0.05, 1)
    )


def _charges(what: What, who: Identity, address: str | None, room: str) -> list[Charge]:
    if address is None or who.is_site:
        return []
    counted = who.key, address, room
    keys = _keys(what, who.is_guest)
    return [
        (key, whose, of)
        for key, whose in zip(keys, counted, strict=True)
        if (of := rate(key)) is not None and whose
    ]


@cache
def _keys(what: What, is_guest: bool) -> tuple[str, str, str]:
    """Return the settings that limit an identity, an IP address and a room."""
    return f"{what}_PER_{'GUEST' if is_guest else 'USER'}", f"{what}_PER_ADDRESS", f"{what}_PER_ROOM"


# IP addresses ---------------------------------------------------------------------------------------------------

UNREADABLE = "unreadable"
"""Address under which all clients are counted whose IP address cannot be parsed."""
_FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip")
"""Headers in which a proxy writes the address of its client."""
_FORWARDED_IN_META = tuple(f"HTTP_{name.upper().replace('-', '_')}" for name in _FORWARDED)
_FORWARDED_IN_SCOPE = frozenset(name.encode() for name in _FORWARDED)


def address_of(source: HttpRequest | dict[str, Any]) -> str:
    """Return the IP address of a request or a socket for the rate limits; empty if it is not known.

    With ``ROOMCHAT["PROXIES"]``, it is the entry of ``X-Forwarded-For`` that the first of the proxies has appended; entries before
    it can be forged. A request with fewer entries has not passed all proxies and counts under the address of its connection.
    Without the setting, an address outside the public internet is taken for the site's own proxy, behind which all clients would
    share a bucket; the result is then empty.
    An IPv6 address counts as its /64 network, and an address that cannot be parsed as :data:`UNREADABLE`.
    """
    if isinstance(source, HttpRequest):
        peer, forwarded = source.META.get("REMOTE_ADDR", ""), source.META.get("HTTP_X_FORWARDED_FOR", "")
    else:
        peer = (source.get("client") or ("",))[0]
        # Several lines of a header are one list, in their order (RFC 9110, section 5.3).
        lines = [value for name, value in source.get("headers", ()) if name == b"x-forwarded-for"]
        forwarded = b",".join(lines).decode("latin-1")
    proxies = config().PROXIES
    if not proxies:
        address = _counted(peer or "", False)
        if not address and _is_forwarded(source):
            warn_throttled(
                "proxies",
                "A proxy at %r forwards requests, and ROOMCHAT['PROXIES'] is 0: the rate limits for IP addresses do not apply. "
                "Set it to the number of your proxies",
                peer or "a unix socket",
            )
        return address
    hops = [hop for entry in forwarded.split(",") if (hop := entry.strip())]
    return _counted(hops[-proxies] if len(hops) >= proxies else peer or "", True)


def _is_forwarded(source: HttpRequest | dict[str, Any]) -> bool:
    if isinstance(source, HttpRequest):
        return any(name in source.META for name in _FORWARDED_IN_META)
    return any(name in _FORWARDED_IN_SCOPE for name, _value in source.get("headers", ()))


@lru_cache(maxsize=4096)
def _counted(address: str, is_known: bool) -> str:
    ip = ip_addresses.parse_ip(address)
    if ip is None:
        # The peer of a unix socket has no address, or the address "unix:".
        is_unix_socket = not address or address.startswith("unix")
        return "" if is_unix_socket and not is_known else UNREADABLE
    if not is_known and not ip_addresses.is_public(ip):
        return ""
    return str(ip) if ip.version == 4 else str(IPv6Network((int(ip), 64), strict=False))


def _forget(*, setting: str, **kwargs: Any) -> None:
    global _cache_rests_until
    if setting in ("ROOMCHAT", "CACHES"):
        rate.cache_clear()
        _full_at.clear()
        _cache_rests_until = 0.0


setting_changed.connect(_forget, dispatch_uid="django_roomchat.policy.rate_limits")
