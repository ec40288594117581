"""Tickets: for clients whose sockets cannot bring a cookie, such as mobile apps and pages of other origins.

A ticket stands in for the session cookie, or for the account that a token has shown, for one thing and a short time: to open a socket.
It proves who asks, so a socket with a ticket may be opened from any page; and the cookies that come with it count for nothing.
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
"""Where a ticket stands in the scope after it was taken out of the address."""


def make_ticket(request: HttpRequest, *, user: Any = None) -> str:
    """A ticket for whoever makes this request, good for ``TICKET_SECONDS``. The socket lives as long as their session or account does.

    Args:
        request: with a session, or a signed-in user.
        user: in whose name to speak, where your view knows better than ``request.user``.

    Raises:
        Forbidden: the request has neither session nor user.
    """
    user = user or getattr(request, "user", None)
    session: Any = getattr(request, "session", None)
    pk = user._meta.pk.value_to_string(user) if user is not None and user.is_authenticated else ""
    # Who shows a token may have a session of somebody else, or a guest's.
    if pk and (session is None or session.get(auth.SESSION_KEY) != pk):
        return signing.dumps({"user": pk, "hash": _digest_of(user)}, salt=_SALT)
    if session is None:
        raise Forbidden(_("Sign in to use the chat."), code="sign_in")
    if not session.session_key:
        session.save()
    return signing.dumps({"session": _sealed(session.session_key), "user": pk}, salt=_SALT)


def take(scope: dict[str, Any]) -> None:
    """Move the ticket out of the address, in place: servers write addresses into their logs."""
    parts = scope.get("query_string", b"").split(b"&")
    tickets = [part for part in parts if part.startswith(_FIELD)]
    if tickets:
        scope["query_string"] = b"&".join(part for part in parts if not part.startswith(_FIELD))
        scope[_TAKEN] = unquote(tickets[0][len(_FIELD) :].decode("latin-1"))


def ticket_of(scope: dict[str, Any]) -> str | None:
    """The ticket with which a socket is opened; ``None`` without one."""
    if _TAKEN not in scope and _FIELD in scope.get("query_string", b""):
        take(scope)
    found: str | None = scope.get(_TAKEN)
    return found


def redeem(scope: dict[str, Any], ticket: str) -> dict[str, Any]:
    """The scope as if its socket had been opened with the session or the account of the ticket, and without any cookie.

    Raises:
        Forbidden: the ticket is not good, or not any more.
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
    session.keys()  # reads it
    if not session.session_key:
        raise _bad_ticket()
    return session


def _user_of(said: dict[str, Any]) -> Any:
    user = auth.get_user_model()._default_manager.filter(pk=said["user"]).first()
    if user is None or not user.is_active or not constant_time_compare(_digest_of(user), said["hash"]):
        return AnonymousUser()
    return user


def _bad_ticket() -> Forbidden:
    return Forbidden(
        _("This ticket is not good, or not any more; get a new one for every socket."), code="bad_ticket"
    )


def _digest_of(user: Any) -> str:
    known = user.get_session_auth_hash() if hasattr(user, "get_session_auth_hash") else ""
    return hashlib.sha256(str(known).encode()).hexdigest()


# A ticket is signed, which anybody can read. The session's key in it would be as good as the cookie for as long as the session
# lives, so it is hidden behind a stream of our own secret that no two tickets share.


def _sealed(key: str) -> str:
    nonce = secrets.token_hex(16)
    return f"{nonce}{_mixed(key.encode(), nonce).hex()}"


def _unsealed(sealed: str) -> str:
    return _mixed(bytes.fromhex(sealed[32:]), sealed[:32]).decode(errors="replace")


def _mixed(content: bytes, nonce: str) -> bytes:
    blocks = range(0, len(content), 64)
    stream = b"".join(salted_hmac(_SALT, f"{nonce}{place}", algorithm="sha512").digest() for place in blocks)
    return bytes(one ^ other for one, other in zip(content, stream, strict=False))
