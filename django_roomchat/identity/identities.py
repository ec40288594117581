"""Identities: the small value that represents the author of a message, which is a user, a guest or the site."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import Error as DatabaseError
from django.http import Http404, HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from django_roomchat.conf import hook
from django_roomchat.conf.hooks import HookError, described, dotted_path
from django_roomchat.errors import BadValue, ChatError
from django_roomchat.text import values

NAME_MAX_LENGTH = 150
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""NUL, which PostgreSQL does not store, and surrogates, which no encoding has."""
GUEST_SESSION_KEY = "roomchat_guest"
ERASED_NAME = _("Deleted user")
"""Name that replaces the names of erased people, in English."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The person or program that acts, with the name and pictures shown to others."""

    key: str
    """Stable key, up to 100 characters. It is public and does not authenticate anything."""
    name: str
    """Display name, up to 150 characters."""
    user: Any = None
    """The project's user; ``None`` for guests and for the site. An anonymous user is refused."""
    is_guest: bool = False
    """Whether the person is not signed in. The key of a guest begins with ``g:``, and no other key does: the mark beside the
    name of a guest depends on it.
    """
    is_site: bool = False
    """Whether the project's own code acts. The policy is not asked."""
    avatar: str = ""
    """URL of the avatar at the time of the message; empty if there is none."""
    link: str = ""
    """URL of the profile page; empty if there is none."""
    chose_name: bool = False
    """Whether a guest has chosen the name. Such a name is rejected where it resembles that of another person."""

    def problem(self) -> str | None:
        """Return what makes the identity unfit to be stored or sent, as the rest of a sentence; ``None`` if nothing does."""
        key, name = self.key, self.name
        if not (isinstance(key, str) and 0 < len(key) <= values.KEY_MAX_LENGTH and key.isprintable()):
            return f"key must be a str of 1 to {values.KEY_MAX_LENGTH} printable characters, not {described(key)}"
        if not (isinstance(name, str) and len(name) <= NAME_MAX_LENGTH and not _UNSTORABLE.search(name)):
            return f"name must be a str of at most {NAME_MAX_LENGTH} characters, not {described(name)}"
        for field in ("is_guest", "is_site", "chose_name"):
            if type(getattr(self, field)) is not bool:
                return f"{field} must be True or False, not {described(getattr(self, field))}"
        if self.is_guest and not values.is_guest(key):
            return f"key must begin with {values.GUEST_PREFIX!r} for a guest, whom the page marks by it, not {described(key)}"
        for field in ("avatar", "link"):
            url = getattr(self, field)
            if not isinstance(url, str) or _UNSTORABLE.search(url):
                return f"{field} must be a str that can be stored, not {described(url)}"
        # Policies take an identity with a user for signed in, and an anonymous user has no primary key.
        if self.user is not None and getattr(self.user, "pk", None) is None:
            return f"user must be a user with a primary key or None, not {described(self.user)}"
        return None


def site(name: str | None = None) -> Identity:
    """Return the identity of the site, with an optional display name. The default name is a translation of “System”."""
    shown = (name or gettext("System"))[:NAME_MAX_LENGTH]
    return Identity(f"site:{hashlib.sha256(shown.encode()).hexdigest()[:16]}", shown, is_site=True)


def is_site_key(key: str) -> bool:
    """Return whether an identity key belongs to the site."""
    return key.startswith("site:")


def of_user(user: Any) -> Identity:
    """Return the identity of a user of any user model.

    Raises:
        BadValue: the user is not saved, and thus has no key.
    """
    if user.pk is None:
        raise BadValue("A user without a primary key has no identity; save the user first.")
    full_name = user.get_full_name().strip() if hasattr(user, "get_full_name") else ""
    # If the user name is an e-mail address, only the part before the @ is shown to others.
    name = full_name or user.get_username().partition("@")[0] or user.get_username()
    return Identity(f"u:{user.pk}", name[:NAME_MAX_LENGTH], user=user)


def new_guest() -> Identity:
    """Return a new guest with a random key and a numbered name."""
    number = 1000 + secrets.randbelow(9000)
    return Identity(
        f"{values.GUEST_PREFIX}{secrets.token_hex(16)}",
        gettext("Guest %(number)d") % {"number": number},
        is_guest=True,
    )


def identify(source: HttpRequest | dict[str, Any]) -> Identity:
    """Return the signed-in user, or else a guest that stays the same for the session. Default of ``ROOMCHAT["IDENTITY"]``.

    A new guest is stored in the session. A socket without a session gets a guest that lasts as long as the socket.

    Args:
        source: an HTTP request, or the ASGI scope of a socket.
    """
    if isinstance(source, HttpRequest):
        user, session = getattr(source, "user", None), getattr(source, "session", None)
    else:
        user, session = source.get("user"), source.get("session")
    if user is not None and user.is_authenticated:
        return of_user(user)
    # A socket cannot set the cookie of a new session, so this guest is not stored.
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
    """Return the identity of a request or an ASGI scope, as ``ROOMCHAT["IDENTITY"]`` determines it. May query the database.

    Raises:
        HookError: the hook failed, or returned something else than an identity.
    """
    function = hook("IDENTITY")
    try:
        answer = function(source)
    except (ChatError, DatabaseError, PermissionDenied, SuspiciousOperation, Http404):
        raise
    except Exception as error:
        raise HookError(f"ROOMCHAT['IDENTITY'] ({dotted_path(function)}) raised {error!r}.") from error
    if not isinstance(answer, Identity):
        raise HookError(
            f"ROOMCHAT['IDENTITY'] ({dotted_path(function)}) returned {described(answer)}; "
            "it has to return a django_roomchat.identity.Identity, such as of_user(user)."
        )
    if (problem := answer.problem()) is not None:
        raise HookError(
            f"ROOMCHAT['IDENTITY'] ({dotted_path(function)}) returned an Identity whose {problem}."
        )
    return answer


Actor: TypeAlias = AbstractBaseUser | Identity
"""The acting person: a user of the project, or an identity."""
Target: TypeAlias = Actor | str
"""The person acted on: a user of the project, an identity, or an identity key."""


def identity_of(actor: Actor | None, name: str | None = None) -> Identity:
    """Return the identity of an actor.

    Args:
        actor: a user or an identity; ``None`` for the site.
        name: display name of the site.

    Raises:
        TypeError: *actor* is neither, or an anonymous user, which stands for any number of people.
        ValueError: *actor* is an identity with a key or another value that cannot be stored.
    """
    if isinstance(actor, Identity):
        if (problem := actor.problem()) is not None:
            raise ValueError(f"An Identity whose {problem}.")
        return actor
    if getattr(actor, "is_anonymous", False):
        raise TypeError("An anonymous user has no identity of its own; pass identify(request) instead.")
    if actor is not None and not (hasattr(actor, "pk") and hasattr(actor, "get_username")):
        raise TypeError(
            f"A person must be a user, an Identity or None, not {type(actor).__name__}; "
            "use an identity key only where the documentation names one."
        )
    return site(name) if actor is None else of_user(actor)


def person_of(person: Actor) -> Identity:
    """Return the identity of a user or an identity, for a function that cannot act on or for the site.

    Raises:
        TypeError: *person* is ``None``, for example a query without a result, or an anonymous user.
    """
    if person is None:
        raise TypeError("None is not a person; pass a user or an identity.")
    return identity_of(person)


def key_of(target: Target) -> str:
    """Return the identity key of a user, an identity or a key.

    Raises:
        BadValue: the key is empty, too long, or contains invisible characters.
    """
    return values.key(target) if isinstance(target, str) else identity_of(target).key
