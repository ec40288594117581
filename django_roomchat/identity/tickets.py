"""Tickets: short-lived credentials for clients whose sockets cannot send cookies, such as mobile apps and other origins.

A ticket replaces the session cookie, or the account that an API token has authenticated, for opening a socket.
Because it authenticates the client, a socket with a ticket may be opened from any origin, and its cookies are ignored.
"""

from __future__ import annotations

import hashlib
import secrets
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.models import AnonymousUser
from django.core import signing
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_noop as _

from django_roomchat.conf import config
from django_roomchat.errors import Forbidden

_SALT = "django_roomchat.ticket"
_FIELD = b"ticket="
_TAKEN = "roomchat_ticket"
"""Scope key that holds the ticket after it was removed from the query string."""


def make_ticket(request: HttpRequest, *, user: Any = None) -> str:
    """Create a ticket for the client that makes this request. It is valid for ``TICKET_SECONDS``.

    The socket opened with it stays open as long as the session or the account is valid.

    Args:
        request: a request with a session or a signed-in user.
        user: the user that the socket authenticates as; the default is ``request.user``.

    Returns:
        The ticket, which the client sends as the query parameter ``ticket``.

    Raises:
        Forbidden: the request has neither session nor user.
    """
    user = user or getattr(request, "user", None)
    session: Any = getattr(request, "session", None)
    pk = user._meta.pk.value_to_string(user) if user is not None and user.is_authenticated else ""
    # A client that authenticates with a token may also send the session of another user or of a guest.
    if pk and (session is None or session.get(auth.SESSION_KEY) != pk):
        return signing.dumps({"user": pk, "hash": _digest_of(user)}, salt=_SALT)
    if session is None:
        raise Forbidden(_("Sign in to use the chat."), code="sign_in")
    if not session.session_key:
        session.save()
    return signing.dumps({"session": _sealed(session.session_key), "user": pk}, salt=_SALT)


def take(scope: dict[str, Any]) -> None:
    """Move the ticket from the query string into the scope, in place, because servers write URLs to their logs."""
    parts = scope.get("query_string", b"").split(b"&")
    tickets = [part for part in parts if part.startswith(_FIELD)]
    if tickets:
        scope["query_string"] = b"&".join(part for part in parts if not part.startswith(_FIELD))
        scope[_TAKEN] = unquote(tickets[0][len(_FIELD) :].decode("latin-1"))


def ticket_of(scope: dict[str, Any]) -> str | None:
    """Return the ticket with which a socket is opened, or ``None``."""
    if _TAKEN not in scope and _FIELD in scope.get("query_string", b""):
        take(scope)
    found: str | None = scope.get(_TAKEN)
    return found


def redeem(scope: dict[str, Any], ticket: str) -> dict[str, Any]:
    """Return the scope with the session or account of the ticket, and without cookies.

    Raises:
        Forbidden: the ticket is invalid or has expired.
    """
    try:
        said = signing.loads(ticket, salt=_SALT, max_age=config().TICKET_SECONDS)
    except signing.BadSignature:
        raise _bad_ticket() from None
    session = _session_of(said["session"]) if "session" in said else None
    user: Any = auth.get_user(SimpleNamespace(session=session)) if session is not None else _user_of(said)  # type: ignore[arg-type]
    is_theirs = (
        user._meta.pk.value_to_string(user) == said["user"] if user.is_authenticated else not said["user"]
    )
    if not is_theirs:
        raise _bad_ticket()
    headers = [(name, value) for name, value in scope.get("headers", ()) if name.lower() != b"cookie"]
    return {**scope, "headers": headers, "cookies": {}, "session": session, "user": user}


def _session_of(sealed: str) -> Any:
    session = import_module(settings.SESSION_ENGINE).SessionStore(_unsealed(sealed))
    session.keys()  # loads the session
    if not session.session_key:
        raise _bad_ticket()
    return session


def _user_of(said: dict[str, Any]) -> Any:
    user = auth.get_user_model()._default_manager.filter(pk=said["user"]).first()
    if user is None or not user.is_active or not constant_time_compare(_digest_of(user), said["hash"]):
        return AnonymousUser()
    return user


def _bad_ticket() -> Forbidden:
    return Forbidden(_("Invalid or expired ticket; request a new one for every socket."), code="bad_ticket")


def _digest_of(user: Any) -> str:
    known = user.get_session_auth_hash() if hasattr(user, "get_session_auth_hash") else ""
    return hashlib.sha256(str(known).encode()).hexdigest()


# A ticket is signed but readable. The session key inside would be as good as the cookie for as long as the session lives, so it
# is encrypted with a keystream derived from SECRET_KEY and a nonce that is unique for each ticket.


def _sealed(key: str) -> str:
    nonce = secrets.token_hex(16)
    return f"{nonce}{_mixed(key.encode(), nonce).hex()}"


def _unsealed(sealed: str) -> str:
    return _mixed(bytes.fromhex(sealed[32:]), sealed[:32]).decode(errors="replace")


def _mixed(content: bytes, nonce: str) -> bytes:
    blocks = range(0, len(content), 64)
    stream = b"".join(salted_hmac(_SALT, f"{nonce}{place}", algorithm="sha512").digest() for place in blocks)
    return bytes(one ^ other for one, other in zip(content, stream, strict=False))
