"""From which pages a socket may be opened.

A browser sends a site's cookies along whatever page opens the socket, and names that page in ``Origin``; nothing else stops other sites.
Channels' ``AllowedHostsOriginValidator`` compares hosts only; here scheme, host and port must be the same.
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
"""What Django itself serves with ``DEBUG`` and no ``ALLOWED_HOSTS``."""

Origin = tuple[str, str, int]


def refusal(scope: dict[str, Any]) -> str | None:
    """Why the page that opens this socket may not, for the server's log; ``None`` if it may.

    A client that names no origin is no browser, carries nobody's cookies against their will, and is let in.
    """
    given = _headers(scope, b"origin")
    if not given:
        return None
    if len(given) > 1:
        return f"it names {len(given)} origins"
    origin = _parse(given[0])
    if origin is None:
        return f"its origin {given[0]!r} is not a scheme, a host and perhaps a port"
    own = _own_origin(scope)
    if origin == own:
        return None
    also = [*config().ALLOWED_ORIGINS, *settings.CSRF_TRUSTED_ORIGINS]
    if any(_matches(origin, pattern) for pattern in also):
        return None
    site = "unknown, as its Host is not in ALLOWED_HOSTS" if own is None else _show(own)
    return (
        f"its page is from {given[0]!r} and this site is {site}; allow others in ROOMCHAT['ALLOWED_ORIGINS'], "
        "and behind a proxy that ends TLS set SECURE_PROXY_SSL_HEADER"
    )


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
        # Django writes the header as WSGI does: HTTP_X_FORWARDED_PROTO.
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
