"""Sessions and accounts that authenticate sockets.

A socket is bound to its account and session when it opens. Bindings are compared with the database, and sign-outs and account
changes that Django signals are published to all processes.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.auth.signals import user_logged_out
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.utils import timezone

from django_roomchat import pubsub
from django_roomchat.identity.identities import Identity


@dataclass(slots=True, eq=False)
class SessionBinding:
    """The user and session that a socket is bound to."""

    user: Any = None
    """The user that the socket authenticated as; ``None`` for guests."""
    auth_hash: str = ""
    """The user's session auth hash, which changes with the password."""
    session_key: str = ""
    """Key of the session that authenticates the user. A guest's session is not checked, because nothing depends on its end."""
    due: float = -math.inf
    """When to compare next (``time.monotonic()``); by default at once, to catch changes made during the handshake."""
    ends: float = math.inf
    """When the session expires (``time.time()``), if the session store provides it."""


def bind_session(who: Identity, session: Any) -> SessionBinding:
    """Return the binding of a socket. May query the database.

    Args:
        who: the identity of the socket.
        session: the session with which the socket was opened; ``None`` without one.
    """
    key = getattr(session, "session_key", None) or ""
    user = who.user if isinstance(who.user, get_user_model()) else None
    if user is None:
        return SessionBinding(session_key=key)
    # A client that authenticates with a token may also send the session of another user or of a guest.
    is_theirs = bool(key) and session.get(SESSION_KEY) == user._meta.pk.value_to_string(user)
    key = key if is_theirs else ""
    return SessionBinding(user, _auth_hash(user), key)


def digest(session_key: str) -> str:
    return hashlib.sha256(session_key.encode()).hexdigest()[:32] if session_key else ""


def _auth_hash(user: Any) -> str:
    return str(user.get_session_auth_hash()) if hasattr(user, "get_session_auth_hash") else ""


def still_valid(bonds: Sequence[SessionBinding]) -> dict[SessionBinding, float]:
    """Return the bindings that are still valid, each with the expiry time of its session.

    Makes one query for the users, and one for the sessions if they are stored in the database.
    """
    found = get_user_model()._default_manager.filter(pk__in={bond.user.pk for bond in bonds})
    users = {user.pk: user for user in found}
    ends = _expiry_times({bond.session_key for bond in bonds if bond.session_key})
    return {
        bond: ends[bond.session_key] if bond.session_key else math.inf
        for bond in bonds
        if (not bond.session_key or bond.session_key in ends)
        and _is_account_unchanged(bond, users.get(bond.user.pk))
    }


def _is_account_unchanged(bond: SessionBinding, user: Any) -> bool:
    if user is None or _auth_hash(user) != bond.auth_hash:
        return False
    # Some sites allow inactive users.
    return getattr(user, "is_active", True) or not getattr(bond.user, "is_active", True)


def _expiry_times(session_keys: Iterable[str]) -> dict[str, float]:
    """Return the sessions that have not ended, each with its expiry time if the store provides it."""
    store = _store()
    if issubclass(store, DatabaseSessionStore):
        alive = store.get_model_class()._default_manager.filter(
            session_key__in=session_keys, expire_date__gt=timezone.now()
        )
        return {key: end.timestamp() for key, end in alive.values_list("session_key", "expire_date")}
    return {key: math.inf for key in session_keys if store(key).load()}


def open_session(session_key: str) -> Any:
    """Return the session as stored now. The one in a scope is as old as the socket, and saving it would undo later changes."""
    return _store()(session_key)


def _store() -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore


# Django signals ---------------------------------------------------------------------------------------------------


def connect_signals() -> None:
    """Connect the receivers for sign-outs and account changes.

    Sessions that expire or are deleted in other ways are found by comparing: a receiver for their deletion would make
    ``clearsessions`` load them one by one.
    """
    user_logged_out.connect(_signed_out, dispatch_uid="django_roomchat.realtime.session_watch")
    model: Any = settings.AUTH_USER_MODEL
    post_save.connect(_account_saved, sender=model, dispatch_uid="django_roomchat.realtime.session_watch")
    post_delete.connect(_account_deleted, sender=model, dispatch_uid="django_roomchat.realtime.session_watch")


def _signed_out(*, request: Any, **kwargs: Any) -> None:
    # Django sends the signal before it deletes the session.
    key = getattr(getattr(request, "session", None), "session_key", None)
    if key:
        pubsub.publish(pubsub.Notice("session_over", {"session": digest(key)}))


_CONCERNED = {"password", "is_active"}


def _account_saved(
    *, instance: Any, created: bool, update_fields: Any = None, using: str, **kwargs: Any
) -> None:
    if not created and (update_fields is None or _CONCERNED & set(update_fields)):
        _publish_account_change(instance.pk, using)


def _account_deleted(*, instance: Any, using: str, **kwargs: Any) -> None:
    _publish_account_change(instance.pk, using)


def _publish_account_change(pk: Any, using: str) -> None:
    notice = pubsub.Notice("account_changed", {"user": str(pk)})
    transaction.on_commit(lambda: pubsub.publish(notice), using=using, robust=True)
