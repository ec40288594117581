"""Names of accounts, which guests cannot take: the default of ``ROOMCHAT["ACCOUNT_NAMES"]``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import CharField

from django_roomchat.text.confusables import skeletons

ACCOUNTS_MAX = 20_000
"""Maximum number of accounts whose names are compared with look-alikes, newest first."""
CACHE_SECONDS = 60.0
"""Time for which these names are cached, in seconds."""
FULL_NAMES = ("name", "full_name", "short_name", "display_name", "nickname")
"""Fields that are names, if the user model has them. First and last name are compared together."""

_known: tuple[float, frozenset[str]] = 0.0, frozenset()


def is_account_name(name: str) -> bool:
    """Return whether an account has this name, or one that looks like it.

    The names of an account are its user name, the part of it before an ``@``, its first and last name together, and the fields
    ``name``, ``full_name``, ``short_name``, ``display_name`` and ``nickname``, as far as the user model has them.

    The user name as it is spelt is found by the index of its column, among any number of accounts. Look-alikes are compared with
    the names of the newest 20,000 accounts, which are read in one query and cached for a minute.

    Args:
        name: the name that a guest has chosen.
    """
    spellings = {name, name.lower(), name.upper(), name.title()}
    users = get_user_model()._default_manager
    if users.filter(**{f"{get_user_model().USERNAME_FIELD}__in": spellings}).exists():
        return True
    return not skeletons(name).isdisjoint(_newest())


def _newest() -> frozenset[str]:
    """Return the skeletons of the names of the newest accounts."""
    global _known
    now = time.monotonic()
    at, known = _known
    if not at or now - at >= CACHE_SECONDS:
        model: Any = get_user_model()
        named = {field.name for field in model._meta.concrete_fields if isinstance(field, CharField)}
        fields = [
            field
            for field in (model.USERNAME_FIELD, "first_name", "last_name", *FULL_NAMES)
            if field in named
        ]
        rows = model._default_manager.order_by("-pk").values(*fields)[:ACCOUNTS_MAX]
        known = frozenset(
            skeleton
            for row in rows
            for name in _names(row, model.USERNAME_FIELD)
            for skeleton in skeletons(name)
        )
        _known = now, known
    return known


def _names(row: dict[str, str | None], username: str) -> Iterator[str]:
    signs_in_with = row.get(username) or ""
    yield signs_in_with
    yield signs_in_with.partition("@")[0]
    yield f"{row.get('first_name') or ''} {row.get('last_name') or ''}"
    yield from (row.get(field) or "" for field in FULL_NAMES)
