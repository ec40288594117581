"""Origin check: decides which pages may open a socket.

A browser sends a site's cookies whichever page opens the socket, and names that page in ``Origin``; nothing else stops other sites.
Channels' ``AllowedHostsOriginValidator`` compares hosts only. This check requires the same scheme, host and port.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host
from django.utils.http import is_same_domain

from django_roomchat.conf import config

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LOCAL_HOSTS = [".localhost", "127.0.0.1", "[::1]"]
"""Hosts that Django accepts with ``DEBUG`` and an empty ``ALLOWED_HOSTS``."""

Origin = tuple[str, str, int]


def refusal(scope: dict[str, Any]) -> str | None:
    """Return why the origin of this socket is rejected, as text for the log; ``None`` if it is allowed.

    A client that sends no origin is allowed: it is not a browser, so it does not send a user's cookies without their consent.
    """
    given = _headers(scope, b"origin")
    if not given:
        return None
    if len(given) > 1:
        return f"it has {len(given)} Origin headers"
    origin = _parse(given[0])
    if origin is None:
        return f"its Origin {given[0]!r} is not a scheme, a host and an optional port"
    own = _own_origin(scope)
    if origin == own:
        return None
    also = [*config().ALLOWED_ORIGINS, *settings.CSRF_TRUSTED_ORIGINS]
    if any(_matches(origin, pattern) for pattern in also):
        return None
    site = "unknown because its Host is not in ALLOWED_HOSTS" if own is None else _show(own)
    advice = (
        "only the port differs: a proxy must forward it in Host (nginx: $http_host), or allow the other port in "
        "ROOMCHAT['ALLOWED_ORIGINS']"
        if own is not None and origin[:2] == own[:2]
        else "allow other origins in ROOMCHAT['ALLOWED_ORIGINS'], and behind a proxy that terminates TLS set "
        "SECURE_PROXY_SSL_HEADER"
    )
    return f"its Origin is {given[0]!r} and this site is {site}; {advice}"


def _own_origin(scope: dict[str, Any]) -> Origin | None:
    forwarded = _headers(scope, b"x-forwarded-host") if settings.USE_X_FORWARDED_HOST else []
    host = (forwarded or _headers(scope, b"host") or [""])[0].lower()
    domain, port = split_domain_port(host)
    allowed = settings.ALLOWED_HOSTS or (_LOCAL_HOSTS if settings.DEBUG else [])
    if not domain or not validate_host(domain, allowed):
        return None
    scheme = _scheme(scope)
    return scheme, domain, int(port) if port else _DEFAULT_PORTS[scheme]


def _scheme(scope: dict[str, Any]) -> str:
    if settings.SECURE_PROXY_SSL_HEADER:
        # Django spells the header as WSGI does: HTTP_X_FORWARDED_PROTO.
        name, secure = settings.SECURE_PROXY_SSL_HEADER
        given = _headers(scope, name.removeprefix("HTTP_").replace("_", "-").lower().encode())
        if given:
            return "https" if given[0].split(",")[0].strip() == secure else "http"
    return "https" if scope.get("scheme") in ("wss", "https") else "http"


def _matches(origin: Origin, pattern: str) -> bool:
    if pattern == "*":
        return True
    wildcard = "://*." in pattern
    allowed = _parse(pattern.replace("://*.", "://", 1))
    if allowed is None or origin[0] != allowed[0] or origin[2] != allowed[2]:
        return False
    return (
        is_same_domain(origin[1], f".{allowed[1]}") and origin[1] != allowed[1]
        if wildcard
        else origin == allowed
    )


def _parse(text: str) -> Origin | None:
    try:
        parts = urlsplit(text.lower())
        port = parts.port
    except ValueError:
        return None
    if (
        parts.scheme not in _DEFAULT_PORTS
        or not parts.hostname
        or parts.path
        or parts.query
        or parts.fragment
        or parts.username
    ):
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return parts.scheme, host, _DEFAULT_PORTS[parts.scheme] if port is None else port


def _show(origin: Origin) -> str:
    scheme, host, port = origin
    return f"{scheme}://{host}" if port == _DEFAULT_PORTS[scheme] else f"{scheme}://{host}:{port}"


def _headers(scope: dict[str, Any], name: bytes) -> list[str]:
    return [value.decode("latin-1").strip() for key, value in scope.get("headers", ()) if key.lower() == name]
