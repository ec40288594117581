"""HTTP client for webhook URLs, which users choose: no private networks, a bounded time, and the response
body is discarded.

The host name is resolved here and the connection goes to an address that was checked, so a second lookup
cannot return another host (DNS rebinding). Redirects are not followed.
"""

from __future__ import annotations

import re
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from importlib.util import find_spec
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from django_roomchat.errors import BadValue
from django_roomchat.identity.ip_addresses import is_public, parse_ip
from django_roomchat.webhooks import name_resolution

if TYPE_CHECKING:
    from urllib3.connection import HTTPConnection

ENVIRONMENT = "environment"
"""Value of ``WEBHOOK_PROXY`` that selects the proxy variables of the environment."""
_PORTS = {"http": 80, "https": 443}
_HOST_NAME = re.compile(r"[a-z0-9._-]+")
"""Host names. A proxy might decode other characters, such as ``%31``, to an address that was not checked here."""


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


def is_installed() -> bool:
    """Return whether the ``webhooks`` extra is installed."""
    return find_spec("urllib3") is not None


def require_installed() -> None:
    """Raise an error if deliveries are impossible.

    Raises:
        ImproperlyConfigured: urllib3 is not installed.
    """
    if not is_installed():
        raise ImproperlyConfigured(
            'Webhooks need urllib3. Install it: python -m pip install "django-roomchat[webhooks]".'
        )


