"""Tickets: credentials that open one socket, for clients that cannot send cookies, such as mobile apps and other origins.

A ticket replaces the session cookie, or the account that an API token has authenticated, for opening a socket.
Because it authenticates the client, a socket with a ticket may be opened from any origin, and its cookies are ignored.

A ticket is a random text. Its row has the digest of the text and is deleted by the first socket that brings it.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

from django.contrib import auth
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_noop as _

from django_roomchat.conf import config
from django_roomchat.database import database, twin
from django_roomchat.errors import Forbidden
from django_roomchat.identity import sessions
from django_roomchat.identity.tokens import digest
from django_roomchat.models import Ticket

_FIELD = b"ticket="
_SCOPE_KEY = "roomchat_ticket"
"""Scope key that holds the ticket after it was removed from the query string."""


def make_ticket(request: HttpRequest, *, user: AbstractBaseUser | None = None) -> str:
    """Create a ticket for the client that makes this request. It opens one socket within ``TICKET_SECONDS``.

    The socket opened with it stays open as long as the session or the account is valid.

    Args:
        request: a request with a session or a signed-in user.
        user: the user that the socket authenticates as; the default is ``request.user``.

    Returns:
        The ticket, which the client sends as the query parameter ``ticket``.

    Raises:
        Forbidden: the request has neither session nor user.
            Codes: ``sign_in``.
    """
    if user is not None and not hasattr(user, "is_authenticated"):
        raise TypeError(f"The user of a ticket must be a user, not {type(user).__name__}.")
    user = user or getattr(request, "user", None)
    session: Any = getattr(request, "session", None)
    if user is not None and not user.is_authenticated:
        user = None
    # A client that authenticates with a token may also send the session of another user or of a guest.
    if user is not None and (session is None or session.get(auth.SESSION_KEY) != _key_of(user)):
        owner = {"user_id": user.pk, "auth_digest": digest(_auth_hashes(user)[0])}
    elif session is None:
        raise Forbidden(_("Sign in to use the chat."), code="sign_in")
    else:
        if not session.session_key:
            session.save()
        owner = {"user_id": None if user is None else user.pk, "session_key": session.session_key}
    ticket = secrets.token_urlsafe(32)
    delete_expired()
    expires_at = timezone.now() + timedelta(seconds=config().TICKET_SECONDS)
    _rows().create(digest=digest(ticket), expires_at=expires_at, **owner)
    return ticket


amake_ticket = twin(make_ticket)


def delete_expired() -> None:
    """Delete the tickets that expired before they were used."""
    _rows().filter(expires_at__lte=timezone.now()).delete()


def hide_ticket(scope: dict[str, Any]) -> None:
    """Move the ticket from the query string into the scope, in place, because servers write URLs to their logs."""
    parts = scope.get("query_string", b"").split(b"&")
    tickets = [part for part in parts if part.startswith(_FIELD)]
    if tickets:
        scope["query_string"] = b"&".join(part for part in parts if not part.startswith(_FIELD))
        scope[_SCOPE_KEY] = unquote(tickets[0][len(_FIELD) :].decode("latin-1"))


def ticket_of(scope: dict[str, Any]) -> str | None:
    """Return the ticket with which a socket is opened, or ``None``."""
    if _SCOPE_KEY not in scope and _FIELD in scope.get("query_string", b""):
        hide_ticket(scope)
    found: str | None = scope.get(_SCOPE_KEY)
    return found


def redeem_ticket(scope: dict[str, Any], ticket: str) -> dict[str, Any]:
    """Use up a ticket. Queries the database.

    Args:
        scope: ASGI scope of the socket.
        ticket: the ticket that the client sent.

    Returns:
        A copy of the scope with the session or account of the ticket, and without cookies.

    Raises:
        Forbidden: the ticket is unknown, was used before or has expired, or its session or account has ended.
    """
    rows = _rows().filter(digest=digest(ticket), expires_at__gt=timezone.now())
    row = rows.first()
    # Of concurrent redemptions one deletes the row: the database counts it once.
    if row is None or not rows.delete()[0]:
        raise _bad_ticket()
    session = _session_of(row.session_key) if row.session_key else None
    user = _user_of(row) if session is None else _session_user(session)
    if user.pk != row.user_id:
        raise _bad_ticket()
    headers = [(name, value) for name, value in scope.get("headers", ()) if name.lower() != b"cookie"]
    return {**scope, "headers": headers, "cookies": {}, "session": session, "user": user}


def _session_of(session_key: str) -> Any:
    session = sessions.open_session(session_key)
    session.keys()  # loads the session
    if not session.session_key:
        raise _bad_ticket()
    return session


class _SessionCopy(dict[str, Any]):
    """Contents of a session, for a check that does not change the stored session.

    Django gives a session a new key when its user was authenticated with one of ``SECRET_KEY_FALLBACKS``. A socket cannot
    set the cookie for it.
    """

    def cycle_key(self) -> None:
        pass

    flush = cycle_key


def _session_user(session: Any) -> Any:
    request: Any = SimpleNamespace(session=_SessionCopy(session.items()))
    return auth.get_user(request)


def _user_of(row: Any) -> Any:
    user: Any = auth.get_user_model()._default_manager.filter(pk=row.user_id).first()
    if user is None or not user.is_active:
        return AnonymousUser()
    digests = map(digest, _auth_hashes(user))
    return user if any(constant_time_compare(one, row.auth_digest) for one in digests) else AnonymousUser()


def _bad_ticket() -> Forbidden:
    return Forbidden(_("Invalid or expired ticket; request a new one for every socket."), code="bad_ticket")


def _rows() -> Any:
    return Ticket._default_manager.using(database())


def _key_of(user: Any) -> str:
    key: str = user._meta.pk.value_to_string(user)
    return key


def _auth_hashes(user: Any) -> list[str]:
    """Return the user's session auth hash, followed by those of ``SECRET_KEY_FALLBACKS``. They change with the password."""
    if not hasattr(user, "get_session_auth_hash"):
        return [""]
    return [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
