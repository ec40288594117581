"""Validation of the short values of frames, query parameters and functions: keys, cursors, prefixes, sequence numbers, times.

A value of the wrong type raises :class:`TypeError`, and a value out of range :class:`~django_roomchat.errors.BadValue`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from django_roomchat.errors import BadValue
from django_roomchat.errors import gettext_noop as _

SEQ_MAX = 2**53 - 1
"""Maximum sequence number: the largest exact integer in JavaScript."""
KEY_MAX_LENGTH = 100
GUEST_PREFIX = "g:"
"""First characters of the identity key of every guest, and of no other key."""
CURSOR_MAX_LENGTH = 500
PREFIX_MAX_LENGTH = 100
EPOCH_MAX_LENGTH = 64
PLAIN = r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)"
"""Regular expression, in the syntax of Python and JavaScript, for a text without control characters. PostgreSQL cannot
store or compare a NUL.
"""

_PLAIN = re.compile(PLAIN)
_SURROGATE = re.compile("[\ud800-\udfff]")
T = TypeVar("T")


def of_type(given: Any, kind: type[T], name: str) -> T:
    """Return a value that has the expected type.

    Args:
        given: the value.
        kind: the type.
        name: name of the argument, for the error message.

    Raises:
        TypeError: *given* has another type; ``bool`` does not count as ``int``.
    """
    if not isinstance(given, kind) or (kind is int and isinstance(given, bool)):
        raise TypeError(f"{name} must be of type {kind.__name__}, not {type(given).__name__}.")
    return given


def iterable(given: Iterable[T], name: str) -> Iterable[T]:
    """Return a value that can be iterated over.

    Args:
        given: the value.
        name: name of the argument, for the error message.

    Raises:
        TypeError: *given* cannot be iterated over.
    """
    if not isinstance(given, Iterable):
        raise TypeError(f"{name} must be iterable, not {type(given).__name__}.")
    return given


def is_plain(text: str) -> bool:
    """Return whether a text has neither control characters nor unpaired surrogates."""
    return _PLAIN.search(text) is not None and (text.isascii() or _SURROGATE.search(text) is None)


def line(given: str, name: str, max_length: int) -> str:
    """Validate a text that is compared or stored as it is, such as a cursor or a prefix.

    Args:
        given: the text; it may be empty.
        name: name of the field or argument, for the error message.
        max_length: maximum length, in characters.

    Returns:
        The same text.

    Raises:
        BadValue: the text is too long, or contains control characters or unpaired surrogates.
    """
    if len(of_type(given, str, name)) > max_length:
        raise BadValue(f"“{name}” can have at most {max_length} characters.")
    if not is_plain(given):
        raise BadValue(f"“{name}” cannot contain control characters.")
    return given


def key(given: str) -> str:
    """Validate the identity key of a person.

    Args:
        given: the key.

    Returns:
        The same key.

    Raises:
        BadValue: it is not 1 to 100 visible characters.
    """
    if not (0 < len(of_type(given, str, "The key of a user")) <= KEY_MAX_LENGTH and given.isprintable()):
        raise BadValue(_("A user's key must have 1 to %(most)d visible characters."), most=KEY_MAX_LENGTH)
    return given


def is_guest(key: str) -> bool:
    """Return whether an identity key is that of a guest."""
    return key.startswith(GUEST_PREFIX)


def sequence_number(given: int, name: str = "A sequence number") -> int:
    """Validate a sequence number, or another number of a row.

    Args:
        given: the number.
        name: name of the argument, for the error message.

    Returns:
        The same number.

    Raises:
        BadValue: the number is negative, or larger than 2**53 - 1.
    """
    return whole_number(given, name, SEQ_MAX)


def whole_number(given: int, name: str, most: int) -> int:
    """Validate a whole number.

    Args:
        given: the number.
        name: name of the argument, for the error message.
        most: maximum value.

    Returns:
        The same number.

    Raises:
        BadValue: the number is negative, or larger than *most*.
    """
    if not 0 <= of_type(given, int, name) <= most:
        # Python refuses to print a number of thousands of digits.
        raise BadValue(f"{name} must be a whole number from 0 to {most}.")
    return given


def aware(given: datetime, name: str) -> datetime:
    """Validate a point in time.

    Args:
        given: the time.
        name: name of the argument, for the error message.

    Returns:
        The time in UTC.

    Raises:
        BadValue: the time has no time zone, or is outside the years 1 to 9999 in UTC.
    """
    if of_type(given, datetime, name).utcoffset() is None:
        raise BadValue(f"{name} must be an aware datetime; use timezone.now() of django.utils.")
    try:
        return given.astimezone(UTC)
    except OverflowError as error:
        raise BadValue(f"{name} is too far away.") from error


def after(now: datetime, given: timedelta, name: str, *, is_past: bool = False) -> datetime:
    """Return the time that is *given* after *now*.

    Args:
        now: an aware time.
        given: the difference.
        name: name of the argument, for the error message.
        is_past: return the time before *now* instead.

    Raises:
        BadValue: the result is outside the years 1 to 9999.
    """
    try:
        return now - of_type(given, timedelta, name) if is_past else now + of_type(given, timedelta, name)
    except OverflowError as error:
        raise BadValue(f"{name} is too long.") from error


def ago(now: datetime, minutes: float, name: str) -> datetime:
    """Return the time that is a number of minutes before *now*.

    Args:
        now: an aware time.
        minutes: the number of minutes.
        name: name of the argument, for the error message.

    Raises:
        BadValue: the number is negative, not a number, or too large.
    """
    if isinstance(minutes, bool) or not isinstance(minutes, (int, float)):
        raise TypeError(f"{name} must be a number of minutes, not {type(minutes).__name__}.")
    try:
        if minutes >= 0:
            return now - timedelta(minutes=minutes)
    except OverflowError:
        pass
    raise BadValue(f"{name} must be a number of minutes from 0 to the year 1.")
