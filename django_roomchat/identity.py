"""Who speaks: a user, a guest or the site itself, as one small value."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext

from django_roomchat.conf import hook

NAME_MAX_LENGTH = 150
GUEST_SESSION_KEY = "roomchat_guest"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who speaks, and what others see of them."""

    key: str
    """The same for everything that they say; up to 100 characters. It is no secret and proves nothing."""
    name: str
    """What others see; up to 150 characters."""
    user: Any = None
    """The project's user, or ``None`` for guests and for the site."""
    is_guest: bool = False
    is_site: bool = False
    """The project's own code speaks. No policy is asked."""
    avatar: str = ""
    """The address of a picture, as it is when they write; empty if there is none."""
    link: str = ""
    """The address of their profile; empty if there is none."""
    chose_name: bool = False
    """A guest who has chosen the name. It is refused where it looks like somebody else's."""


def site(name: str | None = None) -> Identity:
    """The project itself, under a name of its choice."""
    shown = (name or gettext("System"))[:NAME_MAX_LENGTH]
    return Identity(f"site:{hashlib.sha256(shown.encode()).hexdigest()[:16]}", shown, is_site=True)


def is_site_key(key: str) -> bool:
    """Whether the project itself speaks with this key."""
    return key.startswith("site:")


def of_user(user: Any) -> Identity:
    """The identity of a user of any user model."""
    full_name = user.get_full_name().strip() if hasattr(user, "get_full_name") else ""
    # Where people sign in with their address, only the part before the @ is shown to others.
    name = full_name or user.get_username().partition("@")[0] or user.get_username()
    return Identity(f"u:{user.pk}", name[:NAME_MAX_LENGTH], user=user)


def new_guest() -> Identity:
    """Somebody who has not signed in."""
    number = 1000 + secrets.randbelow(9000)
    return Identity(
        f"g:{secrets.token_hex(16)}", gettext("Guest %(number)d") % {"number": number}, is_guest=True
    )


def identify(source: HttpRequest | dict[str, Any]) -> Identity:
    """The default of ``ROOMCHAT["IDENTITY"]``: the signed-in user, else a guest who stays the same for the session.

    Args:
        source: an HTTP request, or the ASGI scope of a socket.
    """
    if isinstance(source, HttpRequest):
        user, session = getattr(source, "user", None), getattr(source, "session", None)
    else:
        user, session = source.get("user"), source.get("session")
    if user is not None and user.is_authenticated:
        return of_user(user)
    # A socket cannot set the cookie of a new session, so its guest lasts as long as the socket.
    if session is None or (not isinstance(source, HttpRequest) and not session.session_key):
        return new_guest()
    return _guest_of(session, save=not isinstance(source, HttpRequest))


def _guest_of(session: Any, *, save: bool) -> Identity:
    known = session.get(GUEST_SESSION_KEY)
    if known is not None:
        return Identity(known["key"], known["name"], is_guest=True, chose_name=known.get("chose_name", False))
    guest = new_guest()
    session[GUEST_SESSION_KEY] = {"key": guest.key, "name": guest.name}
    if save:
        session.save()
    return guest


def who(source: HttpRequest | dict[str, Any]) -> Identity:
    """Who speaks, according to ``ROOMCHAT["IDENTITY"]``. May use the database."""
    identity: Identity = hook("IDENTITY")(source)
    return identity
