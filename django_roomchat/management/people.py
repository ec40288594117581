"""Resolves the person given to a management command."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError


def person(typed: str) -> Any:
    """Return the user with this username or primary key (``id:5``), or a guest's key unchanged.

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
            f"There is no user {typed!r}: give a username, id: followed by a primary key, or the key of a guest."
        )
    return found
