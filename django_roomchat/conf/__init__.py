"""The ``ROOMCHAT`` setting: :func:`config` returns its values, and :func:`hook` the objects that it names."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

from django_roomchat.conf.keys import FILE_TYPES as FILE_TYPES
from django_roomchat.conf.keys import KEYS as KEYS
from django_roomchat.conf.keys import RATES as RATES
from django_roomchat.conf.keys import Config as Config
from django_roomchat.conf.rates import Rate as Rate
from django_roomchat.conf.rates import parse_rate as parse_rate
from django_roomchat.conf.requirements import problems as problems


@cache
def config() -> Config:
    """Return the current settings.

    Returns:
        The defaults, overridden by ``ROOMCHAT``. The result is cached until the setting changes.

    Raises:
        ImproperlyConfigured: ``ROOMCHAT`` has an unknown key or an invalid value.
    """
    user = getattr(settings, "ROOMCHAT", {})
    if found := problems(user):
        raise ImproperlyConfigured(" ".join(found))
    return Config(**user)


@cache
def hook(key: str) -> Any:
    """Return the object of a setting that takes an object or a dotted path.

    Args:
        key: name of the setting.

    Returns:
        The object itself, or the one imported from its dotted path. The result is cached until the setting changes.

    Raises:
        ImproperlyConfigured: the path cannot be imported.
    """
    value = getattr(config(), key)
    if not isinstance(value, str):
        return value
    try:
        return import_string(value)
    except ImportError as error:
        raise ImproperlyConfigured(
            f"ROOMCHAT[{key!r}] is {value!r}, which cannot be imported: {error}"
        ) from error


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting == "ROOMCHAT":
        config.cache_clear()
        hook.cache_clear()


setting_changed.connect(_forget, dispatch_uid="django_roomchat.conf")


def reverse_or_empty(view: str, *about: str) -> str:
    """Return the URL path of one of the package's views.

    Args:
        view: name of the view, such as ``"room"``.
        about: positional arguments of the URL pattern.

    Returns:
        The path, or an empty string if the project does not include the package's URLs.
    """
    try:
        return reverse(f"roomchat:{view}", args=about)
    except NoReverseMatch:
        return ""