def check_url(url: str) -> None:
    """Validate the URL of a webhook.

    Raises:
        BadValue: *url* cannot be used with :func:`post`.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _PORTS and _has_host(parts) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or "@" in parts.netloc or any(not "!" <= character <= "~" for character in url):
        raise BadValue(
            _("%(url)s is not a valid URL; use an http or https URL in ASCII without a user name."),
            url=repr(url[:100]),
        )


def _has_host(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    if "[" in parts.netloc:
        return ":" in host and parse_ip(host) is not None
    return _HOST_NAME.fullmatch(host) is not None


def cautions(url: str) -> list[str]:
    """Return what is unusual about the URL of a webhook, in sentences for its creator. A usual one gets none."""
    parts = urlsplit(url)
    found = []
    if parts.scheme == "http":
        found.append(gettext("Deliveries to an http URL are not encrypted; use https."))
    if parts.port not in (None, _PORTS[parts.scheme]):
        sentence = gettext("Port %(port)s is unusual; make sure that a web server listens on it.")
        found.append(sentence % {"port": parts.port})
    return found


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    timeout_seconds: float,
    may_be_private: bool = False,
    proxy: str | None = None,
) -> DeliveryResult:
    """Send a POST request and return the outcome. Failures are returned, not raised.

    Args:
        url: an ``http`` or ``https`` URL.
        body: the request body.
        headers: request headers, besides ``Host`` and ``Content-Length``.
        timeout_seconds: limit for the whole request, from name resolution to the response headers, in
            seconds.
        may_be_private: whether addresses of this machine and of private networks are allowed.
        proxy: URL of an HTTP proxy, or :data:`ENVIRONMENT`. The proxy resolves host names, so only IP addresses are
            checked here.
    """
    from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

    result = DeliveryResult()
    with _Deadline(timeout_seconds) as deadline:
        try:
            result = _exchange(urlsplit(url), body, headers, deadline, may_be_private, proxy)
        except NewConnectionError as error:  # a subclass of ConnectTimeoutError
            result = DeliveryResult(error=_description(error))
        except (TimeoutError, ConnectTimeoutError):
            deadline.has_passed = True
        except (_Refused, HTTPError, HTTPException, OSError, ValueError) as error:
            result = DeliveryResult(error=_description(error))
    # Also when the truncated response could be parsed as a complete one.
    return (
        DeliveryResult(error=f"no response within {timeout_seconds:g} s") if deadline.has_passed else result
    )


def _exchange(
    parts: SplitResult,
    body: bytes,
    headers: Mapping[str, str],
    deadline: _Deadline,
    may_be_private: bool,
    proxy: str | None,
) -> DeliveryResult:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    by = _proxy_of(parts, proxy)
    if by is None:
        connection = _connect(parts, deadline, may_be_private)
    else:
        _refuse_private_literal(parts.hostname or "", may_be_private)
        credentials = _credentials(by)
        connection = _connect_through(by, parts, deadline, credentials)
        if parts.scheme == "http":
            target, headers = f"http://{parts.netloc}{target}", {**headers, **credentials}
    try:
        connection.timeout = deadline.left()
        connection.request(
            "POST", target, body=body, headers={"Host": parts.netloc, **headers}, preload_content=False
        )
        response = connection.getresponse()
        status, retry_after = response.status, _seconds(response.headers.get("Retry-After", ""))
        # The body is not read.
        response.close()
    finally:
        connection.close()
    return DeliveryResult(status, "" if 200 <= status < 300 else f"HTTP {status}", retry_after)


# Time limit --------------------------------------------------------------------------------------------------------


class _Deadline:
    """Time limit of one request. At its end the watched connections are shut down.

    A socket's own timeout restarts with every byte, so a server that sends slowly would hold a request for as long as it likes.
    """

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._watched: list[socket.socket] = []
        self._timer = threading.Timer(max(0.0, seconds), self._abort)
        self.has_passed = False

    def __enter__(self) -> _Deadline:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._timer.join()
        for copy in self._watched:
            copy.close()

    def left(self) -> float:
        """Return the remaining time, in seconds.

        Raises:
            TimeoutError: none remains.
        """
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return left

    def watch(self, connected: socket.socket) -> None:
        """Shut down a connection at the end of the time limit."""
        # A copy of the file descriptor: TLS takes over the original, and shutting down a copy ends the same connection.
        with self._lock:
            self._watched.append(connected.dup())
            if self.has_passed:
                self._shut_down()

    def _abort(self) -> None:
        with self._lock:
            self.has_passed = True
            self._shut_down()

    def _shut_down(self) -> None:
        for copy in self._watched:
            with suppress(OSError):
                copy.shutdown(socket.SHUT_RDWR)


class _Context(ssl.SSLContext):
    """TLS with the certificates of the system, within the time limit."""

    deadline: _Deadline

    def wrap_socket(self, sock: socket.socket, *about: Any, **options: Any) -> ssl.SSLSocket:
        self.deadline.watch(sock)
        return super().wrap_socket(sock, *about, **options)


def _tls(deadline: _Deadline) -> ssl.SSLContext:
    context = _Context(ssl.PROTOCOL_TLS_CLIENT)
    if sys.version_info >= (3, 13):
        # As ssl.create_default_context() does.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
    context.load_default_certs()
    context.deadline = deadline
    return context


# Connections -------------------------------------------------------------------------------------------------------


def _connect(parts: SplitResult, deadline: _Deadline, may_be_private: bool) -> HTTPConnection:
    from urllib3.connection import HTTPConnection, HTTPSConnection

    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    found = name_resolution.resolve(host, port, deadline.left())
    allowed = [address for address in found if may_be_private or _is_public(address)]
    if not found:
        raise _Refused(f"{host} has no IP address")
    if not allowed:
        raise _private(host, found[0])
    if parts.scheme == "http":
        return _first_open(allowed, deadline, lambda ip, time: HTTPConnection(ip, port, timeout=time))
    context = _tls(deadline)
    return _first_open(
        allowed,
        deadline,
        lambda ip, time: HTTPSConnection(
            ip, port, timeout=time, ssl_context=context, server_hostname=host.strip("[]")
        ),
    )


def _connect_through(
    by: SplitResult, parts: SplitResult, deadline: _Deadline, credentials: dict[str, str]
) -> HTTPConnection:
    """Connect to a proxy, and for https through it to the receiver."""
    from urllib3.connection import HTTPConnection, HTTPSConnection

    port = by.port or _PORTS["http"]
    addresses = name_resolution.resolve(by.hostname or "", port, deadline.left())
    if parts.scheme == "http":
        return _first_open(addresses, deadline, lambda ip, time: HTTPConnection(ip, port, timeout=time))
    context = _tls(deadline)

    def tunnel(ip: str, time: float) -> HTTPConnection:
        connection = HTTPSConnection(ip, port, timeout=time, ssl_context=context)
        connection.set_tunnel(parts.hostname or "", parts.port or _PORTS["https"], headers=credentials)
        return connection

    return _first_open(addresses, deadline, tunnel)


def _first_open(
    addresses: list[str], deadline: _Deadline, make: Callable[[str, float], HTTPConnection]
) -> HTTPConnection:
    """Connect to the first address that accepts. An address that does not respond leaves time for the others."""
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    error: Exception = TimeoutError("timed out")
    for position, address in enumerate(addresses):
        connection = make(address, deadline.left() / (len(addresses) - position))
        try:
            connection.connect()
            if not isinstance(connection.sock, ssl.SSLSocket):
                deadline.watch(connection.sock)
            return connection
        except (NewConnectionError, ConnectTimeoutError) as failed:
            error = failed
            connection.close()
        except BaseException:
            connection.close()
            raise
    raise error


def _is_public(address: str) -> bool:
    ip = parse_ip(address)
    return ip is not None and is_public(ip)


def _private(host: str, address: str) -> _Refused:
    return _Refused(f"{host} resolves to {address}, an address of a private network")


# Proxies -----------------------------------------------------------------------------------------------------------


def _proxy_of(parts: SplitResult, chosen: str | None) -> SplitResult | None:
    """Return the URL of the proxy for a request; ``None`` if it is sent directly."""
    if chosen == ENVIRONMENT:
        proxies = getproxies()
        if _bypasses(parts.hostname or "", proxies.get("no", "")):
            return None
        chosen = proxies.get(parts.scheme) or proxies.get("all")
    if not chosen:
        return None
    found = urlsplit(chosen if "://" in chosen else f"http://{chosen}")
    if found.scheme != "http" or not found.hostname:
        raise ValueError(f"the proxy must have an http URL, not one that begins with {found.scheme!r}")
    return found


def _bypasses(host: str, excluded: str) -> bool:
    """Return whether ``NO_PROXY`` excludes a host: by its name, by a domain above it, or with ``*``."""
    suffixes = [entry.strip().lower().lstrip(".") for entry in excluded.split(",")]
    return any(
        suffix and (suffix == "*" or host == suffix or host.endswith(f".{suffix}")) for suffix in suffixes
    )


def _credentials(by: SplitResult) -> dict[str, str]:
    from urllib3.util import make_headers

    if by.username is None:
        return {}
    return dict(make_headers(proxy_basic_auth=f"{unquote(by.username)}:{unquote(by.password or '')}"))


def _refuse_private_literal(host: str, may_be_private: bool) -> None:
    """Refuse what is known to be private without a lookup. A proxy itself resolves names, and has to check them."""
    if may_be_private:
        return
    if f".{host.rstrip('.')}".endswith(".localhost"):
        raise _private(host, "127.0.0.1")
    # With a zone that this machine does not have, an address is not numeric for the system.
    address = name_resolution.numeric(host) or (host if ":" in host else None)
    if address is not None and not _is_public(address):
        raise _private(host, address)


def _seconds(retry_after: str) -> float:
    return (
        float(retry_after)
        if retry_after.isascii() and retry_after.isdecimal() and len(retry_after) < 7
        else 0.0
    )


def _description(error: BaseException) -> str:
    # urllib3 wraps the error of the operating system.
    cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
    text = str(cause).strip() or type(cause).__name__
    # The receiver may have written a part of it, and PostgreSQL stores no NUL.
    return "".join(character if character.isprintable() else "\ufffd" for character in text)[:300]
