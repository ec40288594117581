"""Whom a command is about, as it is typed."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError


def person(typed: str) -> Any:
    """The user who signs in with this, the one with this primary key (``id:5``), or the key of a guest as it is.

    Raises:
        CommandError: there is no such user.
    """
    users = get_user_model()._default_manager
    kind, _, rest = typed.partition(":")
    if rest and kind not in ("id", ""):
        return typed
    wanted = {"pk": rest} if rest else {get_user_model().USERNAME_FIELD: typed}
    try:
        found = users.filter(**wanted).first()
    except (ValueError, ValidationError):
        found = None
    if found is None:
        raise CommandError(
            f"There is no user {typed!r}: give what they sign in with, id: and a primary key, or the key of a guest."
        )
    return found
