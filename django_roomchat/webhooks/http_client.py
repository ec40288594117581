"""HTTP client for webhook URLs, which users choose: no private networks, a bounded time, and the response
body is discarded.

The host name is resolved here and the connection goes to the address that was checked, so a second lookup
cannot return another host (DNS rebinding). Redirects are not followed, and proxies from the environment are
not used.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.utils.translation import gettext_noop as _

from django_roomchat.errors import BadValue

_NAT64 = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """The outcome of a request."""

    status: int = 0
    """Status code of the response; 0 if there was none."""
    error: str = ""
    """Why the request failed; empty if it succeeded."""
    retry_after: float = 0.0
    """The receiver's ``Retry-After``, in seconds; 0 if there was none."""

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class _Refused(Exception):
    """The host has no address that may be connected to."""


def check_url(url: str) -> None:
    """Validate the URL of a webhook.

    Raises:
        BadValue: *url* cannot be used with :func:`post`.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or "@" in parts.netloc or any(not "!" <= character <= "~" for character in url):
        raise BadValue(
            _("%(url)s is not a valid URL; use an http or https URL in ASCII without a user name."),
            url=repr(url[:100]),
        )


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    timeout_seconds: float,
    may_be_private: bool = False,
) -> DeliveryResult:
    """Send a POST request and return the outcome. Failures are returned, not raised.

    Args:
        url: an ``http`` or ``https`` URL.
        body: the request body.
        headers: request headers, besides ``Host`` and ``Content-Length``.
        timeout_seconds: limit for the whole request, from name resolution to the response headers, in
            seconds.
        may_be_private: whether addresses of this machine and of private networks are allowed.
    """
    deadline = time.monotonic() + timeout_seconds
    parts = urlsplit(url)
    try:
        connected = _connect(parts, deadline, may_be_private)
    except (_Refused, OSError, ValueError) as error:
        return DeliveryResult(error=_description(error))
    overdue = threading.Event()

    def abort() -> None:
        overdue.set()
        with suppress(OSError):
            # Call the base class: SSLSocket.shutdown() would drop its TLS state while the other thread reads.
            socket.socket.shutdown(connected, socket.SHUT_RDWR)

    # A socket's own timeout restarts with every byte, so a timer limits the whole request.
    timer = threading.Timer(max(0.0, deadline - time.monotonic()), abort)
    timer.start()
    try:
        result = _ask(connected, parts, body, headers)
    except TimeoutError:
        overdue.set()
    except (OSError, HTTPException, ValueError) as error:
        result = DeliveryResult(error=_description(error))
    finally:
        timer.cancel()
        timer.join()
        connected.close()
    # Also when the truncated response could be parsed as a complete one.
    return DeliveryResult(error=f"no response within {timeout_seconds:g} s") if overdue.is_set() else result


def _ask(
    connected: socket.socket, parts: SplitResult, body: bytes, headers: Mapping[str, str]
) -> DeliveryResult:
    if isinstance(connected, ssl.SSLSocket):
        connected.do_handshake()
    connection = HTTPConnection(parts.netloc)
    connection.sock = connected
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection.request("POST", path, body, {"Host": parts.netloc, **headers})
    with closing(connection.getresponse()) as response:
        status, retry_after = response.status, _seconds(response.headers.get("Retry-After", ""))
    return DeliveryResult(status, "" if 200 <= status < 300 else f"HTTP {status}", retry_after)


def _connect(parts: SplitResult, deadline: float, may_be_private: bool) -> socket.socket:
    host, is_secure = parts.hostname or "", parts.scheme == "https"
    found = socket.getaddrinfo(host, parts.port or (443 if is_secure else 80), type=socket.SOCK_STREAM)
    addresses = [info for info in found if may_be_private or is_public(str(info[4][0]))]
    if not addresses:
        raise _Refused(f"{host} resolves to {found[0][4][0]}, an address of a private network")
    plain = _first_open(addresses, deadline)
    if not is_secure:
        return plain
    context = ssl.create_default_context()
    return context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)


def _first_open(addresses: list[tuple[Any, ...]], deadline: float) -> socket.socket:
    error: OSError = TimeoutError("timed out")
    for family, kind, protocol, _name, address in addresses:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        one = socket.socket(family, kind, protocol)
        try:
            one.settimeout(left)
            one.connect(address)
        except OSError as failed:
            one.close()
            error = failed
        else:
            return one
    raise error


def is_public(address: str) -> bool:
    """Return whether an IP address is a public one, also when it is embedded in another address."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        if ip.is_site_local or ip.sixtofour is not None or ip.teredo is not None:
            return False
        if ip.ipv4_mapped is not None or ip in _NAT64:
            ip = IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.is_global and not ip.is_multicast


def _seconds(retry_after: str) -> float:
    return (
        float(retry_after)
        if retry_after.isascii() and retry_after.isdecimal() and len(retry_after) < 7
        else 0.0
    )


def _description(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__)[:300]
