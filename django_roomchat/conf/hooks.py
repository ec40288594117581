"""Hooks: how errors name them, and what they returned. The callers check each answer where it enters."""

from __future__ import annotations

import inspect
import reprlib
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.core.exceptions import ImproperlyConfigured

_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 200


class HookError(ImproperlyConfigured):
    """A hook of the project failed, or returned something else than it has to."""


def dotted_path(function: Any) -> str:
    """Return the dotted path of a class or function, for error messages."""
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{named.__module__}.{named.__qualname__}"


def is_async(function: Any) -> bool:
    """Return whether calling *function* returns something that has to be awaited."""
    while function is not None:
        # The method of an object that is called, such as one whose class has "async def __call__".
        called = vars(type(function)).get("__call__")
        if any(iscoroutinefunction(each) or inspect.isasyncgenfunction(each) for each in (function, called)):
            return True
        function = getattr(function, "__wrapped__", None)
    return False


def described(answer: Any) -> str:
    """Describe what a hook returned, for error messages. A coroutine is closed, as nothing awaits it."""
    if inspect.iscoroutine(answer):
        answer.close()
    if inspect.isawaitable(answer) or inspect.isasyncgen(answer):
        return (
            f"{type(answer).__name__} {getattr(answer, '__qualname__', '')}".rstrip()
            + " (it is asynchronous)"
        )
    return _REPR.repr(answer)
