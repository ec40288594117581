"""Validation of the ``ROOMCHAT`` setting: what each key requires of its value, and the error messages."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Any

from django.conf import settings

from django_roomchat.conf.keys import KEYS, Config
from django_roomchat.conf.rates import RATE

_ORIGIN = re.compile(r"https?://[^/?#@\s]+")
_PROXY = re.compile(r"environment|http://[^/?#\s]+/?")
_CONTENT_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]+")


def _is_list_of(is_item: Callable[[str], object]) -> Callable[[Any], bool]:
    def accepts(value: Any) -> bool:
        return isinstance(value, (tuple, list)) and all(
            isinstance(item, str) and bool(is_item(item)) for item in value
        )

    return accepts


def _is_or_none(accepts: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or accepts(value)


def _is_hook(value: Any) -> bool:
    return callable(value) or isinstance(value, str)


def _is_duration(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < math.inf


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return _is_whole(value) and value > 0


def _is_rate(value: Any) -> bool:
    return isinstance(value, str) and RATE.fullmatch(value) is not None


_Requirement = tuple[Callable[[Any], bool], str]
"""A check of a value, and how an error message describes the values that pass it."""

_HOOK: _Requirement = (_is_hook, "a callable or a dotted path")
_OPTIONAL_HOOK: _Requirement = (_is_or_none(_is_hook), "a callable or a dotted path")
_COUNT: _Requirement = (_is_count, "a whole number above 0")
_CONTENT_TYPES: _Requirement = (
    _is_list_of(_CONTENT_TYPE.fullmatch),
    'a list of content types such as "image/png"',
)
_BY_TYPE: dict[str, tuple[_Requirement, ...]] = {
    "bool": ((lambda value: isinstance(value, bool), "True or False"),),
    "bool | None": ((lambda value: value is None or isinstance(value, bool), "True, False or None"),),
    "int": (_COUNT,),
    "int | None": ((_is_or_none(_is_count), "a whole number above 0"),),
    "float": ((_is_duration, "a number of seconds above 0"),),
    # All rate limits, and no other setting without an entry below.
    "str | None": ((_is_or_none(_is_rate), 'a rate such as "20/10s" or "100/m" (s, m, h, d), or None'),),
}
_BY_KEY: dict[str, tuple[_Requirement, ...]] = {
    "GROUP_NAME": (_OPTIONAL_HOOK,),
    "CHANNEL_LAYER": (_HOOK,),
    "POLICY": (_HOOK,),
    "IDENTITY": (_HOOK,),
    "FILTER": (_OPTIONAL_HOOK,),
    "ACCOUNT_NAMES": (_OPTIONAL_HOOK,),
    "ALLOWED_ORIGINS": (
        (
            _is_list_of(lambda origin: origin == "*" or _ORIGIN.fullmatch(origin)),
            "a list of origins: scheme, host and optional port, without a trailing slash",
        ),
    ),
    "SOCKET_PATH": (
        (
            lambda value: isinstance(value, str) and value.startswith("/") and value.endswith("/"),
            "a path that starts and ends with a slash",
        ),
    ),
    "ROOM_NAME_MAX_LENGTH": (
        _COUNT,
        (lambda value: value <= 100, "at most 100, the width of its column"),
    ),
    "RESERVED_NAMES": ((_is_list_of(lambda name: True), "a list of names"),),
    "ATTACHMENT_STORAGE": (
        (lambda value: isinstance(value, str) and value in settings.STORAGES, "an alias of STORAGES"),
    ),
    "ATTACHMENT_TYPES": (_CONTENT_TYPES,),
    "ATTACHMENT_EXTRA_TYPES": (_CONTENT_TYPES,),
    "RATE_CACHE": (
        (
            _is_or_none(lambda value: isinstance(value, str) and value in settings.CACHES),
            "an alias of CACHES, or None",
        ),
    ),
    "WEBHOOK_PROXY": (
        (
            _is_or_none(lambda value: isinstance(value, str) and _PROXY.fullmatch(value) is not None),
            'an http URL of a proxy, "environment" or None',
        ),
    ),
    "PROXIES": ((lambda value: _is_whole(value) and value >= 0, "a whole number, 0 or more"),),
}
"""Requirements of the settings whose type says too little."""
_REQUIREMENTS = {field.name: _BY_KEY.get(field.name) or _BY_TYPE[str(field.type)] for field in fields(Config)}


def _unmet(key: str, value: Any) -> str | None:
    """Describe the first requirement of ``ROOMCHAT[key]`` that *value* does not meet; ``None`` if it meets all."""
    return next((described for accepts, described in _REQUIREMENTS[key] if not accepts(value)), None)


def problems(user: Any) -> list[str]:
    """Validate the value of the ``ROOMCHAT`` setting.

    Args:
        user: the value in the project's settings.

    Returns:
        Error messages, one sentence each; an empty list if the value is valid.
    """
    if not isinstance(user, Mapping):
        return [f"ROOMCHAT must be a dict of settings, not {type(user).__name__}."]
    found = []
    for key, value in user.items():
        if key not in KEYS:
            nearest = get_close_matches(str(key).upper(), KEYS, n=1, cutoff=0.5)
            right = f"did you mean {nearest[0]!r}?" if nearest else f"valid keys are {', '.join(KEYS)}."
            found.append(f"ROOMCHAT has no key {key!r}: {right}")
        elif (required := _unmet(key, value)) is not None:
            found.append(f"ROOMCHAT[{key!r}] must be {required}, not {value!r}.")
    return found
