"""Decisions: what the methods of a policy return, and the check of everything that they return."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from types import FunctionType
from typing import Any
from weakref import WeakSet

from django.core.exceptions import PermissionDenied
from django.db import Error as DatabaseError
from django.utils.functional import Promise

from django_roomchat.conf.hooks import described, dotted_path
from django_roomchat.errors import ChatError, TryAgain
from django_roomchat.throttled_logging import error_throttled


@dataclass(frozen=True, slots=True)
class Decision:
    """Result of a policy method. It is true if the action is allowed."""

    allowed: bool
    detail: Any = ""
    """Why the action is denied, for people, as a sentence or a lazy translation of one."""
    code: str = "forbidden"
    """Why the action is denied, for programs."""

    def __bool__(self) -> bool:
        return self.allowed is True


ALLOWED = Decision(True)

NOT_ALLOWED = Decision(False)

# Not an attribute of the function, which functools.wraps() would copy to another one.
_checked: WeakSet[FunctionType] = WeakSet()


def is_checked(method: Any) -> bool:
    """Return whether a method of a policy is a result of :func:`checked`."""
    return isinstance(method, FunctionType) and method in _checked


def checked(name: str, method: Any) -> Callable[..., Decision]:
    """Return a method of a policy that always returns a valid :class:`Decision`.

    A ``bool`` counts as a decision. Any other answer, and any exception except those of the database and
    :class:`TryAgain`, denies the action and is logged with the names of class and method.

    Args:
        name: name of the method.
        method: the method as its class defines it: a function or another descriptor.
    """

    def ask(self: Any, *args: Any, **kwargs: Any) -> Decision:
        try:
            answer = call(self, *args, **kwargs)
        except PermissionDenied as error:
            return denial(error)
        except (TryAgain, DatabaseError):
            raise
        except ChatError as error:
            return Decision(False, error.detail, error.code)
        except Exception as error:
            _report(self, name, f"raised {error!r}", error)
            return NOT_ALLOWED
        if type(answer) is Decision and type(answer.allowed) is bool and type(answer.code) is str:
            return answer
        if type(answer) is bool:
            return ALLOWED if answer else NOT_ALLOWED
        _report(self, name, f"returned {described(answer)}")
        return NOT_ALLOWED

    def unbound(self: Any, *args: Any, **kwargs: Any) -> Any:
        bind = getattr(method, "__get__", None)
        return (method if bind is None else bind(self, type(self)))(*args, **kwargs)

    call = method if isinstance(method, FunctionType) else unbound
    made: Any = wraps(method)(ask)
    _checked.add(made)
    return made  # type: ignore[no-any-return]


def denial(error: PermissionDenied) -> Decision:
    """Return the decision that denies an action with the sentence of the exception, if it has one."""
    return Decision(False, next((value for value in error.args if isinstance(value, (str, Promise))), ""))


def _report(policy: Any, name: str, what: str, error: Exception | None = None) -> None:
    method = f"{dotted_path(type(policy))}.{name}()"
    error_throttled(
        f"policy {method}",
        "The policy's %s %s, which denies the action; it has to return a Decision or a bool.",
        method,
        what,
        error=error,
    )
